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
from gufo.snmp.user import BaseAuthKey, BasePrivKey, KeyExpansion, KeyType

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
    "aes192c": Aes192Key,
    "aes256c": Aes256Key,
}
_CISCO: Final = {"aes192c", "aes256c"}
"""Those whose keys are expanded as Cisco does it; see `UserCredential.priv`."""
_SHORTEST_PASSWORD: Final = 8


@dataclass(frozen=True)
class CommunityAccess:
    """SNMPv2c."""

    community: str = field(repr=False)


@dataclass(frozen=True)
class UserAccess:
    """SNMPv3 with the User-based Security Model.

    Attributes:
        user: its name, and its keys not yet localised to an engine.
        auth: authentication protocol, as the inventory names it.
        priv: privacy protocol, likewise.
        context: contextName, usually "".
    """

    user: User
    auth: str | None = None
    priv: str | None = None
    context: str = ""

    @property
    def level(self) -> str:
        """The security level, as RFC 3411 names it."""
        if self.auth is None:
            return "noAuthNoPriv"
        return "authNoPriv" if self.priv is None else "authPriv"

    def without_privacy(self) -> UserAccess:
        """Return the same user at level authNoPriv."""
        user = User(self.user.name, auth_key=self.user.auth_key)
        return UserAccess(user, self.auth, None, self.context)

    def localised_auth_key(self, engine_id: bytes) -> bytes:
        """Return the user's authentication key at one engine (RFC 3414, 2.6), b"" without one."""
        key = self.user.auth_key
        return b"" if key is None else type(key).get_localized_key(key.key, engine_id)


Access = CommunityAccess | UserAccess


def access(credential: SnmpCredential) -> Access:
    """Resolve a credential's secrets.

    Raises:
        UserError: a secret is not where it should be, or a password is shorter
            than RFC 3414 (11.2) allows.
    """
    try:
        if isinstance(credential, CommunityCredential):
            return CommunityAccess(resolve(credential.community))
        return _user(credential)
    except SecretError as error:
        raise UserError(f"SNMP credential: {error}") from None


def _user(credential: UserCredential) -> UserAccess:
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
    user = User(
        credential.user,
        auth_key=auth,
        priv_key=priv,
        key_expansion=(
            KeyExpansion.Cisco if credential.priv in _CISCO else KeyExpansion.Blumenthal
        ),
    )
    return UserAccess(user, credential.auth, credential.priv, credential.context)


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
