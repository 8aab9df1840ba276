"""Polling one device: readings, rates, what is read again and when, and failures."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pysnmp.proto.api import v2c

from campuswatch.errors import UserError
from campuswatch.readings import FieldValue, Reading
from edge_agents.sources.base import PolledSource
from edge_agents.sources.reachability import PingSource
from edge_agents.sources.snmp import ProfileRegistry, polled_source
from tests.edge_agents.snmp.agents import UPTIME, Request, oid, running_agent
from tests.edge_agents.snmp.devices import by_measurement, device, district, source
from tests.edge_agents.snmp.switches import (
    IF,
    IFX,
    OBJECT_ID,
    TABLE_CHANGED,
    Switch,
    running_switch,
)
from tests.servers import Server, free_port


@pytest.fixture
def switch() -> Iterator[Switch]:
    with running_switch(ports=2) as made:
        yield made


@pytest.fixture
def polled(switch: Switch, profiles: ProfileRegistry) -> PolledSource:
    return source(device(switch.agent.port, ping=False), profiles)


async def ports(asked: PolledSource) -> dict[str, dict[str, FieldValue]]:
    readings = by_measurement(await asked.poll()).get("interface", [])
    return {port.tags["interface"]: dict(port.fields) for port in readings}


async def up(asked: PolledSource) -> Reading:
    (reading,) = by_measurement(await asked.poll())["availability"]
    return reading


async def step() -> None:
    """Let enough time pass for a rate."""
    await asyncio.sleep(0.15)


async def test_net_snmp(net_snmp: Server, profiles: ProfileRegistry) -> None:
    asked = source(device(net_snmp.port), profiles)
    readings = by_measurement(await asked.poll())
    await asked.close()
    (available,) = readings["availability"]
    assert available.fields["up"] == available.fields["icmp_up"] == 1
    assert available.fields["service_up"] == 1
    names = {port.tags["interface"] for port in readings["interface"]}
    assert names == {name for _, name in socket.if_nameindex()}
    (info,) = readings["device_info"]
    assert info.fields["name"] == "snmpd-under-test"
    assert info.fields["location"] == "三楼机房"
    assert info.fields["profile"] == "net-snmp"
    (memory,) = [s for s in readings["storage"] if s.tags["storage"] == "Physical memory"]
    assert memory.fields["size"] == _memory()
    assert len({reading.time for group in readings.values() for reading in group}) == 1


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


async def test_a_port(switch: Switch, polled: PolledSource) -> None:
    port = (await ports(polled))["GE0/0/1"]
    assert port == {
        "index": 1,
        "type": 6,
        "alias": "to room 1",
        "description": "Ethernet port 1",
        "admin_state": 1,
        "oper_state": 1,
        "speed": 1_000_000_000,
        "since_change": 999.0,
    }


async def test_what_a_device_says_of_itself_may_have_gaps(
    switch: Switch, polled: PolledSource
) -> None:
    switch.mib[oid("1.3.6.1.2.1.1.5.0")] = v2c.OctetString("core")  # but no sysContact
    (info,) = by_measurement(await polled.poll())["device_info"]
    assert info.fields == {
        "name": "core",
        "description": "A switch",
        "object_id": "1.3.6.1.4.1.2011.2.23.1",
        "profile": "huawei",
        "vendor": "Huawei",
        "uptime": 1000.0,
    }


async def test_a_cleared_alias_is_news(switch: Switch, polled: PolledSource) -> None:
    await ports(polled)
    switch.set(f"{IFX}.18", 1, v2c.OctetString(""))
    switch.mib[TABLE_CHANGED] = v2c.TimeTicks(6)
    assert (await ports(polled))["GE0/0/1"]["alias"] == ""


async def test_a_port_that_comes_back_begins_anew(switch: Switch, polled: PolledSource) -> None:
    await ports(polled)
    rows = {name: value for name, value in switch.mib.items() if name[-1] == 2}
    for name in rows:
        del switch.mib[name]
    assert (await ports(polled)).keys() == {"GE0/0/1"}
    switch.mib.update(rows)
    await step()
    assert "in_rate" not in (await ports(polled))["GE0/0/2"]


async def test_what_was_read_before_a_failure_is_told_after_it(
    switch: Switch, profiles: ProfileRegistry
) -> None:
    asked = source(device(switch.agent.port, ping=False, timeout="100ms", retries=0), profiles)

    def loses_the_errors(request: Request) -> list[bytes]:
        lost = request.repetitions and tuple(request.pdu[3][0][0])[:11] == oid(f"{IF}.14")
        return [] if lost else [request.answer()]

    switch.agent.behaviour = loses_the_errors
    assert await ports(asked) == {}
    switch.agent.behaviour = lambda request: [request.answer()]
    assert (await ports(asked))["GE0/0/1"]["alias"] == "to room 1"


async def test_a_rate_is_what_was_counted_in_the_time(switch: Switch, polled: PolledSource) -> None:
    began = time.monotonic()
    await ports(polled)
    first = time.monotonic()
    await step()
    switch.count(1, 1_000_000)
    second = time.monotonic()
    port = (await ports(polled))["GE0/0/1"]
    ended = time.monotonic()
    in_rate, share = port["in_rate"], port["in_utilisation"]
    assert isinstance(in_rate, float)
    assert 8e6 / (ended - began) <= in_rate <= 8e6 / (second - first)
    assert share == pytest.approx(in_rate / 1e9 * 100)


async def test_no_rate_across_a_restart(switch: Switch, polled: PolledSource) -> None:
    switch.count(1, 1000)
    await ports(polled)
    await step()
    switch.mib[UPTIME] = v2c.TimeTicks(50)
    switch.count(1, 2000)
    assert "in_rate" not in (await ports(polled))["GE0/0/1"]
    await step()
    switch.count(1, 3000)
    assert (await ports(polled))["GE0/0/1"]["in_rate"] > 0  # type: ignore[operator]


async def test_no_rate_across_a_discontinuity_of_that_port(
    switch: Switch, polled: PolledSource
) -> None:
    await ports(polled)
    await step()
    switch.set(f"{IFX}.19", 1, v2c.TimeTicks(4711))
    seen = await ports(polled)
    assert "in_rate" not in seen["GE0/0/1"]
    assert seen["GE0/0/2"]["in_rate"] == 0


async def test_a_rate_above_the_speed_is_dropped_and_counted(
    switch: Switch, polled: PolledSource
) -> None:
    await ports(polled)
    await step()
    switch.count(1, 10**15)
    readings = by_measurement(await polled.poll())
    (port,) = [p for p in readings["interface"] if p.tags["interface"] == "GE0/0/1"]
    assert "in_rate" not in port.fields
    assert readings["device_info"][0].fields["rates_dropped"] == 1


async def test_32_bit_counters_serve_where_there_are_no_others(
    switch: Switch, polled: PolledSource
) -> None:
    switch.mib.pop((*oid(f"{IFX}.6"), 2))
    switch.set(f"{IFX}.15", 2, v2c.Gauge32(10))
    switch.set(f"{IF}.10", 2, v2c.Counter32(2**32 - 500))
    await ports(polled)
    await step()
    switch.set(f"{IF}.10", 2, v2c.Counter32(500))
    seen = await ports(polled)
    assert seen["GE0/0/2"]["in_rate"] > 0  # type: ignore[operator]
    assert seen["GE0/0/1"]["in_rate"] == 0


async def test_ports_of_one_name_are_told_apart(switch: Switch, polled: PolledSource) -> None:
    switch.add_port(7, "GE0/0/1")
    assert (await ports(polled)).keys() == {"GE0/0/1#1", "GE0/0/1#7", "GE0/0/2"}


async def test_names_are_read_again_only_when_the_table_changed(
    switch: Switch, polled: PolledSource
) -> None:
    await ports(polled)
    assert switch.asked_for(f"{IFX}.18")
    await ports(polled)
    assert not switch.asked_for(f"{IFX}.18")
    switch.set(f"{IFX}.18", 1, v2c.OctetString("to the library"))
    switch.mib[TABLE_CHANGED] = v2c.TimeTicks(6)
    assert (await ports(polled))["GE0/0/1"]["alias"] == "to the library"


async def test_a_new_port_has_its_name_at_once(switch: Switch, polled: PolledSource) -> None:
    await ports(polled)
    switch.add_port(3, "GE0/0/3")
    assert (await ports(polled)).keys() == {"GE0/0/1", "GE0/0/2", "GE0/0/3"}


async def test_another_device_at_the_address_gets_its_own_profile(
    switch: Switch, polled: PolledSource
) -> None:
    first = by_measurement(await polled.poll())["device_info"][0]
    switch.mib[OBJECT_ID] = v2c.ObjectIdentifier("1.3.6.1.4.1.25506.1.1")
    second = by_measurement(await polled.poll())["device_info"][0]
    assert (first.fields["vendor"], second.fields["vendor"]) == ("Huawei", "H3C")


async def test_a_restarted_device_introduces_itself_again(
    switch: Switch, polled: PolledSource
) -> None:
    await polled.poll()
    switch.mib[oid("1.3.6.1.2.1.1.1.0")] = v2c.OctetString("A switch, upgraded")
    switch.mib[UPTIME] = v2c.TimeTicks(50)
    (info,) = by_measurement(await polled.poll())["device_info"]
    assert info.fields["description"] == "A switch, upgraded"


async def test_a_value_of_the_wrong_type_costs_no_more_than_itself(
    switch: Switch, polled: PolledSource
) -> None:
    switch.set(f"{IF}.7", 1, v2c.OctetString("yes"))
    port = (await ports(polled))["GE0/0/1"]
    assert "admin_state" not in port
    assert port["oper_state"] == 1


async def test_an_agent_that_stops_half_way_is_up_with_a_reason(
    switch: Switch, profiles: ProfileRegistry
) -> None:
    asked = source(device(switch.agent.port, ping=False, timeout="50ms", retries=0), profiles)

    def stops(request: Request) -> list[bytes]:
        return [] if request.repetitions else [request.answer()]

    switch.agent.behaviour = stops
    available = await up(asked)
    assert available.fields["up"] == available.fields["service_up"] == 1
    assert "stopped half-way" in str(available.fields["reason"])


async def test_no_agent_behind_a_device_that_answers_icmp(profiles: ProfileRegistry) -> None:
    available = await up(source(device(free_port()), profiles))
    assert available.fields["up"] == available.fields["icmp_up"] == 1
    assert available.fields["service_up"] == 0
    assert str(available.fields["reason"]).startswith("answers ICMP but not SNMP: nothing listens")


async def test_a_name_that_does_not_resolve(profiles: ProfileRegistry) -> None:
    available = await up(source(device(161, address="sw.invalid"), profiles))
    assert available.fields["up"] == 0
    assert available.fields["reason"] == "host name 'sw.invalid' does not resolve"


async def test_a_silent_device_delays_no_other(
    switch: Switch, polled: PolledSource, profiles: ProfileRegistry
) -> None:
    with ExitStack() as stack:
        agents = [stack.enter_context(running_agent({}, lambda _: [])) for _ in range(3)]
        silent = [
            asyncio.create_task(
                source(device(agent.port, ping=False, timeout="60s"), profiles).poll()
            )
            for agent in agents
        ]
        live = asyncio.create_task(polled.poll())
        done, _ = await asyncio.wait([live, *silent], return_when=asyncio.FIRST_COMPLETED)
        assert done == {live}
        for task in silent:
            task.cancel()
        await asyncio.wait(silent)


async def test_a_device_comes_back(switch: Switch, profiles: ProfileRegistry) -> None:
    asked = source(device(switch.agent.port, ping=False, timeout="100ms", retries=0), profiles)
    switch.agent.behaviour = lambda _: []
    assert (await up(asked)).fields["up"] == 0
    switch.agent.behaviour = lambda request: [request.answer()]
    assert (await up(asked)).fields["up"] == 1


def test_the_source_of_a_device(profiles: ProfileRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("C", "public")
    known = district({"version": "2c", "community": "env:C"})
    mqtt = [{"topic": "a/b", "mapping": "m"}]
    assert polled_source(device(161, address=None, snmp=None, mqtt=mqtt), known, profiles) is None
    assert isinstance(polled_source(device(161, snmp=None), known, profiles), PingSource)
    assert polled_source(device(161, snmp=None, ping=False), known, profiles) is None
    with pytest.raises(UserError, match=r"sw-1.*profile 'nokia'"):
        polled_source(device(161, profile="nokia"), known, profiles)
    with pytest.raises(UserError, match=r"sw-1.*'other'"):
        polled_source(device(161, snmp="other"), known, profiles)
    monkeypatch.delenv("C")
    with pytest.raises(UserError, match=r"sw-1.*C is not set"):
        polled_source(device(161), known, profiles)


async def test_what_is_read_in_several_forms_is_asked_for_once(
    switch: Switch, polled: PolledSource
) -> None:
    neighbours = "1.0.8802.1.1.2.1.4.1.1"
    chassis = oid(f"{neighbours}.5")
    switch.mib[*oid(f"{neighbours}.4"), 0, 1, 1] = v2c.Integer32(4)
    switch.mib[*chassis, 0, 1, 1] = v2c.OctetString(hexValue="001a2b3c4d5e")
    readings = by_measurement(await polled.poll())
    assert readings["neighbour"][0].fields["chassis"] == "00:1a:2b:3c:4d:5e"
    walks = [
        request
        for request in switch.agent.requests
        if request.repetitions and tuple(request.pdu[3][0][0]) == chassis
    ]
    assert len(walks) == 1
