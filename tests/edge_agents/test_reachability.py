"""Availability: by ICMP, by the device's own protocol, and why not."""

from __future__ import annotations

import datetime as dt

import pytest

from campuswatch.inventory.models import Device, DeviceKind
from edge_agents.sources.reachability import (
    Echo,
    Pinger,
    PingSource,
    Service,
    UnresolvableError,
    availability,
    resolve,
)

REFUSED = "fe80::1"
"""A link-local address without a link, to which the kernel itself sends nothing."""


def pinged(address: str) -> PingSource:
    device = Device(
        id="ap-1",
        name="AP",
        kind=DeviceKind.AP,
        room="lab",
        address=address,
        timeout=dt.timedelta(milliseconds=500),
    )
    return PingSource(device, address, Pinger())


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
async def test_the_loopback_is_up(address: str) -> None:
    (reading,) = await pinged(address).poll()
    assert reading.measurement == "availability"
    assert reading.tags == {"device": "ap-1", "room": "lab"}
    assert reading.fields["up"] == reading.fields["icmp_up"] == 1
    assert reading.fields["loss"] == 0
    rtt = reading.fields["rtt"]
    assert isinstance(rtt, float)
    assert 0 < rtt < 1
    assert "reason" not in reading.fields


async def test_what_can_not_be_sent_to_is_down() -> None:
    (reading,) = await pinged(REFUSED).poll()
    assert reading.fields["up"] == 0
    assert reading.fields["loss"] == 100
    assert reading.fields["reason"] == "no ICMP echo"
    assert "rtt" not in reading.fields


async def test_a_name_without_an_address_is_the_reason() -> None:
    (reading,) = await pinged("sw.invalid").poll()
    assert reading.fields["up"] == 0
    assert reading.fields["reason"] == "host name 'sw.invalid' does not resolve"


@pytest.mark.parametrize("host", ["sw.invalid", "a b", "x" * 300, "ä" * 70])
async def test_no_name_is_more_than_unresolvable(host: str) -> None:
    with pytest.raises(UnresolvableError):
        await resolve(host)


HEARD, LOST = Echo(0.001, 0.0), Echo(None, 100.0)
ANSWERED = Service("SNMP", 0.01, "")
SILENT = Service("SNMP", None, "no answer within 2 s")


@pytest.mark.parametrize(
    ("echo", "service", "up", "reason"),
    [
        (HEARD, ANSWERED, 1, None),
        (LOST, ANSWERED, 1, None),
        (None, ANSWERED, 1, None),
        (HEARD, SILENT, 1, "answers ICMP but not SNMP: no answer within 2 s"),
        (LOST, SILENT, 0, "no ICMP echo and no SNMP answer: no answer within 2 s"),
        (None, SILENT, 0, "no SNMP answer: no answer within 2 s"),
        (HEARD, None, 1, None),
        (LOST, None, 0, "no ICMP echo"),
        (HEARD, Service("SNMP", 0.01, "SNMP stopped"), 1, "SNMP stopped"),
    ],
)
def test_up_and_why_not(
    echo: Echo | None, service: Service | None, up: int, reason: str | None
) -> None:
    reading = availability({"device": "sw-1"}, 60.0, 1, echo=echo, service=service)
    assert reading.fields["up"] == up
    assert reading.fields.get("reason") == reason
    assert reading.fields.get("service_up") == (
        None if service is None else int(service.time is not None)
    )
