"""Secrets by reference: the inventory names where a secret is, never what it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from campuswatch.errors import UserError

SecretReference = Annotated[
    str,
    StringConstraints(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"),
    Field(
        json_schema_extra={
            "patternErrorMessage": '"env:NAME" or "file:PATH", never the secret itself',
            "writeOnly": True,  # what marks secrets in JSON Schema: no message quotes the value
        }
    ),
]
"""`env:NAME` or `file:PATH`."""


class SecretError(UserError):
    """A secret is not where its reference says; the message never holds a value."""


def resolve(reference: str) -> str:
    """Return the secret that `reference` names.

    A file's final newline is not part of the secret.

    Raises:
        SecretError: the variable is unset, or the file can't be read.
    """
    scheme, _, place = reference.partition(":")
    if scheme == "env":
        value = os.environ.get(place)
        if value is None:
            raise SecretError(f"environment variable {place} is not set")
        return value
    if scheme == "file":
        try:
            return Path(place).read_text(encoding="utf-8").removesuffix("\n")
        except OSError as error:
            raise SecretError(f"secret file {place}: {error.strerror}") from None
    raise SecretError('expected a secret reference, "env:NAME" or "file:PATH"')
