"""A message from a local broker, and its payload as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NoReturn

MAX_PAYLOAD: Final = 256 * 1024
"""Largest payload that is read, bytes."""

TOO_DEEP: Final = "nested too deep"


class PayloadError(ValueError):
    """A payload can't be read; the message says why."""


def parse(payload: bytes) -> object:
    """Return a payload's JSON value; text that is no JSON is returned as it is.

    Raises:
        PayloadError: it is too large, too deep, empty or no UTF-8 text.
    """
    check_size(payload)
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError:
        raise PayloadError("not UTF-8 text") from None
    if not text:
        raise PayloadError("empty")
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise PayloadError(TOO_DEEP) from None
    except ValueError as error:
        if text[0] in "{[":
            raise PayloadError(f"not JSON: {error}") from None
        return text


def check_size(payload: bytes) -> None:
    """Raise PayloadError if a payload is larger than any device's."""
    if len(payload) > MAX_PAYLOAD:
        raise PayloadError(f"{len(payload)} bytes: expected at most {MAX_PAYLOAD}")


def _refuse_constant(name: str) -> NoReturn:
    raise PayloadError(f"{name} is not JSON (RFC 8259, section 6)")


@dataclass(frozen=True)
class Message:
    """One message, as it arrived.

    Attributes:
        topic: where it was published.
        payload: its bytes.
        received: when it arrived, nanoseconds UTC.
        retained: whether the broker had kept it, so that it is no news.
    """

    topic: str
    payload: bytes
    received: int
    retained: bool = False

    @cached_property
    def document(self) -> object:
        """The payload's JSON value, read once however many decoders look at it.

        Raises:
            PayloadError: it has none.
        """
        return parse(self.payload)


def member(document: object, *names: str) -> object:
    """Return what a path of names leads to in nested objects; None if nothing is there."""
    for name in names:
        if not isinstance(document, dict):
            return None
        document = document.get(name)
    return document


def mapping(document: object) -> dict[str, object]:
    """Return a JSON object.

    Raises:
        PayloadError: it is something else.
    """
    if not isinstance(document, dict):
        raise PayloadError("expected a JSON object")
    return document
