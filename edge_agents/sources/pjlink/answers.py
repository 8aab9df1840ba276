"""What projectors answer, read as the PJLink specification (JBMIA, class 1 and 2) has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5
from typing import Final

from campuswatch.readings import FieldValue

_REFUSALS: Final = {
    "ERR1": "it does not know the command",
    "ERR2": "it does not take the parameter",
    "ERR3": "not available now",
    "ERR4": "failure of the projector",
}
FAILURE: Final = "ERR4"
"""The refusal that tells of a fault of the projector, not of a question it has no answer to."""

_INPUTS: Final = {
    "1": "RGB",
    "2": "video",
    "3": "digital",
    "4": "storage",
    "5": "network",
    "6": "internal",
}
_ERROR_PARTS: Final = ("fan", "lamp", "temperature", "cover", "filter", "other")
_GREETING: Final = re.compile(r"PJLINK (?:0|1 (?P<salt>[0-9A-Fa-f]{8}))", re.IGNORECASE)
_ANSWER: Final = re.compile(r"%(?P<level>[12])(?P<command>[A-Z0-9]{4})=(?P<value>.*)", re.ASCII)
_LAMPS: Final = re.compile(r"\d{1,6}(?: [01])?(?: \d{1,6} [01])*", re.ASCII)
_HOURS: Final = re.compile(r"\d{1,6}", re.ASCII)


class PjLinkError(Exception):
    """A projector can't be asked, or makes no sense; the message says why."""


class PasswordError(PjLinkError):
    """The projector wants a password, or another one."""


class NonsenseError(PjLinkError):
    """The projector answered, and the value is none that the specification knows."""


class RefusedError(PjLinkError):
    """The projector answered a command with ERR1 to ERR4.

    Attributes:
        code: which of them.
    """

    def __init__(self, command: str, code: str) -> None:
        super().__init__(f"{command}: {code}, {_REFUSALS[code]}")
        self.code = code


def parse_greeting(line: str) -> str | None:
    """Return the random number that the password is hashed with; None if it wants no password.

    Raises:
        PjLinkError: the line is no greeting.
    """
    found = _GREETING.fullmatch(line)
    if found is None:
        raise PjLinkError(f"no PJLink greeting: {line[:40]!r}")
    salt: str | None = found["salt"]
    return salt


def digest(salt: str, password: str) -> str:
    """Return what goes before the first command (section 5.2 of the specification)."""
    return md5((salt + password).encode(), usedforsecurity=False).hexdigest()


def parse_answer(line: str, level: int, command: str) -> str:
    """Return the value of the answer to a command.

    Raises:
        RefusedError: it is ERR1 to ERR4.
        PasswordError: the password is wrong.
        PjLinkError: the line is no answer to this command.
    """
    if line.upper() == "PJLINK ERRA":
        raise PasswordError("it refuses the password")
    found = _ANSWER.fullmatch(line)
    if found is None or (int(found["level"]), found["command"]) != (level, command):
        raise PjLinkError(f"no answer to {command}: {line[:40]!r}")
    value: str = found["value"]
    if value in _REFUSALS:
        raise RefusedError(command, value)
    return value


def power(value: str) -> dict[str, FieldValue]:
    """Read POWR.

    Raises:
        NonsenseError: the value is none of its, as for all the readers here.
    """
    if value not in {"0", "1", "2", "3"}:
        raise _nonsense("POWR", value)
    return {"power": int(value)}


def shown(value: str) -> dict[str, FieldValue]:
    """Read INPT: the kind of input, and its number or letter (class 2)."""
    if not re.fullmatch(r"[1-6][1-9A-Z]", value, re.ASCII):
        raise _nonsense("INPT", value)
    return {"input": f"{_INPUTS[value[0]]} {value[1]}"}


def lamp_hours(value: str) -> dict[str, FieldValue]:
    """Read LAMP: hours and on or off of each lamp; the longest used one counts."""
    if not _LAMPS.fullmatch(value):
        raise _nonsense("LAMP", value)
    return {"lamp_hours": float(max(map(int, value.split(" ")[::2])))}


def errors(value: str) -> dict[str, FieldValue]:
    """Read ERST: a digit for each part, 0 when it is well."""
    if not re.fullmatch(r"[0-2]{6}", value, re.ASCII):
        raise _nonsense("ERST", value)
    return {f"{part}_error": int(digit) for part, digit in zip(_ERROR_PARTS, value, strict=True)}


def filter_hours(value: str) -> dict[str, FieldValue]:
    """Read FILT (class 2)."""
    if not _HOURS.fullmatch(value):
        raise _nonsense("FILT", value)
    return {"filter_hours": float(value)}


def level(value: str) -> int:
    """Read CLSS: the class that the projector speaks; a later one is taken for 2."""
    if not re.fullmatch(r"[1-9]", value, re.ASCII):
        raise _nonsense("CLSS", value)
    return min(int(value), 2)


def words(field: str) -> Callable[[str], dict[str, FieldValue]]:
    """Return a reader of text into a field; empty text says nothing."""

    def read(value: str) -> dict[str, FieldValue]:
        return {field: value} if value else {}

    return read


def _nonsense(command: str, value: str) -> NonsenseError:
    return NonsenseError(f"{command} makes no sense: {value[:40]!r}")


@dataclass(frozen=True, slots=True)
class Query:
    """A question to a projector.

    Attributes:
        level: the class of PJLink that has it.
        command: four letters.
        read: turns the answer's value into fields.
    """

    level: int
    command: str
    read: Callable[[str], dict[str, FieldValue]]


POWER: Final = Query(1, "POWR", power)
"""Asked first, because every projector knows it at any time."""

STATUS: Final = (
    Query(1, "INPT", shown),
    Query(1, "LAMP", lamp_hours),
    Query(1, "ERST", errors),
    Query(2, "FILT", filter_hours),
)
"""Asked at every poll, into `projector`."""

IDENTITY: Final = (
    Query(1, "NAME", words("name")),
    Query(1, "INF1", words("vendor")),
    Query(1, "INF2", words("model")),
    Query(1, "INFO", words("description")),
    Query(2, "SNUM", words("serial_number")),
    Query(2, "SVER", words("firmware")),
)
"""Asked now and then, into `device_info`."""

SPARES: Final = (Query(2, "RLMP", words("lamp_model")), Query(2, "RFIL", words("filter_model")))
"""Asked as often as `IDENTITY`, into `projector`."""
