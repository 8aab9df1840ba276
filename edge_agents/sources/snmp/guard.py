"""Stands between gufo-snmp's SNMPv3 socket and the network.

gufo 0.13 compares the ids of an answer with those of the request, and looks at
neither its signature nor its security level. Whoever sees the packets could
answer unsigned at level authNoPriv, or change encrypted data unnoticed (AES in
CFB mode lets single bits be flipped). And a Report-PDU, in which an agent says
what is wrong with a user, is only "refused" to gufo, or passed over. So gufo is
given one end of a socket pair in place of its UDP socket, and only what has
passed here gets to it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Final

from edge_agents.sources.snmp.ber import BerError
from edge_agents.sources.snmp.credentials import UserAccess
from edge_agents.sources.snmp.errors import SnmpAuthError, SnmpEngineError
from edge_agents.sources.snmp.usm import (
    Flags,
    Header,
    Report,
    is_signed,
    read_header,
    read_report,
)

_LARGEST: Final = 65_535

_REASONS: Final[Mapping[Report, str]] = {
    Report.UNSUPPORTED_LEVEL: "it has no keys for {level} (usmStatsUnsupportedSecLevels)",
    Report.UNKNOWN_USER: "unknown user (usmStatsUnknownUserNames)",
    Report.WRONG_DIGEST: "wrong authentication password, or its protocol is not {auth} "
    "(usmStatsWrongDigests)",
    Report.DECRYPTION_ERROR: "wrong privacy password, or its protocol is not {priv} "
    "(usmStatsDecryptionErrors)",
    Report.UNKNOWN_SECURITY_MODEL: "no User-based Security Model (snmpUnknownSecurityModels)",
    Report.INVALID_MESSAGE: "invalid message (snmpInvalidMsgs)",
    Report.UNKNOWN_PDU_HANDLER: "unknown context engine (snmpUnknownPDUHandlers)",
    Report.UNAVAILABLE_CONTEXT: "context not available (snmpUnavailableContexts)",
    Report.UNKNOWN_CONTEXT: "unknown context (snmpUnknownContexts)",
    Report.NOT_IN_TIME_WINDOW: "not in its time window (usmStatsNotInTimeWindows)",
    Report.UNKNOWN_ENGINE: "unknown engine id (usmStatsUnknownEngineIDs)",
}
_CHANGED: Final = {Report.UNKNOWN_ENGINE, Report.NOT_IN_TIME_WINDOW}
"""What an agent reports whose engine has another id, or another clock, than was discovered."""


class Guard:
    """Lets through what answers the last request and is signed as its user requires.

    Until the keys are known, only reports pass, which is how an engine is
    discovered (RFC 3414, 4).

    Args:
        descriptor: of gufo's connected, non-blocking UDP socket.
        access: the user.
    """

    def __init__(self, descriptor: int, access: UserAccess) -> None:
        self._access = access
        self._engine_id: bytes | None = None
        self._key = b""
        self._message_id: int | None = None
        self.dropped = ""
        """Why an answer to the last request was dropped."""
        self._network = socket.socket(fileno=os.dup(descriptor))
        self._inside, gufos = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with gufos:
            gufos.setblocking(False)
            os.dup2(gufos.fileno(), descriptor, inheritable=False)
        self._inside.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor on which answers arrive."""
        return self._network.fileno()

    def forget(self) -> None:
        """Drop whatever arrives until the next request."""
        self._message_id = None

    def expect(self, engine_id: bytes) -> None:
        """Accept nothing but what the user signed at this engine from now on."""
        self._engine_id = engine_id
        self._key = self._access.localised_auth_key(engine_id)

    def send(self) -> None:
        """Send what gufo has just sent.

        Raises:
            OSError: the network says that nobody can answer.
        """
        message = self._inside.recv(_LARGEST)
        self._message_id = read_header(message).message_id
        self.dropped = ""
        self._network.send(message)

    def receive(self) -> None:
        """Hand one answer on to gufo, or drop it.

        Raises:
            SnmpAuthError: the agent reports what is wrong with the user.
            SnmpEngineError: its id or its clock is not what was discovered.
            OSError: the network says that nobody can answer; BlockingIOError
                if nothing has arrived.
        """
        message = self._network.recv(_LARGEST)
        try:
            header = read_header(message)
        except BerError as error:
            self.dropped = f"an answer was no SNMPv3 message ({error})"
            return
        if header.message_id != self._message_id:
            return  # a late answer to an earlier request
        report = read_report(message, header)
        if report is None:
            self._hand_on(message, header)
        elif self._engine_id is None:
            self._inside.send(message)
        else:
            raise self._refusal(report)

    def _hand_on(self, message: bytes, header: Header) -> None:
        access = self._access
        signed = access.auth is None or (
            header.engine_id == self._engine_id
            and is_signed(message, header, access.auth, self._key)
        )
        encrypted = access.priv is None or bool(header.flags & Flags.PRIV)
        if self._engine_id is not None and signed and encrypted:
            self._inside.send(message)
        else:
            self.dropped = "an answer was not signed and encrypted with the user's keys"

    def _refusal(self, report: Report) -> SnmpAuthError:
        # Reports are not signed, but for one; whoever forges them gains no more
        # than whoever drops the answer.
        access = self._access
        words = _REASONS[report].format(auth=access.auth, priv=access.priv, level=access.level)
        text = f"the agent refuses user {access.user.name!r}: {words}"
        return SnmpEngineError(text) if report in _CHANGED else SnmpAuthError(text)

    def close(self) -> None:
        """Close both sockets; gufo closes its own."""
        self._network.close()
        self._inside.close()
