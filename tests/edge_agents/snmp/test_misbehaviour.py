"""Agents that misbehave are survived and told apart."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pysnmp.proto.api import v2c

from campuswatch.readings import Reading
from edge_agents.sources.base import PolledSource
from edge_agents.sources.snmp import ProfileRegistry
from edge_agents.sources.snmp import session as sessions
from edge_agents.sources.snmp.errors import SnmpError, SnmpTimeoutError
from edge_agents.sources.snmp.faults import Fault
from edge_agents.sources.snmp.session import SYS_UP_TIME, GufoSession, Value
from tests.edge_agents.snmp.agents import (
    UPTIME,
    Agent,
    Behaviour,
    Oid,
    Request,
    behave,
    column,
    oid,
    running_agent,
)
from tests.edge_agents.snmp.devices import by_measurement, device, session, source, walked
from tests.edge_agents.snmp.switches import IF, IFX, Switch, running_switch

CORPUS = Path(__file__).parent / "corpus"
OCTETS = oid(f"{IFX}.6")
PORTS = 6
TOO_BIG = 1
GEN_ERR = 5
NAMES = "1.3.6.1.2.1.31.1.1.1.1"
MIB = {
    UPTIME: v2c.TimeTicks(4711),
    **column(NAMES, {row: v2c.OctetString(f"port {row}") for row in range(1, 9)}),
}


@pytest.fixture(scope="module")
def only_ports(tmp_path_factory: pytest.TempPathFactory) -> ProfileRegistry:
    directory = tmp_path_factory.mktemp("profiles")
    (directory / "ports.yaml").write_text("name: ports\ntitle: Ports\nincludes: [if-mib]\n")
    return ProfileRegistry.load(directory)


@pytest.fixture
def switch() -> Iterator[Switch]:
    with running_switch(PORTS) as made:
        yield made


@pytest.fixture
def polled(switch: Switch, only_ports: ProfileRegistry) -> PolledSource:
    return asks(switch.agent, only_ports)


def asks(agent: Agent, profiles: ProfileRegistry, **more: object) -> PolledSource:
    how = {"ping": False, "profile": "ports", "timeout": "500ms", **more}
    return source(device(agent.port, **how), profiles)


async def poll(asked: PolledSource) -> dict[str, list[Reading]]:
    return by_measurement(await asked.poll())


async def step() -> None:
    """Let enough time pass for a rate."""
    await asyncio.sleep(0.15)


def faults(readings: dict[str, list[Reading]]) -> dict[str, str]:
    """Return the reason of each fault; all of them stand in the availability's too."""
    (available,) = readings["availability"]
    found = {r.tags["fault"]: str(r.fields["reason"]) for r in readings.get("snmp_fault", [])}
    for reason in found.values():
        assert reason in str(available.fields["reason"])
    assert all(int(r.fields["count"]) > 0 for r in readings.get("snmp_fault", []))
    return found


def ports(readings: dict[str, list[Reading]], field: str) -> set[str]:
    """Return the ports that have a field."""
    return {r.tags["interface"] for r in readings["interface"] if field in r.fields}


def every_port() -> set[str]:
    return {f"GE0/0/{row}" for row in range(1, PORTS + 1)}


def of_octets(request: Request, varbinds: list[tuple[Oid, object]]) -> list[bytes]:
    """Answer so when the octets are walked, else right."""
    walks_octets = request.repetitions and tuple(request.pdu[3][0][0])[: len(OCTETS)] == OCTETS
    return [request.answer(varbinds) if walks_octets else request.answer()]


async def test_a_well_behaved_agent_has_no_faults(polled: PolledSource) -> None:
    await poll(polled)
    await step()
    readings = await poll(polled)
    assert faults(readings) == {}
    assert "reason" not in readings["availability"][0].fields
    assert ports(readings, "in_rate") == every_port()


async def test_oids_that_do_not_increase(switch: Switch, polled: PolledSource) -> None:
    again = [((*OCTETS, 1), v2c.Counter64(1))]
    switch.agent.behaviour = lambda request: of_octets(request, again)
    readings = await poll(polled)
    assert "interfaces.in_octets_64: left out" in faults(readings)[Fault.NOT_INCREASING]
    assert ports(readings, "oper_state") == every_port()


