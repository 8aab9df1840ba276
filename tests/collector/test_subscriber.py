"""What is acknowledged is gone, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from campuswatch.settings import BrokerSettings
from campuswatch.wire import AgentAddress
from collector.subscriber import Message, Subscriber
from tests.collector.installation import Publisher
from tests.servers import Server, wait_until


@contextlib.contextmanager
def subscribed(broker: Server) -> Iterator[tuple[Subscriber, list[Message]]]:
    messages: list[Message] = []
    failures: list[Exception] = []
    subscriber = Subscriber(
        BrokerSettings(url=f"mqtt://127.0.0.1:{broker.port}"),
        "collector-c1",
        "$share/collectors/campus/v1/demo/+/+/data",
        durable=True,
        receive_maximum=100,
        receive=messages.append,
        fail=failures.append,
    )
    subscriber.start()
    try:
        wait_until(lambda: subscriber.ready, "the subscription")
        yield subscriber, messages
    finally:
        subscriber.stop()
    assert not failures


def await_seqs(messages: list[Message], *seqs: int) -> None:
    expected = [("seq", str(seq)) for seq in seqs]

    def arrived() -> list[tuple[str, str]]:
        return sorted(
            pair for each in messages for pair in each.user_properties if pair[0] == "seq"
        )

    wait_until(lambda: arrived() == expected, f"batches {seqs}")


def test_a_receipt_is_worth_nothing_on_the_next_connection(broker: Server) -> None:
    address = AgentAddress("demo", "north", "north-1")
    with subscribed(broker) as (subscriber, messages):
        publisher = Publisher(address, broker)
        publisher.send(3)
        await_seqs(messages, 1, 2, 3)
        publisher.close()
        old = [message.receipt for message in messages]
        messages.clear()
        broker.stop()
        broker.start()
        # The broker sends them again, with the packet identifiers they had.
        await_seqs(messages, 1, 2, 3)
        assert [receipt.packet for receipt in old] == [each.receipt.packet for each in messages]
        subscriber.acknowledge(old)
        subscriber.acknowledge([messages[0].receipt])
    with subscribed(broker) as (_, messages):
        await_seqs(messages, 2, 3)
