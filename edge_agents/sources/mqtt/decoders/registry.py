"""Finds the decoders that are installed, and makes those that an inventory asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import entry_points

from campuswatch.inventory import models
from campuswatch.inventory.decoder_checks import AUTO, DECODERS
from edge_agents.sources.mqtt.decoded import Site
from edge_agents.sources.mqtt.decoders.auto import AutoDecoder
from edge_agents.sources.mqtt.decoders.base import Decoder
from edge_agents.sources.mqtt.decoders.mapping import MappingDecoder


@lru_cache
def installed() -> Mapping[str, type[Decoder]]:
    """Return every decoder by name, also those of third parties."""
    points = sorted(entry_points(group=DECODERS), key=lambda point: point.name)
    return {point.name: point.load() for point in points}


def decoders_of(
    device: models.Device, site: Site, mappings: Mapping[str, models.Mapping]
) -> Iterator[Decoder]:
    """Yield what reads a device's messages.

    Raises:
        units.UnitError: a mapping's unit does not convert to its field's.
    """
    for address in device.mqtt:
        if address.mapping is not None:
            yield MappingDecoder(device, address, site, mappings[address.mapping])
        elif address.decoder == AUTO:
            yield AutoDecoder(device, address, site, installed().values())
        elif address.decoder is not None:
            yield installed()[address.decoder](device, address, site)
