"""Projectors on RS-232: Epson, BenQ and Optoma, as their manuals of commands have it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from campuswatch.inventory.models import Device
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading, now_ns
from edge_agents.sources.reachability import device_tags
from edge_agents.sources.serial.drivers import Ask
from edge_agents.sources.serial.frames import taking
from edge_agents.sources.serial.line import NoAnswerError
from edge_agents.sources.serial.modbus import RefusedError

_PROJECTOR: Final = CATALOGUE["projector"]

_STANDBY, _ON, _COOLING, _WARMING = range(4)  # the catalogue's states of `power`

Fields = dict[str, FieldValue | None]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to ask a projector.

    Attributes:
        request: the command with its end.
        answer: finds the answer, the value as group "value" or, when the
            projector refuses, without it.
        fields: what the value means.
    """

    request: bytes
    answer: re.Pattern[bytes]
    fields: Callable[[str], Fields]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The commands of a maker.

    Attributes:
        maker: for messages.
        power: asked first; a projector that does not answer it is not there.
        rest: asked then. In standby many refuse or ignore some of these.
    """

    maker: str
    power: Question
    rest: tuple[Question, ...]


class ProjectorDriver:
    """An `AskingDriver` of a projector.

    Args:
        device: whose readings these are.
        dialect: what it understands.
    """

    def __init__(self, device: Device, dialect: Dialect) -> None:
        self.protocol = f"{dialect.maker} RS-232"
        self._tags = device_tags(device)
        self._dialect = dialect

    async def read(self, ask: Ask) -> list[Reading]:
        """Ask for power, lamp hours, input and errors."""
        fields = await _asked(ask, self._dialect.power)
        for question in self._dialect.rest:
            with contextlib.suppress(RefusedError, NoAnswerError):
                fields |= await _asked(ask, question)
        if all(value is None for value in fields.values()):
            return []
        return [_PROJECTOR.reading(self._tags, fields, now_ns())]


async def _asked(ask: Ask, question: Question) -> Fields:
    found = await ask(question.request, taking(question.answer))
    value = found["value"]
    if value is None:
        raise RefusedError(found[0].decode("ascii", "replace").strip())
    try:
        return question.fields(value.decode("ascii", "replace").strip())
    except ValueError:
        ask.note_damage()
        return {}


def _states(**states: int) -> Callable[[str], Fields]:
    """Return what gives the state for a word, whatever its case."""

    def power(word: str) -> Fields:
        return {"power": states.get(word.lower())}

    return power


def _lamp_hours(text: str) -> Fields:
    """Read the hours of one lamp, or of several."""
    return {"lamp_hours": float(max(int(hours) for hours in text.split()))}


def _input(text: str) -> Fields:
    return {"input": text}


_EPSON_ERRORS: Final[Mapping[int, tuple[str, str]]] = {
    0x01: ("fan", "fan error"),
    0x03: ("lamp", "lamp failure at power on"),
    0x04: ("temperature", "high internal temperature"),
    0x06: ("lamp", "lamp error"),
    0x07: ("cover", "lamp cover open"),
    0x0C: ("filter", "low air flow"),
    0x0D: ("filter", "air flow sensor of the filter"),
}
"""ESC/VP21 Command User's Guide, chapter 6; any other code is an `other_error`."""

_PARTS: Final = ("fan", "lamp", "temperature", "cover", "filter", "other")


def _epson_error(text: str) -> Fields:
    code = int(text, 16)
    fields: Fields = {f"{part}_error": 0 for part in _PARTS}
    if code:
        part, words = _EPSON_ERRORS.get(code, ("other", f"error {text}"))
        fields |= {f"{part}_error": 2, "error": words}
    return fields


def _epson(command: str, fields: Callable[[str], Fields]) -> Question:
    name = command.encode()
    # "ERR=00" answers ERR?, and "ERR" alone refuses whatever was asked.
    answer = re.compile(rb"(?:%b=(?P<value>[^\r:]+)|ERR)\r:" % name)
    return Question(name + b"?\r", answer, fields)


EPSON: Final = Dialect(
    "Epson",
    _epson(
        "PWR",
        _states(
            **{
                "00": _STANDBY,  # network off
                "01": _ON,
                "02": _WARMING,
                "03": _COOLING,
                "04": _STANDBY,  # network on
                "05": _STANDBY,  # after a failure, which ERR? tells of
            }
        ),
    ),
    (_epson("LAMP", _lamp_hours), _epson("SOURCE", _input), _epson("ERR", _epson_error)),
)
"""ESC/VP21, 9600 baud, 8N1; every answer ends with a colon."""


def _benq(command: str, fields: Callable[[str], Fields]) -> Question:
    name = command.encode()
    # The command itself may be echoed, with "?" for the value.
    answer = re.compile(
        rb"\*(?:%b=(?P<value>[^?#*]+)|(?:Illegal format|Unsupported item|Block item))#" % name,
        re.IGNORECASE,
    )
    return Question(b"\r*" + name + b"=?#\r", answer, fields)


BENQ: Final = Dialect(
    "BenQ",
    _benq("pow", _states(on=_ON, off=_STANDBY)),
    (_benq("ltim", _lamp_hours), _benq("sour", _input)),
)
"""RS232 Command Control; 9600 or 115200 baud by the projector's menu, 8N1."""


def _optoma(command: bytes, fields: Callable[[str], Fields]) -> Question:
    answer = re.compile(rb"(?:OK(?P<value>\d+)|F)\r", re.IGNORECASE)
    return Question(b"~00" + command + b" 1\r", answer, fields)


OPTOMA: Final = Dialect(
    "Optoma",
    _optoma(b"124", _states(**{"0": _STANDBY, "1": _ON})),
    (_optoma(b"108", _lamp_hours), _optoma(b"121", _input)),
)
"""RS-232 protocol function list; 9600 baud, 8N1. 00 addresses any projector."""

DIALECTS: Final[Mapping[str, Dialect]] = {"epson": EPSON, "benq": BENQ, "optoma": OPTOMA}
"""By the name of the driver."""
