"""Who may send notifications: known communities, and users who can prove it.

pysnmp checks the signatures of SNMPv3, but neither the security level nor the
time window of other engines' messages, and it has to be told each engine's id
in advance. So all that is settled here, before pysnmp sees a datagram: an
engine is known once a message of its own is signed with a key that only the
user's password gives (RFC 3414, 2.6), and a message that is older than the
newest by more than the time window is a replay.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from edge_agents.sources.snmp.ber import (
    SEQUENCE,
    BerError,
    enter,
    read_integer,
    read_octets,
    tag_at,
)
from edge_agents.sources.snmp.credentials import Access, CommunityAccess, UserAccess
from edge_agents.sources.snmp.usm import Flags, Header, is_signed, read_header

_V1: Final = 0
_V2C: Final = 1
_V3: Final = 3
_NOTIFICATIONS: Final = {_V1: {0xA4}, _V2C: {0xA6, 0xA7}}
"""Tags of the PDUs that tell something (RFC 3416, 3), by version."""
_TIME_WINDOW: Final = 150.0  # seconds (RFC 3414, 2.2.3)
_LAST_BOOTS: Final = 2**31 - 1


class RefusedError(Exception):
    """A datagram is none that is waited for; the message says why."""


class Admitted(NamedTuple):
    """A datagram that may be looked into.

    Attributes:
        access: whose it is; None if it asks for this engine's id (RFC 3414, 4).
        engine_id: SNMPv3's authoritative engine, else b"".
    """

    access: Access | None
    engine_id: bytes = b""


@dataclass(slots=True)
class _Clock:
    """An engine's clock (RFC 3414, 2.2.1), as of a moment of ours."""

    boots: int
    time: int
    at: float


class Admission:
    """Decides on datagrams.

    Args:
        accesses: communities and users that senders may use.
        engine_id: this engine's id, which informs are sent to.
    """

    def __init__(self, accesses: Iterable[Access], engine_id: bytes) -> None:
        self._engine_id = engine_id
        self._communities: list[CommunityAccess] = []
        self._users: dict[bytes, list[UserAccess]] = {}
        for access in accesses:
            if isinstance(access, CommunityAccess):
                self._communities.append(access)
            else:
                self._users.setdefault(access.user.name.encode(), []).append(access)
        self._clocks: dict[bytes, _Clock] = {}  # of engines that have signed a message

    def admit(self, datagram: bytes, now: float) -> Admitted:
        """Return whose a datagram is.

        Args:
            datagram: as it arrived.
            now: monotonic time, in seconds.

        Raises:
            RefusedError: nobody's who may send.
        """
        try:
            at, _ = enter(datagram, 0, SEQUENCE)
            version, at = read_integer(datagram, at)
            if version == _V3:
                return self._admit_user(datagram, read_header(datagram), now)
            if version not in _NOTIFICATIONS:
                raise RefusedError(f"unknown SNMP version {version}")
            community, at = read_octets(datagram, at)
            if tag_at(datagram, at) not in _NOTIFICATIONS[version]:
                raise RefusedError("no notification")
        except BerError as error:
            raise RefusedError(f"no SNMP message: {error}") from None
        return Admitted(self._community(community))

    def _community(self, community: bytes) -> CommunityAccess:
        for access in self._communities:
            if hmac.compare_digest(access.community.encode(), community):
                return access
        raise RefusedError("unknown community")

    def _admit_user(self, message: bytes, header: Header, now: float) -> Admitted:
        if not header.engine_id and not header.flags & Flags.AUTH:
            return Admitted(None)
        name = header.user.decode("utf-8", "backslashreplace")
        users = self._users.get(header.user)
        if users is None:
            raise RefusedError(f"unknown user {name!r}")
        for access in users:
            if access.auth is None:
                return Admitted(access, header.engine_id)
            key = access.localised_auth_key(header.engine_id)
            if is_signed(message, header, access.auth, key):
                break
        else:
            raise RefusedError(
                f"not signed by user {name!r}: wrong password, protocol or security level"
            )
        if access.priv is not None and not header.flags & Flags.PRIV:
            raise RefusedError(f"not encrypted, as user {name!r} has to")
        # Of messages to this engine pysnmp checks the time, and reports it if it is wrong.
        if header.engine_id != self._engine_id and not self._is_timely(header, now):
            raise RefusedError(f"a message of user {name!r} from outside the time window")
        return Admitted(access, header.engine_id)

    def _is_timely(self, header: Header, now: float) -> bool:
        """Check an engine's clock, and keep it (RFC 3414, 3.2, step 7 b)."""
        clock = self._clocks.get(header.engine_id)
        newest = (header.boots, header.time)
        if clock is None:
            self._clocks[header.engine_id] = _Clock(*newest, now)
            return header.boots < _LAST_BOOTS
        present = clock.time + now - clock.at
        if newest > (clock.boots, clock.time):
            self._clocks[header.engine_id] = _Clock(*newest, now)
        return clock.boots <= header.boots < _LAST_BOOTS and (
            header.boots > clock.boots or header.time >= present - _TIME_WINDOW
        )
