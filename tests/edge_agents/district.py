"""The district's end of an uplink: a subscriber that writes down what arrives."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from campuswatch.wire import AgentAddress, Batch, Channel, read_batch, subscription
from tests.servers import wait_until

ADDRESS = AgentAddress("demo", "north", "north-1")


class District:
    """Subscribes as a collector does, with a session that outlives its connection."""

    def __init__(self, port: int, *, receive_maximum: int = 65535) -> None:
        self.batches: list[Batch] = []
        self.published: Counter[int] = Counter()
        self.statuses: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._port = port
        self._receive_maximum = receive_maximum
        self._client = self._new_client()

    def _new_client(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, "district", protocol=MQTTv5)
        client.reconnect_delay_set(1, 1)
        client.on_connect = self._subscribe
        client.on_message = self._receive
        return client

    def connect(self) -> None:
        """Connect, and return once subscribed."""
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
        properties.ReceiveMaximum = self._receive_maximum
        self._client.connect("127.0.0.1", self._port, clean_start=False, properties=properties)
        self._client.loop_start()
        assert subscribed.wait(10)

    def disconnect(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self._client = self._new_client()

    def _subscribe(self, client: Client, *_: object) -> None:
        client.subscribe(
            [
                (subscription("demo", Channel.DATA, "collectors"), 1),
                (subscription("demo", Channel.STATUS), 1),
            ]
        )

    def _receive(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        with self._lock:
            if message.topic.endswith("/status"):
                self.statuses.append(json.loads(message.payload))
                return
            properties: Any = message.properties
            batch = read_batch(
                bytes(message.payload), properties.ContentType, properties.UserProperty
            )
            self.batches.append(batch)
            if not message.dup:  # a broker marks what it delivers again (MQTT 5, 3.3.1.1)
                self.published[batch.seq] += 1

    def seqs(self) -> list[int]:
        with self._lock:
            return [batch.seq for batch in self.batches]

    def lines(self) -> list[bytes]:
        with self._lock:
            return [line for batch in self.batches for line in batch.lines.splitlines()]

    def await_batches(self, seqs: range) -> None:
        wait_until(lambda: set(seqs) <= set(self.seqs()), f"batches {seqs}")

    def await_status(self, **expected: object) -> None:
        wait_until(
            lambda: any(expected.items() <= status.items() for status in self.statuses[-1:]),
            f"status {expected}",
        )


@contextlib.contextmanager
def district(port: int, *, receive_maximum: int = 65535) -> Iterator[District]:
    there = District(port, receive_maximum=receive_maximum)
    there.connect()
    try:
        yield there
    finally:
        there.disconnect()
