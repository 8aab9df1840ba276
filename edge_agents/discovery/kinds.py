"""Guessing what kind of device it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from campuswatch.inventory.models import DeviceKind
from edge_agents.discovery.probe import Found, Traits

_BRIDGE, _ACCESS_POINT, _ROUTER = 32, 16, 8
"""LldpSystemCapabilitiesMap (IEEE 802.1AB), its first octet."""
_LAYER_2, _LAYER_3, _LAYER_7 = 2, 4, 64
"""sysServices (RFC 3418): 2 to the power of the layer below."""

_WORDS: Final = (
    (DeviceKind.UPS, r"\bups\b|uninterruptible|smart-ups"),
    (DeviceKind.PROJECTOR, r"projector|投影"),
    (DeviceKind.PRINTER, r"printer|laserjet|打印"),
    (
        DeviceKind.WLAN_CONTROLLER,
        r"(wireless|wlan|mobility) (lan |switch )?controller|\bwlc\b|\bac6\d{3}|\bwx\d{4}",
    ),
    (
        DeviceKind.AP,
        r"access point|airengine|\bap\d{3,4}|aironet|\bwa\d{4}|unifi ap|\buap\b|无线接入",
    ),
    (
        DeviceKind.ROUTER,
        r"\brouter\b|routeros|firewall|gateway\b|\bar\d{3,4}\b|\bmsr\d{2,4}|\busg\d|\bfortigate",
    ),
    (DeviceKind.SWITCH, r"switch\b|\bs\d{4}[a-z]?-|catalyst|交换机"),
    (DeviceKind.SENSOR, r"sensorprobe|environmental|thermometer"),
    (DeviceKind.DISPLAY, r"interactive (flat )?(panel|display)|signage"),
)
"""Words of sysDescr; the first kind whose words are there counts."""
_PATTERNS: Final = tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in _WORDS)


def guess(found: Found, heard: Iterable[int]) -> DeviceKind:
    """Return the kind that a device most likely is.

    What it has the MIB of decides first; then its words, in which makers are
    clearer than in numbers; then what it does by LLDP, its own word or its
    neighbours'; then sysServices.

    Args:
        found: the device.
        heard: what its neighbours hear that it does, as the catalogue's
            `neighbour.capabilities`.
    """
    traits = found.traits
    if traits.ups:
        return DeviceKind.UPS
    if traits.printer:
        return DeviceKind.PRINTER
    words = f"{found.description} {found.said('model')} {found.profile.title}"
    for kind, pattern in _PATTERNS:
        if pattern.search(words):
            return kind
    capabilities = traits.capabilities or max(heard, default=0)
    return _by_capabilities(capabilities) or _by_services(traits)


def _by_capabilities(capabilities: int) -> DeviceKind | None:
    if capabilities & _ACCESS_POINT:
        return DeviceKind.AP
    if capabilities & _BRIDGE:
        return DeviceKind.SWITCH
    return DeviceKind.ROUTER if capabilities & _ROUTER else None


def _by_services(traits: Traits) -> DeviceKind:
    services = traits.services or 0
    if traits.host or services & _LAYER_7:
        return DeviceKind.SERVER
    if services & _LAYER_2:
        return DeviceKind.SWITCH
    return DeviceKind.ROUTER if services & _LAYER_3 else DeviceKind.GATEWAY
