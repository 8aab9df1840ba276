"""The real servers that tests talk to: started, killed and restarted at will.

A server whose program is missing is an error, never a skip; `script/test`
installs them all.
"""

from __future__ import annotations

import bz2
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import httpx

START_TIMEOUT = 30.0


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """Return a port of 127.0.0.1 that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], what: str, timeout: float = START_TIMEOUT) -> None:
    """Return once `condition()` holds.

    Raises:
        TimeoutError: it still does not after `timeout` seconds; names `what`.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout} s for {what}")
        time.sleep(0.02)


def program(name: str) -> str:
    """Return the path of an installed program.

    Raises:
        FileNotFoundError: it is not installed.
    """
    path = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise FileNotFoundError(f"{name} is not installed; script/test installs it")
    return path


class Server:
    """A child process that answers on a port of 127.0.0.1.

    Attributes:
        port: where it answers; the same over restarts.
        log: file with everything it printed.
    """

    def __init__(
        self, command: Sequence[str], port: int, log: Path, ready: Callable[[], bool]
    ) -> None:
        self.port = port
        self.log = log
        self._command = list(command)
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and return once it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
            )
        wait_until(self._answers, f"{self._command[0]} (log: {self.log})")

    @property
    def pid(self) -> int:
        """Its process id, once it has been started."""
        assert self._process is not None
        return self._process.pid

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(
                f"{self._command[0]} exited with {self._process.returncode}:\n"
                + self.log.read_text(errors="replace")[-2000:]
            )
        return self._ready()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Freeze it (SIGSTOP)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Thaw it (SIGCONT)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)


def accepts(port: int) -> Callable[[], bool]:
    """Return a check whether a TCP port of 127.0.0.1 accepts connections."""

    def check() -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return True
        return False

    return check


def answers_http(url: str) -> Callable[[], bool]:
    """Return a check whether a URL answers with a success."""

    def check() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(url, timeout=1).is_success
        return False

    return check


AnyServer = TypeVar("AnyServer", bound=Server)


@contextlib.contextmanager
def running(server: AnyServer) -> Iterator[AnyServer]:
    """Start a server, and stop it in the end."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def mosquitto(directory: Path, config: str = "", port: int | None = None) -> Server:
    """Return a Mosquitto that persists to `directory`; anonymous unless `config` forbids it."""
    port = port or free_port()
    path = directory / "mosquitto.conf"
    path.write_text(
        f"listener {port} 127.0.0.1\n"
        f"persistence true\npersistence_location {directory}/\n"
        "autosave_interval 1\nmax_queued_messages 0\nuser root\n"
        + (config or "allow_anonymous true\n")
    )
    return Server(
        [program("mosquitto"), "-c", str(path)], port, directory / "mosquitto.log", accepts(port)
    )


def influxdb1(directory: Path, *, auth: bool = False) -> Server:
    """Return Debian's InfluxDB 1.6; databases are made by the client.

    With `auth`, the first user has to be made before anything else is done.
    """
    port, rpc = free_port(), free_port()
    path = directory / "influxdb.conf"
    path.write_text(
        "reporting-disabled = true\n"
        f'bind-address = "127.0.0.1:{rpc}"\n'
        f'[meta]\ndir = "{directory}/meta"\n'
        f'[data]\ndir = "{directory}/data"\nwal-dir = "{directory}/wal"\n'
        "query-log-enabled = false\nmax-series-per-database = 0\n"
        f'[http]\nbind-address = "127.0.0.1:{port}"\nlog-enabled = false\n'
        f"auth-enabled = {str(auth).lower()}\n"
    )
    return Server(
        [program("influxd"), "-config", str(path)],
        port,
        directory / "influxdb.log",
        answers_http(f"http://127.0.0.1:{port}/ping"),
    )


def victoria_metrics(directory: Path) -> Server:
    """Return Debian's VictoriaMetrics, for its `/api/v2/write`."""
    port = free_port()
    return Server(
        [
            program("victoria-metrics"),
            f"-storageDataPath={directory}/victoria",
            f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=100y",
        ],
        port,
        directory / "victoria.log",
        answers_http(f"http://127.0.0.1:{port}/health"),
    )


def snmpd(directory: Path, config: str = "rocommunity public\n", port: int | None = None) -> Server:
    """Return net-snmp's agent with the given snmpd.conf."""
    port = port or free_port(socket.SOCK_DGRAM)
    path = directory / "snmpd.conf"
    # Users and the engine's id are kept over restarts, and not on the host's own agent.
    path.write_text(f"[snmp] persistentDir {directory}/persistent\n[snmpd]\n{config}")
    get = [program("snmpget"), "-v2c", "-cpublic", "-t1", "-r0", f"127.0.0.1:{port}"]

    def ready() -> bool:
        answer = subprocess.run([*get, "1.3.6.1.2.1.1.3.0"], capture_output=True, check=False)
        # An agent without that community still reports, or the port is closed.
        return answer.returncode == 0 or "rocommunity public" not in config

    return Server(
        [
            program("snmpd"),
            "-f",
            "-Lo",
            "-C",
            "-c",
            str(path),
            "-p",
            str(directory / "snmpd.pid"),
            f"udp:127.0.0.1:{port}",
        ],
        port,
        directory / "snmpd.log",
        ready,
    )


def snmpsim(directory: Path, recordings: Mapping[str, Path], keep: Sequence[str]) -> Server:
    """Return snmpsim, answering as recorded devices did; the community chooses one.

    Args:
        directory: for what it writes.
        recordings: `.snmprec.bz2` files by community.
        keep: OIDs below which recordings are kept; it takes half a minute to
            index a whole one.
    """
    data, cache = directory / "data", directory / "cache"
    data.mkdir()
    cache.mkdir()
    kept = tuple(f"{oid}." for oid in keep)
    for community, recording in recordings.items():
        with (
            bz2.open(recording, "rt", encoding="utf-8", errors="surrogateescape") as lines,
            (data / f"{community}.snmprec").open(
                "w", encoding="utf-8", errors="surrogateescape"
            ) as cut,
        ):
            cut.writelines(line for line in lines if line.startswith(kept))
    port = free_port(socket.SOCK_DGRAM)
    # As root it insists on being told so.
    user = ["--process-user=root", "--process-group=root"] if os.geteuid() == 0 else []
    get = [program("snmpget"), "-v2c", f"-c{next(iter(recordings))}", "-t1", "-r0"]

    def ready() -> bool:
        asked = [*get, f"127.0.0.1:{port}", "1.3.6.1.2.1.1.3.0"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    return Server(
        [
            str(Path(sys.executable).with_name("snmpsim-command-responder")),
            *user,
            f"--data-dir={data}",
            f"--cache-dir={cache}",
            f"--agent-udpv4-endpoint=127.0.0.1:{port}",
            "--log-level=error",
        ],
        port,
        directory / "snmpsim.log",
        ready,
    )
