"""What a message on a command topic holds: a configuration and who vouches for it.

The payload is the Ed25519 signature (RFC 8032) in base64, a newline, and the
configuration as canonical JSON: keys sorted, no spaces, UTF-8. The signature is
over the JSON as it is sent, after a prefix that no other use of the key shares;
nothing of the JSON is looked at before the signature has been checked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Annotated, Final, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from campuswatch.inventory.models import Slug

MAX_CONFIGURATION: Final = 2 * 1024 * 1024
"""Largest payload, bytes; a larger one is neither sent nor read."""

_PREFIX: Final = b"campuswatch configuration 1\n"
_SIGNATURE_BYTES: Final = 64

FileName = Annotated[
    str,
    StringConstraints(
        pattern=r"^((district|calendar|mappings)\.yaml|"
        r"(schools|profiles|registers)/(\w[\w.-]*/)*\w[\w.-]*\.yaml)$",
        max_length=200,
    ),
]
"""A path below a configuration's directory; it can't lead out of it."""


class ConfigurationError(ValueError):
    """A payload is no configuration that may be used; the message says why."""


class Configuration(BaseModel):
    """What one agent is to do.

    Attributes:
        format: of this document.
        district: the agent's address, level by level.
        school: its second level.
        agent: its third.
        version: Unix time of the signing in milliseconds; each is higher than
            the one before.
        files: the text of each file of the agent's part of the inventory.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    district: Slug
    school: Slug
    agent: Slug
    version: int = Field(gt=0, lt=2**53)
    files: dict[FileName, str]

    def encode(self) -> bytes:
        """Return it as canonical JSON."""
        return json.dumps(
            self.model_dump(), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()


def digest(payload: bytes) -> str:
    """Return the SHA-256 of a payload's configuration, hexadecimal."""
    return hashlib.sha256(payload.partition(b"\n")[2]).hexdigest()


def sign(configuration: Configuration, key: Ed25519PrivateKey) -> bytes:
    """Return the payload of a configuration.

    Raises:
        ConfigurationError: it is too large to be sent.
    """
    body = configuration.encode()
    payload = base64.b64encode(key.sign(_PREFIX + body)) + b"\n" + body
    if len(payload) > MAX_CONFIGURATION:
        raise ConfigurationError(
            f"{len(payload)} bytes; expected at most {MAX_CONFIGURATION}, as agents read no more"
        )
    return payload


def read_signed(payload: bytes, key: Ed25519PublicKey) -> Configuration:
    """Return the configuration of a payload.

    Raises:
        ConfigurationError: too large, not signed with the key's private half,
            or signed and nevertheless no configuration.
    """
    if len(payload) > MAX_CONFIGURATION:
        raise ConfigurationError(f"{len(payload)} bytes; expected at most {MAX_CONFIGURATION}")
    encoded, _, body = payload.partition(b"\n")
    try:
        signature = base64.b64decode(encoded, validate=True)
        if len(signature) != _SIGNATURE_BYTES:
            raise ConfigurationError("no signature; expected one of Ed25519 in the first line")
        key.verify(signature, _PREFIX + body)
    except binascii.Error:
        raise ConfigurationError(
            "no signature; expected one of Ed25519 in the first line"
        ) from None
    except InvalidSignature:
        raise ConfigurationError("the signature is not the district's") from None
    try:
        return Configuration.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_input=False)[0]
        place = ".".join(str(part) for part in fault["loc"]) or "the document"
        raise ConfigurationError(f"signed, but {place} is wrong: {fault['msg']}") from None
