"""What edge agents say of themselves, kept in the store.

Every collector listens to all of them, and each writes what it hears: two that
say the same harm nobody, and none has to ask whether another is there.
"""

from __future__ import annotations

import threading
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from campuswatch import lineprotocol
from campuswatch.intervals import IntervalSet
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading
from campuswatch.wire import AgentAddress, WireError, parse_topic
from collector.patience import PatientStore, StoppedError
from collector.quarantine import Quarantine, Refusal
from collector.ranges import write_ranges
from collector.subscriber import Message

_STATES = {"offline": 0, "online": 1}


class RefusedConfiguration(BaseModel):
    """Why an agent does not use a configuration."""

    version: int | None = Field(default=None, ge=0, lt=2**53)
    reason: str = Field(max_length=1000)
    rolled_back: bool = False


class AgentConfiguration(BaseModel):
    """What an agent says of the configurations that were pushed to it."""

    version: int | None = Field(default=None, ge=0, lt=2**53)
    trial: int | None = Field(default=None, ge=0, lt=2**53)
    refused: RefusedConfiguration | None = None


class AgentStatus(BaseModel):
    """The payload of a status topic; an agent may say more than we know."""

    state: Literal["online", "offline"]
    version: str | None = Field(default=None, max_length=100)
    stream: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    last_seq: int | None = Field(default=None, ge=0, lt=2**62)
    first_unsent: int | None = Field(default=None, ge=0, lt=2**62)
    dropped: list[tuple[int, int]] = Field(default_factory=list)
    configuration: AgentConfiguration | None = None


class StatusKeeper:
    """Writes the latest status of each agent; older ones that wait are passed over."""

    def __init__(
        self, agents: frozenset[AgentAddress], store: PatientStore, quarantine: Quarantine
    ) -> None:
        self._agents = agents
        self._store = store
        self._quarantine = quarantine
        self._latest: dict[AgentAddress, Reading] = {}
        self._change = threading.Condition()
        self._closed = False

    def receive(self, message: Message) -> None:
        """Take a message of a status topic; an empty one clears the topic and says nothing."""
        if not message.payload:
            return
        try:
            address, _ = parse_topic(message.topic)
            if address not in self._agents:
                raise WireError(f"agent {address.agent!r}: expected one of the inventory")
            status = AgentStatus.model_validate_json(message.payload)
        except (WireError, ValidationError) as error:
            refusal = Refusal(message.topic, message.received, str(error), message.payload)
            self._quarantine.keep([refusal])
            return
        with self._change:
            self._latest[address] = _reading(status, address, message.received)
            self._change.notify()

    def run(self) -> None:
        """Write until closed."""
        while readings := self._take():
            try:
                self._store.write(lineprotocol.encode(readings))
            except StoppedError:
                return

    def close(self) -> None:
        """Let `run` return."""
        with self._change:
            self._closed = True
            self._change.notify()

    def _take(self) -> list[Reading]:
        with self._change:
            self._change.wait_for(lambda: self._latest or self._closed)
            readings = [] if self._closed else list(self._latest.values())
            self._latest.clear()
            return readings


def _reading(status: AgentStatus, address: AgentAddress, time: int) -> Reading:
    dropped = IntervalSet.of((first, last + 1) for first, last in status.dropped)
    reading = CATALOGUE["agent_status"].reading(
        {"stream": status.stream or ""},
        {
            "state": _STATES[status.state],
            "version": status.version,
            "last_seq": status.last_seq,
            "first_unsent": _first_unsent(status),
            "dropped": None if status.stream is None else write_ranges(dropped),
            **_configuration_fields(status.configuration),
        },
        time,
    )
    stamped = {"school": address.school, "agent": address.agent}
    return Reading(reading.measurement, stamped, reading.fields, reading.time)


def _first_unsent(status: AgentStatus) -> int | None:
    if status.first_unsent is None and status.last_seq is not None:
        return status.last_seq + 1
    return status.first_unsent


def _configuration_fields(told: AgentConfiguration | None) -> dict[str, FieldValue | None]:
    if told is None:
        return {}
    return {
        "configuration": told.version,
        "configuration_trial": told.trial or 0,
        "configuration_refused": "" if told.refused is None else _words(told.refused),
    }


def _words(refused: RefusedConfiguration) -> str:
    which = "one" if refused.version is None else f"version {refused.version}"
    done = "rolled back" if refused.rolled_back else "refused"
    return f"{which} {done}: {refused.reason}"
