"""What the simulated devices publish is what the agent's mappings read."""

import pytest

from campuswatch.inventory.models import Device, Inventory
from edge_agents.sources.mqtt.decoding import Decoder, parse
from simulator.payloads import Payloads
from simulator.rooms import Rooms
from simulator.world import World
from tests.simulator.districts import example

NOW = 1_795_500_000.0
INVENTORY = example()
DEVICES = [device for school in INVENTORY.schools for device in school.devices if device.mqtt]


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.id)
def test_every_field_arrives_as_it_was_meant(device: Device) -> None:
    world = World(INVENTORY, seed=1, started=NOW)
    rooms = Rooms(world)
    messages = list(Payloads(INVENTORY.mappings, rooms).messages(device, NOW))
    assert messages
    for entry in device.mqtt:
        mapping = next(m for m in INVENTORY.mappings if m.id == entry.mapping)
        decoder = _decoder(INVENTORY, device, entry.topic, entry.mapping)
        meant = rooms.values(device, mapping.measurement, NOW)
        read = [
            decoder.decode(topic, parse(payload), int(NOW * 1e9)).reading
            for topic, payload in messages
            if _matches(entry.topic, topic)
        ]
        assert read
        for reading, values in zip(read, meant, strict=False):
            assert reading is not None
            assert set(reading.fields) == set(mapping.fields)
            for name, value in reading.fields.items():
                if not isinstance(value, str):
                    assert value == pytest.approx(float(values[name]), rel=2e-3, abs=1e-2)


def _matches(topic_filter: str, topic: str) -> bool:
    levels = zip(topic_filter.split("/"), topic.split("/"), strict=False)
    return all(wanted in ("+", level) for wanted, level in levels)


def _decoder(inventory: Inventory, device: Device, topic: str, mapping: str) -> Decoder:
    found = next(m for m in inventory.mappings if m.id == mapping)
    return Decoder(found, device, topic, inventory.zone_of(inventory.schools[0]))
