"""The configurations an agent keeps on its disk, and which of them counts.

Below `data_dir/agents/ID/configuration` each is kept as it was received,
`VERSION.signed`, and its files beside it in `VERSION/`, where they can be looked
at. The files are written anew from what was signed each time they are used.
`state.json` says which version counts; it is replaced in one step, so that a
power cut leaves the old or the new one.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError

from campuswatch.configuration.document import (
    Configuration,
    ConfigurationError,
    digest,
    read_signed,
)
from campuswatch.wire import AgentAddress
from edge_agents.assignment import Assignment, load_assignment

log = logging.getLogger(__name__)

_STATE: Final = "state.json"
_SIGNED: Final = ".signed"
_LONGEST_REASON: Final = 500  # characters; a status is small


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True)


class Version(_Kept):
    """Names one configuration.

    Attributes:
        number: its version.
        sha256: of its JSON.
    """

    number: int
    sha256: str


class Trial(_Kept):
    """A configuration that has yet to show that devices answer under it.

    Attributes:
        version: which.
        starts: how often it has been started.
        answering: devices that answered under the configuration before.
    """

    version: Version
    starts: int
    answering: list[str]


class Refusal(_Kept):
    """Why a configuration is not used.

    Attributes:
        version: its number; None if it could not be read.
        reason: for people.
        rolled_back: whether it had been tried.
    """

    version: int | None
    reason: str
    rolled_back: bool = False


class State(_Kept):
    """What counts.

    Attributes:
        current: the configuration in force; None for the agent's own files.
        previous: the one before.
        latest: the newest that was ever taken up; none as old is taken again.
        trial: the one that is tried at the moment.
        refused: the last that was refused, if it came after the current one.
    """

    current: Version | None = None
    previous: Version | None = None
    latest: Version | None = None
    trial: Trial | None = None
    refused: Refusal | None = None


class Custody:
    """Keeps configurations, and decides whether one may be tried.

    Args:
        directory: made when it is needed.
        address: whose configurations they are.
        key: whose signature they need.
    """

    def __init__(self, directory: Path, address: AgentAddress, key: Ed25519PublicKey) -> None:
        self._directory = directory
        self._address = address
        self._key = key
        self.state = self._read_state()

    def take(self, payload: bytes) -> Version | None:
        """Keep what was pushed, unless it is what was taken up last.

        Returns:
            Its version; None if it is known.

        Raises:
            ConfigurationError: it may not be used: not the district's, not
                this agent's, or older than what was taken up before.
            OSError: the disk takes nothing.
        """
        configuration = read_signed(payload, self._key)
        version = Version(number=configuration.version, sha256=digest(payload))
        if version == self.state.latest:
            return None
        address = AgentAddress(configuration.district, configuration.school, configuration.agent)
        if address != self._address:
            raise ConfigurationError(
                f"it is for agent {address.agent!r} of school {address.school!r}; "
                f"expected agent {self._address.agent!r} of school {self._address.school!r}"
            )
        if self.state.latest is not None and version.number <= self.state.latest.number:
            raise ConfigurationError(
                f"version {version.number} is not newer than {self.state.latest.number}"
            )
        self._directory.mkdir(parents=True, exist_ok=True)
        _write(self._signed(version), payload)
        return version

    def load(self, version: Version) -> Assignment:
        """Return what a configuration has the agent do.

        Raises:
            UserError: it is not valid.
            ConfigurationError: what is on the disk is not what was signed.
            OSError: it can't be read.
        """
        configuration = read_signed(self._signed(version).read_bytes(), self._key)
        directory = self._directory / str(version.number)
        _write_files(configuration, directory)
        return load_assignment(directory, self._address.agent)

    def begin_trial(self, version: Version, answering: set[str]) -> None:
        """Note that a configuration is started, and which devices have to answer again."""
        before = self.state.trial
        starts = before.starts if before is not None and before.version == version else 0
        trial = Trial(version=version, starts=starts + 1, answering=sorted(answering))
        self._change(trial=trial, latest=version)

    def accept(self, version: Version) -> None:
        """Let a configuration that was tried count from now on."""
        self._change(current=version, previous=self.state.current, trial=None, refused=None)
        self._prune()

    def refuse(self, version: Version, reason: str, *, rolled_back: bool = False) -> None:
        """Give a configuration up for good."""
        refusal = Refusal(
            version=version.number, reason=reason[:_LONGEST_REASON], rolled_back=rolled_back
        )
        self._change(refused=refusal, latest=version, trial=None)
        self._prune()

    def note_refusal(self, reason: str) -> None:
        """Note that something was pushed which is not to be kept."""
        refusal = Refusal(version=None, reason=reason[:_LONGEST_REASON])
        # Not written: whoever can publish garbage must not wear out the disk.
        self.state = self.state.model_copy(update={"refused": refusal})

    def _signed(self, version: Version) -> Path:
        return self._directory / f"{version.number}{_SIGNED}"

    def _change(self, **changes: object) -> None:
        self.state = self.state.model_copy(update=changes)
        self._directory.mkdir(parents=True, exist_ok=True)
        _write(self._directory / _STATE, self.state.model_dump_json(indent=1).encode())

    def _read_state(self) -> State:
        path = self._directory / _STATE
        try:
            return State.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return State()
        except ValidationError as error:
            log.error("configurations forgotten: file=%s reason=%r", path, str(error))
            return State()

    def _prune(self) -> None:
        kept = {
            str(version.number)
            for version in (self.state.current, self.state.previous)
            if version is not None
        }
        for path in self._directory.iterdir():
            if path.name.removesuffix(_SIGNED) in kept or path.name == _STATE:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _write_files(configuration: Configuration, directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    for name, text in configuration.files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step; a power cut leaves the old or the new one."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
