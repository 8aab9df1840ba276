"""A user's protocols and keys in the words of pysnmp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pysnmp.entity import config
from pysnmp.proto.rfc1902 import OctetString

from edge_agents.sources.snmp.credentials import UserAccess

_AUTH: Final[Mapping[str | None, Any]] = {
    None: config.USM_AUTH_NONE,
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIV: Final[Mapping[str | None, Any]] = {
    None: config.USM_PRIV_NONE,
    "des": config.USM_PRIV_CBC56_DES,
    "aes128": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "aes192c": config.USM_PRIV_CFB192_AES,
    "aes256c": config.USM_PRIV_CFB256_AES,
}


def user_keys(access: UserAccess) -> dict[str, Any]:
    """Return protocols and master keys as `add_v3_user` and `UsmUserData` take them."""
    auth, priv = access.user.auth_key, access.user.priv_key
    return {
        "authProtocol": _AUTH[access.auth],
        "authKey": OctetString(auth.key) if auth else None,
        "authKeyType": config.USM_KEY_TYPE_MASTER,
        "privProtocol": _PRIV[access.priv],
        "privKey": OctetString(priv.key) if priv else None,
        "privKeyType": config.USM_KEY_TYPE_MASTER,
    }
