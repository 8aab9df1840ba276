"""From what a device sends to what a column means."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from campuswatch.units import IDENTITY, Conversion
from campuswatch.wifi import band_of_channel, band_of_frequency
from edge_agents.sources.snmp.profile import Column, Form, IndexPart, Octets
from edge_agents.sources.snmp.session import Value
from edge_agents.sources.snmp.text import decode_text

Cell = int | float | str
"""A value after all that its column says about it."""

Decoder = Callable[[Value], Cell | None]
"""Makes a cell of a raw value; None if that is no data."""

_DIGITS: Final = 10
_BANDS: Final[dict[str, Callable[[int], str]]] = {
    "channel": band_of_channel,
    "frequency": band_of_frequency,
}
_ADDRESS: Final = re.compile(rb"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}")
_NUMBER: Final = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")


def decoder(rule: Column, conversion: Conversion = IDENTITY) -> Decoder:
    """Return what makes cells of a column's raw values.

    Args:
        rule: the column.
        conversion: from the column's unit to the catalogue's.
    """
    ignored = frozenset(rule.ignore)
    pattern = re.compile(rule.pattern) if rule.pattern is not None else None
    enum, scale, offset = rule.enum, rule.scale, rule.offset
    lowest, highest = rule.range or (None, None)
    converts = scale != 1 or offset != 0 or conversion != IDENTITY
    band = _BANDS[rule.band] if rule.band is not None else None

    def decode(raw: Value) -> Cell | None:
        value = _formed(raw, rule.form, rule.octets)
        if pattern is not None and isinstance(value, str):
            value = _matched(pattern, value)
        if value is None or value in ignored:
            return None
        if enum is not None:
            return enum.get(value) if isinstance(value, int | str) else None
        if isinstance(value, str):
            return value
        if band is not None:
            return band(int(value)) or None
        if converts:
            value = value * scale + offset
            value = _rounded(value if conversion == IDENTITY else conversion(value))
        if lowest is not None and highest is not None and not lowest <= value <= highest:
            return None
        return value

    return decode


def index_part(index: str, rule: IndexPart) -> Cell | None:
    """Return part of a row's index; None if the index has no such part.

    A `counted` part begins with its own length, as a variable-length string
    in an INDEX clause does (RFC 2578, 7.7).
    """
    parts = index.split(".")
    start = rule.at if rule.at >= 0 else len(parts) + rule.at
    if rule.counted:
        if not 0 <= start < len(parts):
            return None
        length, start = int(parts[start]), start + 1
    else:
        length = rule.length or len(parts) - start
    found = parts[start : start + length]
    if start < 0 or len(found) != length:
        return None
    if rule.form is None:
        return int(found[0]) if length == 1 else ".".join(found)
    if any(int(part) > 255 for part in found):
        return None
    return _formed(bytes(map(int, found)), rule.form, None)


def _formed(raw: Value, form: Form, octets: Octets | None) -> Cell | None:
    if not isinstance(raw, bytes):
        return _number(raw) if form is Form.NUMBER and isinstance(raw, str) else raw
    if octets is not None:
        raw = raw[octets.at : None if octets.length is None else octets.at + octets.length]
        if len(raw) < (octets.length or 1):
            return None
    return _FORMS[form](raw)


def _number(text: str) -> Cell | None:
    found = _NUMBER.search(text)
    return _parsed(found.group()) if found else None


def _parsed(text: str) -> Cell:
    if _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    return text


def _matched(pattern: re.Pattern[str], text: str) -> Cell | None:
    found = pattern.search(text)
    if found is None:
        return None
    group = found.group(1) if pattern.groups else found.group()
    return None if group is None else _parsed(group)


def _rounded(value: float) -> float:
    """Return a number without what only the arithmetic of floats has added."""
    return value if value == int(value) else float(f"{value:.{_DIGITS}g}")


def _hexadecimal(octets: bytes) -> str:
    """Return octets as aa:bb:cc; a MAC address in text is what it says (Cisco NX-OS)."""
    found = _ADDRESS.fullmatch(octets)
    return found.group().decode("ascii").lower() if found else octets.hex(":")


def _identifier(octets: bytes) -> str:
    """Return octets as text if they are printable ASCII, else as hexadecimal."""
    text = octets.rstrip(b"\0")
    if text and all(0x20 <= octet < 0x7F for octet in text):
        return text.decode("ascii").strip()
    return octets.hex(":")


_FORMS: Final[dict[Form, Callable[[bytes], Cell | None]]] = {
    Form.TEXT: decode_text,
    Form.NUMBER: lambda octets: _number(decode_text(octets)),
    Form.HEX: _hexadecimal,
    Form.IDENTIFIER: _identifier,
    Form.DOTTED: lambda octets: ".".join(map(str, octets)),
    Form.UNSIGNED: lambda octets: int.from_bytes(octets, "big"),
    Form.SIGNED: lambda octets: int.from_bytes(octets, "big", signed=True),
}
