"""What the notifications that are known mean.

A notification is news and no state: what it says of a port or an access point
is written down as an event, and the poll that it calls for says what is so.

Sources: SNMPv2-MIB (RFC 3418), IF-MIB (RFC 2863), POWER-ETHERNET-MIB (RFC 3621),
AIRESPACE-WIRELESS-MIB (Cisco), WLSX-TRAP-MIB (Aruba), RUIJIE-AC-MGMT-MIB, and
for Huawei hwApFaultTrap and hwApNormalTrap of HUAWEI-WLAN-AP-MIB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge_agents.sources.snmp.session import Value
from edge_agents.sources.snmp.text import decode_text
from edge_agents.sources.snmp.traps.interfaces import InterfaceNames
from edge_agents.sources.snmp.traps.notification import Notification

CRITICAL: Final = 2
ERROR: Final = 3
WARNING: Final = 4
NOTICE: Final = 5
INFORMATIONAL: Final = 6

OTHER: Final = "other"
"""The kind of an event that is not known."""

_IF_INDEX: Final = "1.3.6.1.2.1.2.2.1.1"
_IF_DESCR: Final = "1.3.6.1.2.1.2.2.1.2"
_IF_ADMIN_STATUS: Final = "1.3.6.1.2.1.2.2.1.7"
_IF_OPER_STATUS: Final = "1.3.6.1.2.1.2.2.1.8"
_IF_NAME: Final = "1.3.6.1.2.1.31.1.1.1.1"
_PETH_PORT_STATUS: Final = "1.3.6.1.2.1.105.1.1.1.6"
_PETH_MAIN_POWER: Final = "1.3.6.1.2.1.105.1.3.1.1.4"
_BSN_AP_NAME: Final = "1.3.6.1.4.1.14179.2.2.1.1.3"
_BSN_TRAP_AP_MAC: Final = "1.3.6.1.4.1.14179.2.6.2.20"

_PETH_NOTIFICATIONS: Final = "1.3.6.1.2.1.105.0"
_PETH_PORT_ON_OFF: Final = f"{_PETH_NOTIFICATIONS}.1"
_LINK_DOWN: Final = "1.3.6.1.6.3.1.1.5.3"
_LINK_UP: Final = "1.3.6.1.6.3.1.1.5.4"


@dataclass(frozen=True)
class Event:
    """What a notification means.

    Attributes:
        kind: the `event` tag.
        severity: of RFC 5424.
        text: for people.
        interface: the port it concerns, "" if none.
        subject: the access point or the like it concerns, "" if none.
    """

    kind: str
    severity: int
    text: str
    interface: str = ""
    subject: str = ""


_PLAIN: Final[Mapping[str, Event]] = {
    "1.3.6.1.6.3.1.1.5.1": Event("cold-start", WARNING, "started anew"),
    "1.3.6.1.6.3.1.1.5.2": Event("warm-start", NOTICE, "restarted its management"),
    "1.3.6.1.6.3.1.1.5.5": Event(
        "authentication-failure", WARNING, "was asked with a wrong community or user"
    ),
    f"{_PETH_NOTIFICATIONS}.2": Event(
        "poe-power-high", WARNING, "delivers more PoE power than its threshold"
    ),
    f"{_PETH_NOTIFICATIONS}.3": Event(
        "poe-power-normal", NOTICE, "delivers less PoE power than its threshold again"
    ),
    "1.3.6.1.4.1.14179.2.6.3.7": Event("ap-joined", NOTICE, "an access point joined"),
    "1.3.6.1.4.1.14179.2.6.3.8": Event("ap-left", ERROR, "an access point left"),
    "1.3.6.1.4.1.14823.2.3.1.11.1.2.1040": Event("ap-joined", NOTICE, "an access point joined"),
    "1.3.6.1.4.1.14823.2.3.1.11.1.2.1041": Event("ap-left", ERROR, "an access point left"),
    "1.3.6.1.4.1.4881.1.1.10.2.56.6.2.13": Event("ap-joined", NOTICE, "an access point joined"),
    "1.3.6.1.4.1.4881.1.1.10.2.56.6.2.14": Event("ap-left", ERROR, "an access point left"),
    "1.3.6.1.4.1.2011.6.139.13.1.1.1": Event("ap-left", ERROR, "an access point left"),
    "1.3.6.1.4.1.2011.6.139.13.1.1.2": Event("ap-joined", NOTICE, "an access point joined"),
}

_DETECTION: Final[Mapping[int, tuple[str, int, str]]] = {
    1: ("poe-off", WARNING, "PoE is switched off"),
    2: ("poe-off", WARNING, "PoE delivers no power"),
    3: ("poe-on", NOTICE, "PoE delivers power"),
    4: ("poe-fault", ERROR, "PoE has a fault"),
    5: ("poe-off", NOTICE, "PoE is being tested"),
    6: ("poe-fault", ERROR, "PoE has a fault"),
}
"""By pethPsePortDetectionStatus."""


def understood(notification: Notification, device: str, interfaces: InterfaceNames) -> Event | None:
    """Return what a notification means; None if it is not known.

    Args:
        notification: as it was received.
        device: id of the device it is about.
        interfaces: names of its ports.
    """
    if notification.oid in (_LINK_DOWN, _LINK_UP):
        return _link(notification, device, interfaces)
    if notification.oid == _PETH_PORT_ON_OFF:
        return _poe(notification)
    event = _PLAIN.get(notification.oid) or _PLAIN.get(_without_zero(notification.oid))
    if event is None:
        return None
    subject = _subject(notification)
    text = f"{event.text}: {subject}" if subject else event.text
    return Event(event.kind, event.severity, text, subject=subject)


def _without_zero(oid: str) -> str:
    """Return what a notification is called whose MIB lacks the 0 that RFC 3584 (3.1) adds."""
    parts = oid.split(".")
    return ".".join((*parts[:-2], parts[-1])) if parts[-2:-1] == ["0"] else oid


def _link(notification: Notification, device: str, interfaces: InterfaceNames) -> Event:
    port = _interface(notification, device, interfaces)
    words = f"port {port}" if port else "a port"
    if notification.oid == _LINK_UP:
        return Event("link-up", NOTICE, f"{words} is up", interface=port)
    admin = notification.column(_IF_ADMIN_STATUS)
    if admin is not None and admin[1] == 2:
        return Event("link-down", NOTICE, f"{words} was switched off", interface=port)
    return Event("link-down", WARNING, f"{words} is down", interface=port)


def _interface(notification: Notification, device: str, interfaces: InterfaceNames) -> str:
    """Return the port as polling names it, else as the notification does, else its number."""
    index = ""
    for column in (_IF_INDEX, _IF_OPER_STATUS, _IF_ADMIN_STATUS, _IF_NAME, _IF_DESCR):
        if (found := notification.column(column)) is not None:
            index = found[0]
            break
    if index.isdigit() and (name := interfaces.name(device, int(index))):
        return name
    for column in (_IF_NAME, _IF_DESCR):
        if (found := notification.column(column)) and (name := _text(found[1])):
            return name
    return f"ifIndex {index}" if index else ""


def _poe(notification: Notification) -> Event:
    found = notification.column(_PETH_PORT_STATUS)
    index, status = found if found is not None else ("", 0)
    kind, severity, words = _DETECTION.get(
        status if isinstance(status, int) else 0, ("poe-off", WARNING, "PoE has changed")
    )
    port = f"PoE port {index}" if index else ""
    return Event(kind, severity, f"{words}: {port}" if port else words, subject=port)


def _subject(notification: Notification) -> str:
    if found := notification.column(_BSN_AP_NAME):
        return _text(found[1])
    if (found := notification.column(_PETH_MAIN_POWER)) and isinstance(found[1], int):
        return f"PoE group {found[0]}, {found[1]} W"
    found = notification.column(_BSN_TRAP_AP_MAC)
    return found[1].hex(":") if found and isinstance(found[1], bytes) else ""


def _text(value: Value) -> str:
    return decode_text(value) if isinstance(value, bytes) else str(value)
