"""Deliveries are handed out together, and known until they are settled."""

from __future__ import annotations

import threading

from collector.gathering import Delivery, Gathering
from collector.subscriber import Receipt


def delivery(number: int, lines: int = 10, connection: int = 0) -> Delivery:
    return Delivery(
        key=("topic", "stream", number),
        topic="topic",
        address=None,
        batch=None,
        lines=b"",
        count=lines,
        refusals=[],
        time=number,
        receipts=[Receipt(connection, number)],
    )


def put(gathering: Gathering, *deliveries: Delivery) -> None:
    for each in deliveries:
        gathering.put(each)


def test_a_write_is_full_at_its_size() -> None:
    gathering = Gathering(lines=25, delay=3600, deliveries=100)
    put(gathering, *(delivery(number) for number in range(1, 6)))
    assert [each.time for each in gathering.take()] == [1, 2]
    assert [each.time for each in gathering.take()] == [3, 4]


def test_a_large_delivery_goes_alone() -> None:
    gathering = Gathering(lines=25, delay=3600, deliveries=100)
    put(gathering, delivery(1, lines=1000), delivery(2))
    assert [each.time for each in gathering.take()] == [1]


def test_nothing_waits_longer_than_the_delay() -> None:
    gathering = Gathering(lines=10**6, delay=0.01, deliveries=100)
    put(gathering, delivery(1))
    assert [each.time for each in gathering.take()] == [1]


def test_it_does_not_wait_for_what_the_broker_will_not_send() -> None:
    gathering = Gathering(lines=10**6, delay=3600, deliveries=3)
    put(gathering, *(delivery(number) for number in range(1, 4)))
    assert [each.time for each in gathering.take()] == [1, 2, 3]


def test_a_message_sent_again_is_acknowledged_with_the_first() -> None:
    gathering = Gathering(lines=10, delay=3600, deliveries=100)
    put(gathering, delivery(1))
    taken = gathering.take()
    assert gathering.join(("topic", "stream", 1), Receipt(0, 7))  # an agent's repeat
    assert not gathering.join(("topic", "stream", 2), Receipt(0, 8))
    assert gathering.settle(taken) == [Receipt(0, 1), Receipt(0, 7)]
    assert not gathering.join(("topic", "stream", 1), Receipt(0, 9))


def test_receipts_of_a_lost_connection_do_not_pile_up() -> None:
    gathering = Gathering(lines=10, delay=3600, deliveries=100)
    put(gathering, delivery(1, connection=0))
    for connection in range(1, 100):
        assert gathering.join(("topic", "stream", 1), Receipt(connection, 5))
    assert gathering.settle(gathering.take()) == [Receipt(99, 5)]


def test_closing_lets_every_taker_go() -> None:
    gathering = Gathering(lines=10**6, delay=3600, deliveries=100)
    put(gathering, delivery(1))
    taken: list[list[Delivery]] = []
    threads = [threading.Thread(target=lambda: taken.append(gathering.take())) for _ in range(3)]
    for thread in threads:
        thread.start()
    gathering.close()
    for thread in threads:
        thread.join(10)
    assert taken == [[], [], []]
