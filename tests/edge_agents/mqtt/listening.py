"""A source that listens to a real broker, and devices that publish to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from campuswatch.readings import Reading
from edge_agents.sources.mqtt.source import LocalBrokerSource
from tests.edge_agents.waiting import until


class Taker:
    """Takes readings, and says that they are on the disk when it is told to."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._loop = asyncio.get_running_loop()

    def emit(self, readings: Iterable[Reading]) -> asyncio.Future[None]:
        self.readings += readings
        stored = self._loop.create_future()
        self._waiting.append(stored)
        return stored

    def store(self) -> None:
        for stored in self._waiting:
            stored.set_result(None)
        self._waiting.clear()

    def values(self, field: str) -> list[object]:
        return [r.fields[field] for r in self.readings if field in r.fields]


class Publisher:
    def __init__(self, port: int) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, "devices", protocol=MQTTv5)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def publish(self, topic: str, payload: object, *, retain: bool = False) -> None:
        raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(topic, raw, qos=1, retain=retain).wait_for_publish(10)

    def publish_all(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Publish, and return once the broker has all of them."""
        sent = [self._client.publish(topic, payload, qos=1) for topic, payload in messages]
        for each in sent:
            each.wait_for_publish(30)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.asynccontextmanager
async def listening(source: LocalBrokerSource, taker: Taker) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run(taker.emit))
    try:
        await until(lambda: source.listening_since() is not None, "the subscription")
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
