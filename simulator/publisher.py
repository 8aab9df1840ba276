"""The small devices of the simulated schools, on their schools' MQTT brokers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from paho.mqtt.client import Client

from campuswatch.inventory.models import Device, LocalBroker, School
from campuswatch.mqtt import KEEPALIVE, broker_address, new_client
from campuswatch.settings import BrokerSettings
from simulator.noise import unit
from simulator.payloads import Payloads
from simulator.rooms import Rooms
from simulator.world import World


@dataclass(frozen=True)
class _Sender:
    device: Device
    client: Client
    offset: float


class Publisher:
    """Publishes for every MQTT device of a world, each at its own moment."""

    def __init__(self, world: World, interval: float) -> None:
        """Make the devices; nothing is sent before `run`.

        Args:
            world: says who is down.
            interval: seconds between two messages of one device.
        """
        self._rooms = Rooms(world)
        self._payloads = Payloads(world.inventory.mappings, self._rooms)
        self._interval = interval
        self._clients: dict[str, Client] = {}
        self._senders = [
            _Sender(
                device,
                self._client(_broker_of(school, device)),
                unit(world.seed, "offset", device.id) * interval,
            )
            for school in world.inventory.schools
            for device in school.devices
            if device.mqtt
        ]

    async def run(self) -> None:
        """Connect and publish until cancelled."""
        try:
            for client in self._clients.values():
                client.loop_start()
            await asyncio.gather(*(self._speak(sender) for sender in self._senders))
        finally:
            for client in self._clients.values():
                client.disconnect()
                client.loop_stop()

    async def _speak(self, sender: _Sender) -> None:
        await asyncio.sleep(sender.offset)
        while True:
            now = time.time()
            if self._rooms.reaches_broker(sender.device, now):
                for topic, payload in self._payloads.messages(sender.device, now):
                    sender.client.publish(topic, payload)
            await asyncio.sleep(self._interval - (now - sender.offset) % self._interval)

    def _client(self, broker: LocalBroker) -> Client:
        """Return the client for a broker; connects in the background, again and again."""
        if broker.url not in self._clients:
            settings = BrokerSettings(
                url=broker.url, username=broker.username, password=broker.password
            )
            client = new_client(settings, f"simulator-{len(self._clients)}")
            address = broker_address(broker.url)
            client.connect_async(address.host, address.port, KEEPALIVE)
            self._clients[broker.url] = client
        return self._clients[broker.url]


def _broker_of(school: School, device: Device) -> LocalBroker:
    agents: Sequence[LocalBroker] = [
        agent.broker
        for agent in school.agents
        if agent.id == school.agent_of(device) and agent.broker is not None
    ]
    return agents[0]
