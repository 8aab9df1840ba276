"""What the simulated devices publish is what the agent's decoders read."""

from __future__ import annotations

import pytest

from campuswatch.inventory.models import Device
from campuswatch.readings import Reading
from edge_agents.sources.mqtt.decoded import Site
from edge_agents.sources.mqtt.decoders.registry import decoders_of, installed
from edge_agents.sources.mqtt.messages import Message
from edge_agents.sources.mqtt.routes import Routes
from simulator.payloads import Payloads
from simulator.rooms import Rooms
from simulator.world import World
from tests.simulator.districts import example

NOW = 1_795_500_000.0
INVENTORY = example()
DEVICES = [device for school in INVENTORY.schools for device in school.devices if device.mqtt]


def read(device: Device, rooms: Rooms) -> list[Reading]:
    """Return the readings of one round of a device's messages, as an agent makes them."""
    site = Site(INVENTORY.zone_of(INVENTORY.schools[0]))
    mappings = {mapping.id: mapping for mapping in INVENTORY.mappings}
    routes = Routes()
    for decoder in decoders_of(device, site, mappings):
        for topic in decoder.topics:
            routes.add(topic, decoder)
    found: list[Reading] = []
    for where, payload in Payloads(INVENTORY.mappings, rooms).messages(device, NOW):
        message = Message(where, payload, int(NOW * 1e9))
        for decoder in routes.listeners(message):
            decoded = decoder.decode(message)
            assert decoded.problems == ()
            found += decoded.readings
            for further in decoded.follow:
                routes.add(further, decoder)
    return found


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.id)
def test_every_field_arrives_as_it_was_meant(device: Device) -> None:
    rooms = Rooms(World(INVENTORY, seed=1, started=NOW))
    readings = [r for r in read(device, rooms) if r.measurement != "device_info"]
    assert readings
    for reading in readings:
        assert reading.tags["device"] == device.id
        meant = rooms.values(device, reading.measurement, NOW)
        values = next(m for m in meant if reading.tags.get("band", m.get("band")) == m.get("band"))
        for name, value in reading.fields.items():
            if name != "link_quality" and not isinstance(value, str):
                assert value == pytest.approx(float(values[name]), rel=5e-3, abs=0.6)


def test_every_ecosystem_is_in_the_example() -> None:
    used = {entry.decoder for device in DEVICES for entry in device.mqtt}
    assert used >= set(installed())
