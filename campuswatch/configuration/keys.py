"""The district's signing key: Ed25519, as PEM files (RFC 8410)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from campuswatch.errors import UserError
from campuswatch.secrets import resolve

PRIVATE_FILE: Final = "configuration.key"
PUBLIC_FILE: Final = "configuration.pub"


def create_keys(directory: Path) -> tuple[Path, Path]:
    """Write a new key pair; only the owner may read the private half.

    Returns:
        The files of the private and of the public key.

    Raises:
        UserError: one of the files is there already, or can't be written.
    """
    key = Ed25519PrivateKey.generate()
    private, public = directory / PRIVATE_FILE, directory / PUBLIC_FILE
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write_new(
            private,
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            mode=0o600,
        )
        _write_new(
            public,
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            mode=0o644,
        )
    except FileExistsError as error:
        raise UserError(f"{error.filename}: already there; expected a new directory") from None
    except OSError as error:
        raise UserError(f"{directory}: {error.strerror}") from None
    return private, public


def private_key(reference: str) -> Ed25519PrivateKey:
    """Return the key that `env:NAME` or `file:PATH` holds.

    Raises:
        UserError: there is none, or it is no Ed25519 private key.
    """
    try:
        key = load_pem_private_key(resolve(reference).encode(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UserError(f"{reference}: expected an Ed25519 private key, PEM without a password")
    return key


def public_key(reference: str) -> Ed25519PublicKey:
    """Return the key that `env:NAME` or `file:PATH` holds.

    Raises:
        UserError: there is none, or it is no Ed25519 public key.
    """
    try:
        key = load_pem_public_key(resolve(reference).encode())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UserError(f"{reference}: expected an Ed25519 public key, PEM")
    return key


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
