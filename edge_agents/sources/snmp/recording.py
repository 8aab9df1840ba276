"""Recordings of devices: what an SNMP agent answered, as text.

The format is snmpsim's `.snmprec`: `OID|TYPE|VALUE`, a line each, sorted or
not. TYPE is the ASN.1 tag as a number (RFC 2578, 7.1); with `x` behind it the
value is in hexadecimal. Lines that are no such thing are passed over: some
recordings begin with a comment.
"""

from __future__ import annotations

import bz2
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from campuswatch.errors import UserError
from edge_agents.sources.snmp.session import Value

Oid = tuple[int, ...]

INTEGER: Final = 2
OCTET_STRING: Final = 4
NULL: Final = 5
OBJECT_IDENTIFIER: Final = 6
IP_ADDRESS: Final = 64
COUNTER32: Final = 65
GAUGE32: Final = 66
TIME_TICKS: Final = 67
OPAQUE: Final = 68
COUNTER64: Final = 70

_NUMBERS: Final = {INTEGER, COUNTER32, GAUGE32, TIME_TICKS, COUNTER64}
_OCTETS: Final = {OCTET_STRING, IP_ADDRESS, OPAQUE}
_LINE: Final = re.compile(rb"([0-9]+(?:\.[0-9]+)+)\|([0-9]+)(x?)(:[a-z]+)?\|(.*)", re.DOTALL)
_STARTS: Final = (b"initial", b"offset", b"min")
_HEAD: Final = 16
_INT32: Final = 2**31
_UINT32: Final = 2**32


class Instance(NamedTuple):
    """The value of one OID.

    Attributes:
        tag: its ASN.1 tag, such as `COUNTER64`.
        value: int of numbers, dotted str of OBJECT IDENTIFIER, else bytes.
    """

    tag: int
    value: int | str | bytes


class Recording:
    """The instances of one device, in the order of a walk."""

    def __init__(self, instances: Iterable[tuple[Oid, Instance]]) -> None:
        """Sort instances; of two with the same OID the first counts."""
        found: dict[Oid, Instance] = {}
        for oid, instance in instances:
            found.setdefault(oid, instance)
        self.oids = sorted(found)
        self._instances = found

    @classmethod
    def load(cls, path: Path, below: Collection[str] | None = None) -> Recording:
        """Read a `.snmprec` or `.snmprec.bz2` file.

        Args:
            path: of the file.
            below: OIDs, dotted; what is not at or below one of them is left out.

        Raises:
            UserError: the file can't be read, or all of it is read and holds no recording.
        """
        try:
            content = path.read_bytes()
            if path.suffix == ".bz2":
                content = bz2.decompress(content)
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: {error}") from None
        lines = content.split(b"\n")
        recording = cls(_instances(lines if below is None else _kept(lines, below)))
        if not recording.oids and below is None:
            raise UserError(f"{path}: no line is OID|TYPE|VALUE; expected a .snmprec recording")
        return recording

    def __getitem__(self, oid: Oid) -> Instance:
        return self._instances[oid]

    def get(self, oid: Oid) -> Instance | None:
        """Return the instance at an OID."""
        return self._instances.get(oid)

    def after(self, oid: Oid, most: int) -> Iterator[tuple[Oid, Instance]]:
        """Yield the next instances, at most so many."""
        start = bisect_right(self.oids, oid)
        for found in self.oids[start : start + most]:
            yield found, self._instances[found]


def dump(recording: Recording) -> Iterator[str]:
    """Yield a recording's lines."""
    for oid in recording.oids:
        tag, value = recording[oid]
        dotted = ".".join(map(str, oid))
        if isinstance(value, bytes):
            yield f"{dotted}|{tag}x|{value.hex()}"
        else:
            yield f"{dotted}|{tag}|{value}"


def line(oid: str, value: Value) -> str:
    """Return a value as a line of a recording.

    A session does not say which type a number had, so an INTEGER, a Counter or
    a Gauge becomes the smallest type that holds it.
    """
    if isinstance(value, int):
        return f"{oid}|{_number_tag(value)}|{value}"
    if isinstance(value, float):
        return f"{oid}|{OCTET_STRING}|{value}"
    if isinstance(value, str):
        parts = [int(part) for part in value.split(".") if part]
        if len(parts) == 4 and parts[0] > 2:
            return f"{oid}|{IP_ADDRESS}x|{bytes(parts).hex()}"
        return f"{oid}|{OBJECT_IDENTIFIER}|{value}"
    return f"{oid}|{OCTET_STRING}x|{value.hex()}"


def parse_oid(text: str) -> Oid:
    """Return the numbers of a dotted OID."""
    return tuple(map(int, text.split(".")))


def _number_tag(value: int) -> int:
    if -_INT32 <= value < _INT32:
        return INTEGER
    return GAUGE32 if 0 <= value < _UINT32 else COUNTER64


def _kept(lines: Iterable[bytes], below: Collection[str]) -> Iterator[bytes]:
    # Most lines are told by their first characters, for one look into a set.
    prefixes: dict[bytes, list[bytes]] = {}
    short: list[bytes] = []
    for root in below:
        for prefix in (f"{root}.".encode(), f"{root}|".encode()):
            if len(prefix) < _HEAD:
                short.append(prefix)
            else:
                prefixes.setdefault(prefix[:_HEAD], []).append(prefix)
    starts = {head: tuple(found) for head, found in prefixes.items()}
    shorts = tuple(short)
    for found in lines:
        wanted = starts.get(found[:_HEAD])
        if (wanted is not None and found.startswith(wanted)) or found.startswith(shorts):
            yield found


def _instances(lines: Iterable[bytes]) -> Iterator[tuple[Oid, Instance]]:
    for text in lines:
        match = _LINE.fullmatch(text.rstrip(b"\r"))
        if match is None:
            continue
        oid, tag, hexadecimal, variation, value = match.groups()
        if variation:
            value = _start(value)
        try:
            instance = _instance(int(tag), value, is_hex=bool(hexadecimal))
        except ValueError:
            continue
        yield parse_oid(oid.decode()), instance


def _start(variation: bytes) -> bytes:
    """Return where a value begins that snmpsim makes up at every request, or lets be written."""
    if variation.startswith(b"value="):
        return variation[len(b"value=") :]
    settings = dict(part.partition(b"=")[::2] for part in variation.split(b","))
    return next((settings[name] for name in _STARTS if name in settings), b"0")


def _instance(tag: int, value: bytes, *, is_hex: bool) -> Instance:
    if is_hex:
        value = bytes.fromhex(value.decode())
    if tag in _NUMBERS:
        return Instance(tag, int(value))
    if tag == OBJECT_IDENTIFIER:
        return Instance(tag, value.decode())
    if tag == IP_ADDRESS and not is_hex:
        return Instance(tag, bytes(int(part) for part in value.split(b".")))
    if tag in _OCTETS or tag == NULL:
        return Instance(tag, value)
    raise ValueError(tag)
