"""From a credential of the inventory to what opens a socket."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Final

from gufo.snmp import (
    Aes128Key,
    Aes192Key,
    Aes256Key,
    DesKey,
    Md5Key,
    Sha1Key,
    Sha224Key,
    Sha256Key,
    Sha384Key,
    Sha512Key,
    User,
)
from gufo.snmp.user import BaseAuthKey, BasePrivKey, KeyType

from campuswatch.errors import UserError
from campuswatch.inventory.models import CommunityCredential, SnmpCredential, UserCredential
from campuswatch.secrets import SecretError, resolve

_AUTH: Final[dict[str, type[BaseAuthKey]]] = {
    "md5": Md5Key,
    "sha1": Sha1Key,
    "sha224": Sha224Key,
    "sha256": Sha256Key,
    "sha384": Sha384Key,
    "sha512": Sha512Key,
}
_PRIV: Final[dict[str, type[BasePrivKey]]] = {
    "des": DesKey,
    "aes128": Aes128Key,
    "aes192": Aes192Key,
    "aes256": Aes256Key,
}
_SHORTEST_PASSWORD: Final = 8


@dataclass(frozen=True)
class CommunityAccess:
    """SNMPv2c."""

    community: str = field(repr=False)


@dataclass(frozen=True)
class UserAccess:
    """SNMPv3 with the User-based Security Model."""

    user: User


Access = CommunityAccess | UserAccess


def access(credential: SnmpCredential) -> Access:
    """Resolve a credential's secrets.

    Raises:
        UserError: a secret is not where it should be, a password is shorter
            than RFC 3414 (11.2) allows, or a context is set.
    """
    try:
        if isinstance(credential, CommunityCredential):
            return CommunityAccess(resolve(credential.community))
        return UserAccess(_user(credential))
    except SecretError as error:
        raise UserError(f"SNMP credential: {error}") from None


def _user(credential: UserCredential) -> User:
    if credential.context:
        raise UserError(
            f"SNMP user {credential.user!r}: context {credential.context!r} can't be asked; "
            "expected the default context, which is empty"
        )
    auth: BaseAuthKey | None = None
    priv: BasePrivKey | None = None
    if credential.auth and credential.auth_key:
        auth = _AUTH[credential.auth](
            _master_key(credential.auth, _password(credential.auth_key)), KeyType.Master
        )
        if credential.priv and credential.priv_key:
            password = _password(credential.priv_key)
            # A localised privacy key is made with the hash of the authentication protocol.
            priv = _PRIV[credential.priv](_master_key(credential.auth, password), KeyType.Master)
    return User(credential.user, auth_key=auth, priv_key=priv)


def _password(reference: str) -> bytes:
    password = resolve(reference).encode()
    if len(password) < _SHORTEST_PASSWORD:
        raise UserError(
            f"SNMP password in {reference}: expected at least {_SHORTEST_PASSWORD} characters "
            "(RFC 3414, 11.2)"
        )
    return password


@functools.lru_cache
def _master_key(protocol: str, password: bytes) -> bytes:
    """Hash a password as RFC 3414 A.2 does, once for all devices that share it (some 5 ms)."""
    return _AUTH[protocol].get_master_key(password)
