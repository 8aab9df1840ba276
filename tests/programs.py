"""Campuswatch's own commands as processes: started, killed and restarted at will."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.servers import Server, wait_until

COMMAND = str(Path(sys.executable).with_name("campuswatch"))
"""The command as this environment has it."""


class Program(Server):
    """`campuswatch ARGUMENTS` as a process; up once it has logged `ready`."""

    def __init__(self, *arguments: str, log: Path, ready: str) -> None:
        super().__init__([COMMAND, *arguments], 0, log, self._is_ready)
        self._sign = ready
        self._seen = 0

    def start(self) -> None:
        self._seen = self.log.stat().st_size if self.log.exists() else 0
        super().start()

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        assert self._process is not None
        return self._process.pid

    def alive(self) -> bool:
        """Return whether it runs."""
        return self._process is not None and self._process.poll() is None

    def printed(self) -> str:
        """Return what it printed since it was started."""
        with self.log.open("rb") as log:
            log.seek(self._seen)
            return log.read().decode(errors="replace")

    def await_print(self, sign: str) -> None:
        wait_until(lambda: sign in self.printed(), f"{sign!r} in {self.log}")

    def _is_ready(self) -> bool:
        return self._sign in self.printed()