async def test_a_walk_without_end(
    switch: Switch, polled: PolledSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_WALK", 500)

    def goes_on(request: Request) -> list[bytes]:
        after = tuple(request.pdu[3][0][0])[len(OCTETS) :] if request.repetitions else ()
        start = after[0] + 1 if after else 1
        rows = range(start, start + request.repetitions)
        return of_octets(request, [((*OCTETS, row), v2c.Counter64(row)) for row in rows])

    switch.agent.behaviour = goes_on
    assert "does not end" in faults(await poll(polled))[Fault.NOT_INCREASING]


async def test_a_walk_that_ends_too_early(switch: Switch, polled: PolledSource) -> None:
    await poll(polled)
    await step()
    ends = [((*OCTETS, 1), v2c.Counter64(1)), (oid(f"{IFX}.7.1"), v2c.Counter64(1))]
    switch.agent.behaviour = lambda request: of_octets(request, ends)
    readings = await poll(polled)
    assert f"{PORTS - 1} rows fewer" in faults(readings)[Fault.MISSING_ROWS]
    assert ports(readings, "in_rate") == {"GE0/0/1"}
    assert ports(readings, "oper_state") == every_port()


async def test_text_for_a_counter(switch: Switch, polled: PolledSource) -> None:
    switch.set(f"{IFX}.6", 2, v2c.OctetString("many"))
    await poll(polled)
    await step()
    readings = await poll(polled)
    assert "row 2 is no counter: b'many'" in faults(readings)[Fault.WRONG_TYPE]
    assert ports(readings, "in_rate") == every_port() - {"GE0/0/2"}


async def test_text_for_a_state(switch: Switch, polled: PolledSource) -> None:
    switch.set(f"{IF}.7", 2, v2c.OctetString("up"))
    readings = await poll(polled)
    assert "admin_state" in faults(readings)[Fault.WRONG_TYPE]
    assert ports(readings, "admin_state") == every_port() - {"GE0/0/2"}
    assert ports(readings, "oper_state") == every_port()


async def test_too_big(switch: Switch, polled: PolledSource) -> None:
    def refuses(request: Request) -> list[bytes]:
        too_many = request.repetitions and len(request.varbinds) > 3
        return [request.answer([], error=TOO_BIG) if too_many else request.answer()]

    switch.agent.behaviour = refuses
    readings = await poll(polled)
    assert "too big" in faults(readings)[Fault.TOO_BIG]
    assert ports(readings, "oper_state") == every_port()


async def test_a_row_that_can_not_be_read(switch: Switch, polled: PolledSource) -> None:
    def fails(request: Request) -> list[bytes]:
        names = {name for name, _ in request.varbinds}
        failing = (*OCTETS, 3) in names
        return [request.answer([], error=GEN_ERR) if failing else request.answer()]

    switch.agent.behaviour = fails
    await poll(polled)
    await step()
    readings = await poll(polled)
    assert "genErr after OID" in faults(readings)[Fault.ERROR_STATUS]
    assert ports(readings, "in_rate") == every_port() - {"GE0/0/3"}


async def test_a_row_that_comes_twice(switch: Switch, polled: PolledSource) -> None:
    rows = [1, 1, *range(2, PORTS + 1)]
    twice = [((*OCTETS, row), v2c.Counter64(row)) for row in rows]
    twice.append((oid(f"{IFX}.7.1"), v2c.Counter64(1)))
    switch.agent.behaviour = lambda request: of_octets(request, twice)
    readings = await poll(polled)
    assert "1 rows came more than once" in faults(readings)[Fault.DUPLICATE_ROW]
    assert ports(readings, "oper_state") == every_port()


async def test_a_counter_that_goes_backwards(switch: Switch, polled: PolledSource) -> None:
    switch.count(1, 1_000_000)
    await poll(polled)
    await step()
    switch.count(1, 10)
    readings = await poll(polled)
    assert "row 1: the counter was reset" in faults(readings)[Fault.BACKWARDS]
    assert ports(readings, "in_rate") == every_port() - {"GE0/0/1"}


async def test_a_short_counter_on_a_fast_port(switch: Switch, polled: PolledSource) -> None:
    for row in range(1, PORTS + 1):
        del switch.mib[*OCTETS, row]
    switch.set(f"{IF}.10", 1, v2c.Counter32(5))
    switch.set(f"{IFX}.15", 1, v2c.Gauge32(400_000))  # wraps in 0.09 s
    await poll(polled)
    await step()
    readings = await poll(polled)
    assert "wrapped more than once" in faults(readings)[Fault.SHORT_COUNTER]
    assert not ports(readings, "in_rate")


async def test_a_counter_faster_than_its_port(switch: Switch, polled: PolledSource) -> None:
    await poll(polled)
    await step()
    switch.count(1, 10**15)
    readings = await poll(polled)
    assert "faster than the port" in faults(readings)[Fault.IMPLAUSIBLE]
    assert readings["device_info"][0].fields["rates_dropped"] == 1


async def test_answers_from_another_address(only_ports: ProfileRegistry) -> None:
    with running_agent(MIB, answers_from="127.0.0.2") as agent:
        asked = asks(agent, only_ports, timeout="100ms", retries=0)
        readings = await poll(asked)
        assert readings["availability"][0].fields["service_up"] == 0
        assert "come from 127.0.0.2 instead" in faults(readings)[Fault.OTHER_ADDRESS]
        agent.requests.clear()
        assert Fault.OTHER_ADDRESS in faults(await poll(asked))
        assert len(agent.requests) == 1, "it was found out anew"


async def test_answers_after_the_timeout(only_ports: ProfileRegistry) -> None:
    held: list[bytes] = []

    def answers_late(request: Request) -> list[bytes]:
        # Each answer is sent only when the next request has come.
        held.append(request.answer())
        return [held.pop(0)] if len(held) > 1 else []

    with running_agent(MIB, answers_late) as agent:
        readings = await poll(asks(agent, only_ports, timeout="100ms", retries=2))
        assert "later than 0.1 s" in _reason_of(readings, Fault.LATE)
        assert "longer timeout is needed" in str(readings["availability"][0].fields["reason"])


async def test_a_poll_that_takes_longer_than_the_interval(
    switch: Switch, only_ports: ProfileRegistry
) -> None:
    def dawdles(request: Request) -> list[bytes]:
        time.sleep(0.1)  # and there are more than ten requests in a second
        return [request.answer()]

    switch.agent.behaviour = dawdles
    asked = asks(switch.agent, only_ports, interval="1s")
    readings = await poll(asked)
    assert "longer than 1 s" in faults(readings)[Fault.SLOW]
    assert readings["availability"][0].fields["up"] == 1
    await asked.close()


async def test_random_octets(only_ports: ProfileRegistry) -> None:
    with running_agent(MIB, lambda _: [b"\x30\x82\xff\xff" + bytes(60)]) as agent:
        readings = await poll(asks(agent, only_ports))
        assert "can't be decoded" in faults(readings)[Fault.UNDECODABLE]
        assert readings["availability"][0].fields["service_up"] == 0


def _reason_of(readings: dict[str, list[Reading]], fault: Fault) -> str:
    (found,) = [r for r in readings["snmp_fault"] if r.tags["fault"] == fault]
    return str(found.fields["reason"])


# --- the corpus, and mutations ------------------------------------------------


def answers(name: str) -> Behaviour:
    """Return what sends a file of the corpus."""
    lines = (CORPUS / f"{name}.hex").read_text().splitlines()
    text = " ".join(line for line in lines if not line.startswith("#"))

    def behaviour(request: Request) -> list[bytes]:
        identity = int(request.pdu[0]).to_bytes(4, "big").hex()
        return [bytes.fromhex(text.replace("id id id id", identity))]

    return behaviour


@pytest.mark.parametrize("name", sorted(path.stem for path in CORPUS.glob("*.hex")))
async def test_the_corpus_is_survived(name: str, only_ports: ProfileRegistry) -> None:
    with running_agent(MIB, answers(name)) as agent:
        asked = session(agent.port, timeout=0.1, retries=0)
        with contextlib.suppress(SnmpError):
            await asked.get([SYS_UP_TIME])
        with contextlib.suppress(SnmpError):
            async for _ in asked.walk(NAMES, rows=3):
                pass
        readings = await poll(asks(agent, only_ports, timeout="100ms", retries=0))
        assert len(readings["availability"]) == 1
        agent.behaviour = behave
        assert len(await walked_in_the_end(asked)) == 8
        asked.close()


async def walked_in_the_end(asked: GufoSession) -> dict[str, Value]:
    """Walk, and again while it is only this machine that is too busy for the short timeout."""
    for _ in range(50):
        with contextlib.suppress(SnmpTimeoutError):
            return await walked(asked, NAMES)
    return {}


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["set", "insert", "delete", "repeat", "cut"]),
        st.integers(0, 400),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MUTATIONS)
def test_mutated_answers_are_survived(mutations: list[tuple[str, int, int]]) -> None:
    asyncio.run(_survives(mutations))


async def _survives(mutations: list[tuple[str, int, int]]) -> None:
    with running_agent(MIB, lambda request: [mutated(request.answer(), mutations)]) as agent:
        asked = session(agent.port, timeout=0.05, retries=0)
        with contextlib.suppress(SnmpError):
            await asked.get([SYS_UP_TIME, f"{NAMES}.1"])
        with contextlib.suppress(SnmpError):
            async for _ in asked.walk(NAMES, rows=8):
                break
        agent.behaviour = behave
        assert len(await walked_in_the_end(asked)) == 8
        asked.close()


def mutated(message: bytes, mutations: list[tuple[str, int, int]]) -> bytes:
    octets = bytearray(message)
    for kind, place, value in mutations:
        at = place % (len(octets) + 1)
        if kind == "set":
            octets[at : at + 1] = bytes([value])
        elif kind == "insert":
            octets[at:at] = bytes([value])
        elif kind == "delete":
            del octets[at : at + 1]
        elif kind == "repeat":
            octets[at:at] = octets[at : at + value]
        else:
            del octets[at:]
    return bytes(octets)
