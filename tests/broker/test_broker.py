"""The embedded broker, driven by paho-mqtt over real sockets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from campuswatch.broker.connection import Login
from campuswatch.broker.service import Broker
from tests.servers import wait_until

DATA = "campus/v1/district/school/agent/data"
SHARED = "$share/collectors/campus/v1/district/+/+/data"


class Client:
    """A paho client that notes what it gets, and acknowledges only when told."""

    def __init__(
        self,
        port: int,
        name: str,
        *,
        clean_start: bool = True,
        expiry: int = 0,
        receive_maximum: int = 100,
        login: tuple[str, str] | None = None,
        will: str | None = None,
    ) -> None:
        self.received: list[paho.MQTTMessage] = []
        self.acknowledged: dict[int, ReasonCode] = {}
        self.connected: list[ReasonCode] = []
        self.session_present = False
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, name, protocol=paho.MQTTv5, manual_ack=True
        )
        self._client.on_message = lambda _client, _data, message: self.received.append(message)
        self._client.on_publish = self._on_publish
        self._client.on_connect = self._on_connect
        if login is not None:
            self._client.username_pw_set(*login)
        if will is not None:
            self._client.will_set(will, b"gone", qos=1, retain=True)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = expiry
        properties.ReceiveMaximum = receive_maximum
        self._client.connect("127.0.0.1", port, clean_start=clean_start, properties=properties)
        self._client.loop_start()
        wait_until(lambda: bool(self.connected), f"{name} to connect")

    def _on_connect(
        self,
        _client: paho.Client,
        _data: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.session_present = flags.session_present
        self.connected.append(reason)

    def _on_publish(
        self,
        _client: paho.Client,
        _data: object,
        mid: int,
        reason: ReasonCode,
        _properties: Properties,
    ) -> None:
        self.acknowledged[mid] = reason

    def subscribe(self, pattern: str) -> None:
        done = threading.Event()
        self._client.on_subscribe = lambda *_arguments: done.set()
        self._client.subscribe(pattern, qos=1)
        assert done.wait(5)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        properties.UserProperty = [("seq", "7")]
        return self._client.publish(topic, payload, 1, retain, properties).mid

    def payloads(self) -> list[bytes]:
        return [bytes(message.payload) for message in self.received]

    def acknowledge(self, count: int) -> None:
        for message in self.received[:count]:
            self._client.ack(message.mid, message.qos)
        del self.received[:count]

    def vanish(self) -> None:
        """Drop the connection as a killed process does; paho has no public way."""
        self._client._sock_close()
        self._client.loop_stop()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def make_broker() -> Iterator[Callable[[Login | None], int]]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    brokers: list[Broker] = []

    def make(login: Login | None = None) -> int:
        broker = Broker("127.0.0.1", 0, login)
        asyncio.run_coroutine_threadsafe(broker.start(), loop).result(5)
        brokers.append(broker)
        return broker.port

    yield make
    for broker in brokers:
        asyncio.run_coroutine_threadsafe(broker.stop(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


@pytest.fixture
def port(make_broker: Callable[[Login | None], int]) -> int:
    return make_broker(None)


def test_a_publisher_is_answered_only_after_the_subscriber(port: int) -> None:
    collector = Client(port, "collector")
    collector.subscribe(SHARED)
    agent = Client(port, "agent")
    mid = agent.publish(DATA, b"a")
    wait_until(lambda: len(collector.received) == 1, "the message")
    assert mid not in agent.acknowledged
    properties = collector.received[0].properties
    assert properties is not None
    assert properties.json()["UserProperty"] == [("seq", "7")]  # type: ignore[no-untyped-call]
    collector.acknowledge(1)
    wait_until(lambda: mid in agent.acknowledged, "the acknowledgement")
    assert agent.acknowledged[mid] == 0
    collector.close()
    agent.close()


def test_nobody_listening_is_said_so(port: int) -> None:
    agent = Client(port, "agent")
    mid = agent.publish(DATA, b"a")
    wait_until(lambda: mid in agent.acknowledged, "the acknowledgement")
    assert agent.acknowledged[mid].getName() == "No matching subscribers"
    agent.close()


def test_no_more_than_the_receive_maximum_is_in_flight(port: int) -> None:
    collector = Client(port, "collector", receive_maximum=3)
    collector.subscribe(SHARED)
    agent = Client(port, "agent")
    for number in range(10):
        agent.publish(DATA, b"%d" % number)
    wait_until(lambda: len(collector.received) == 3, "three messages")
    collector.acknowledge(1)
    wait_until(lambda: len(collector.received) == 3, "a fourth message")
    assert collector.payloads() == [b"1", b"2", b"3"]
    collector.close()
    agent.close()


def test_what_a_dead_collector_held_goes_to_its_sibling(port: int) -> None:
    first = Client(port, "first", clean_start=False, expiry=600)
    first.subscribe(SHARED)
    agent = Client(port, "agent")
    mids = [agent.publish(DATA, b"%d" % number) for number in range(5)]
    wait_until(lambda: len(first.received) == 5, "five messages")
    second = Client(port, "second")
    second.subscribe(SHARED)
    first.vanish()
    wait_until(lambda: len(second.received) == 5, "five messages again")
    assert second.payloads() == [b"0", b"1", b"2", b"3", b"4"]
    assert all(message.dup for message in second.received)
    second.acknowledge(5)
    wait_until(lambda: set(mids) <= agent.acknowledged.keys(), "all acknowledgements")
    second.close()
    agent.close()


def test_a_group_whose_members_are_all_away_keeps_its_publishers_waiting(port: int) -> None:
    collector = Client(port, "collector", clean_start=False, expiry=600)
    collector.subscribe(SHARED)
    collector.vanish()
    agent = Client(port, "agent")
    mid = agent.publish(DATA, b"a")
    back = Client(port, "collector", clean_start=False, expiry=600)
    assert back.session_present
    wait_until(lambda: len(back.received) == 1, "the message")
    assert mid not in agent.acknowledged
    back.acknowledge(1)
    wait_until(lambda: mid in agent.acknowledged, "the acknowledgement")
    back.close()
    agent.close()


def test_members_of_a_group_take_turns(port: int) -> None:
    members = [Client(port, f"member-{number}") for number in range(2)]
    for member in members:
        member.subscribe(SHARED)
    agent = Client(port, "agent")
    for number in range(10):
        agent.publish(DATA, b"%d" % number)
    wait_until(lambda: sum(len(member.received) for member in members) == 10, "ten messages")
    assert [len(member.received) for member in members] == [5, 5]
    for client in (*members, agent):
        client.close()


def test_a_retained_message_and_a_will_reach_who_comes_later(port: int) -> None:
    agent = Client(port, "agent", will="status/agent")
    agent.publish("status/agent", b"here", retain=True)
    watcher = Client(port, "watcher")
    watcher.subscribe("status/+")
    wait_until(lambda: watcher.payloads() == [b"here"], "the retained message")
    agent.vanish()
    wait_until(lambda: watcher.payloads() == [b"here", b"gone"], "the will")
    late = Client(port, "late")
    late.subscribe("status/+")
    wait_until(lambda: late.payloads() == [b"gone"], "the retained will")
    assert late.received[0].retain
    for client in (watcher, late):
        client.close()


def test_a_client_that_comes_twice_takes_its_session_over(port: int) -> None:
    old = Client(port, "collector", clean_start=False, expiry=600)
    old.subscribe(SHARED)
    new = Client(port, "collector", clean_start=False, expiry=600)
    assert new.session_present
    agent = Client(port, "agent")
    agent.publish(DATA, b"a")
    wait_until(lambda: len(new.received) == 1, "the message")
    assert old.received == []
    for client in (agent, new):
        client.close()
    old.vanish()


def test_only_the_right_password_is_let_in(
    make_broker: Callable[[Login | None], int],
) -> None:
    port = make_broker(Login("campus", "secret"))
    right = Client(port, "right", login=("campus", "secret"))
    assert right.connected[0] == 0
    right.close()
    for login in (None, ("campus", "wrong"), ("other", "secret")):
        wrong = Client(port, "wrong", login=login)
        assert wrong.connected[0].getName() == "Bad user name or password"
        wrong.vanish()


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 8,
        b"\xff" * 64,
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x10\x0c\x00\x04MQTT\x04\x02\x00<\x00\x00",
        b"\x30\xff\xff\xff\x7f",
    ],
    ids=["zeros", "ones", "http", "mqtt-3.1.1", "publish-before-connect"],
)
async def test_garbage_closes_its_own_connection_only(port: int, garbage: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(garbage)
    writer.write_eof()
    async with asyncio.timeout(5):
        await reader.read()
    writer.close()
    client = Client(port, "fine")
    assert client.connected[0] == 0
    client.close()
