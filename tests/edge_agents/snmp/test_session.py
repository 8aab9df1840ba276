"""A session against net-snmp's agent, and against agents that misbehave."""

from __future__ import annotations

import contextlib
import random

import pytest
from pysnmp.proto.api import v2c

from campuswatch.errors import UserError
from campuswatch.inventory.models import UserCredential
from edge_agents.sources.snmp.credentials import CommunityAccess, access
from edge_agents.sources.snmp.errors import (
    SnmpDecodeError,
    SnmpLoopError,
    SnmpTimeoutError,
    SnmpUnreachableError,
)
from edge_agents.sources.snmp.session import MAX_REPETITIONS, SYS_UP_TIME, Size
from tests.edge_agents.snmp.agents import (
    UPTIME,
    Behaviour,
    Request,
    behave,
    column,
    running_agent,
)
from tests.edge_agents.snmp.devices import session, walked
from tests.servers import Server, free_port

NAMES = "1.3.6.1.2.1.31.1.1.1.1"
ALIASES = "1.3.6.1.2.1.31.1.1.1.18"
ROWS = 130
TOO_BIG = 1
GEN_ERR = 5

MIB = {
    UPTIME: v2c.TimeTicks(4711),
    **column(NAMES, {row: v2c.OctetString(f"port {row}") for row in range(1, ROWS + 1)}),
    **column(ALIASES, {row: v2c.OctetString("") for row in range(1, ROWS + 1)}),
}
EXPECTED = {f"{NAMES}.{row}": f"port {row}".encode() for row in range(1, ROWS + 1)}


def refuses_above(limit: int, error: int = TOO_BIG) -> Behaviour:
    def behaviour(request: Request) -> list[bytes]:
        if len(request.varbinds) > limit:
            return [request.answer([], error=error)]
        return [request.answer()]

    return behaviour


def drops_above(limit: int) -> Behaviour:
    def behaviour(request: Request) -> list[bytes]:
        return [] if len(request.varbinds) > limit else [request.answer()]

    return behaviour


def loses_every(other: int) -> Behaviour:
    asked = 0

    def behaviour(request: Request) -> list[bytes]:
        nonlocal asked
        asked += 1
        return [] if asked % other == 0 else [request.answer()]

    return behaviour


# --- net-snmp -----------------------------------------------------------------


async def test_a_get_leaves_out_what_does_not_exist(net_snmp: Server) -> None:
    asked = session(net_snmp.port, timeout=2)
    answer = await asked.get([SYS_UP_TIME, "1.3.6.1.2.1.1.5.0", "1.3.6.1.2.1.1.99.0"])
    assert answer.keys() == {SYS_UP_TIME, "1.3.6.1.2.1.1.5.0"}
    assert answer["1.3.6.1.2.1.1.5.0"] == b"snmpd-under-test"
    asked.close()


async def test_a_walk_ends_with_its_subtree_and_with_the_mib(net_snmp: Server) -> None:
    asked = session(net_snmp.port, timeout=2)
    system = await walked(asked, "1.3.6.1.2.1.1")
    assert len(system) > 20
    assert all(oid.startswith("1.3.6.1.2.1.1.") for oid in system)
    assert await walked(asked, "1.3.7") == {}
    asked.close()


def test_an_unusable_credential_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH", "short")
    user = {"version": "3", "user": "u", "auth": "sha1", "auth_key": "env:AUTH"}
    with pytest.raises(UserError, match="at least 8 characters"):
        access(UserCredential.model_validate(user))
    monkeypatch.delenv("AUTH")
    with pytest.raises(UserError, match="AUTH is not set"):
        access(UserCredential.model_validate(user))


def test_secrets_are_not_in_the_representation() -> None:
    assert "hush" not in repr(CommunityAccess("hush"))


# --- agents that misbehave ----------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [
        behave,
        refuses_above(7),
        refuses_above(7, GEN_ERR),
        drops_above(7),
        loses_every(3),
    ],
    ids=["well", "tooBig", "genErr", "drops large answers", "loses every third"],
)
async def test_a_walk_is_whole_whatever_the_agent_can_bear(behaviour: Behaviour) -> None:
    with running_agent(MIB, behaviour) as agent:
        asked = session(agent.port)
        assert await walked(asked, NAMES) == EXPECTED
        asked.close()


async def test_the_size_an_agent_can_bear_is_remembered() -> None:
    with running_agent(MIB, refuses_above(7)) as agent:
        asked = session(agent.port)
        await walked(asked, NAMES)
        agent.requests.clear()
        await walked(asked, ALIASES)
        assert max(request.repetitions for request in agent.requests) <= 7
        asked.close()


async def test_a_silent_agent_does_not_spoil_the_size() -> None:
    with running_agent(MIB, lambda _: []) as agent:
        asked = session(agent.port, timeout=0.02)
        with pytest.raises(SnmpTimeoutError):
            await walked(asked, NAMES)
        agent.behaviour = behave
        agent.requests.clear()
        await walked(asked, NAMES)
        assert agent.requests[0].repetitions == MAX_REPETITIONS
        asked.close()


async def test_a_get_is_split_until_the_agent_can_bear_it() -> None:
    with running_agent(MIB, refuses_above(5)) as agent:
        asked = session(agent.port)
        assert await asked.get(list(EXPECTED)[:20]) == dict(list(EXPECTED.items())[:20])
        asked.close()


async def test_no_more_is_asked_for_than_the_expected_rows() -> None:
    with running_agent(MIB) as agent:
        asked = session(agent.port)
        await walked(asked, NAMES, rows=10)
        assert agent.requests[0].repetitions == 11
        asked.close()


async def test_a_late_answer_is_not_taken_for_a_new_one() -> None:
    held: list[bytes] = []

    def answers_late(request: Request) -> list[bytes]:
        # Each answer is sent only when the next request has come.
        held.append(request.answer())
        return [held.pop(0)] if len(held) > 1 else []

    with running_agent(MIB, answers_late) as agent:
        asked = session(agent.port, timeout=0.1, retries=1)
        with pytest.raises(SnmpTimeoutError):
            await asked.get([SYS_UP_TIME])
        agent.behaviour = behave
        assert await asked.get([SYS_UP_TIME]) == {SYS_UP_TIME: 4711}
        asked.close()


async def test_every_answer_twice_does_no_harm() -> None:
    with running_agent(MIB, lambda request: [request.answer()] * 2) as agent:
        asked = session(agent.port)
        assert await walked(asked, NAMES) == EXPECTED
        asked.close()


async def test_an_answer_to_another_request_is_ignored() -> None:
    def wrong_id(request: Request) -> list[bytes]:
        return [request.answer(request_id=int(request.pdu[0]) ^ 1)]

    with running_agent(MIB, wrong_id) as agent:
        asked = session(agent.port, timeout=0.05)
        with pytest.raises(SnmpTimeoutError):
            await asked.get([SYS_UP_TIME])
        asked.close()


async def test_oids_that_do_not_increase_end_the_walk() -> None:
    first = (*map(int, NAMES.split(".")), 1)

    def loops(request: Request) -> list[bytes]:
        return [request.answer([(first, v2c.OctetString("again"))])]

    with running_agent(MIB, loops) as agent:
        asked = session(agent.port)
        with pytest.raises(SnmpLoopError, match="loops"):
            await walked(asked, NAMES)
        asked.close()


async def test_an_answer_too_large_for_the_buffer_is_asked_for_in_parts() -> None:
    long = {row: v2c.OctetString("x" * 200) for row in range(1, 101)}
    mib = {UPTIME: v2c.TimeTicks(1), **column(NAMES, long)}
    with running_agent(mib) as agent:
        asked = session(agent.port)
        assert len(await walked(asked, NAMES)) == 100
        asked.close()


@pytest.mark.parametrize("seed", range(40))
async def test_garbage_is_survived(seed: int) -> None:
    def garbage(request: Request) -> list[bytes]:
        answer = bytearray(request.answer())
        if seed % 4 == 0:
            return [random.Random(seed).randbytes(64)]
        if seed % 4 == 1:
            return [bytes(answer[: len(answer) // 2])]
        place = len(answer) - 1 - (seed * 7) % (len(answer) // 2)
        answer[place] ^= 1 << seed % 8
        return [bytes(answer)]

    with running_agent(MIB, garbage) as agent:
        asked = session(agent.port, timeout=0.1)
        with contextlib.suppress(SnmpDecodeError, SnmpTimeoutError, SnmpLoopError):
            async for _ in asked.walk(NAMES, rows=3):
                pass
        agent.behaviour = behave
        assert await walked(asked, NAMES) == EXPECTED
        asked.close()


async def test_a_closed_port_is_told_at_once() -> None:
    asked = session(free_port())
    with pytest.raises(SnmpUnreachableError, match="nothing listens"):
        await asked.get([SYS_UP_TIME])
    asked.close()


async def test_a_wrong_community_is_a_possible_reason_for_silence() -> None:
    with running_agent(MIB, lambda _: []) as agent:
        asked = session(agent.port, timeout=0.05)
        with pytest.raises(SnmpTimeoutError, match="wrong community"):
            await asked.get([SYS_UP_TIME])
        asked.close()


def test_a_size_grows_back_slowly_below_what_failed() -> None:
    size = Size(50)
    size.failed(20, instead=10)
    for _ in range(32):
        size.answered()
    assert size.now == 12
    for _ in range(320):
        size.answered()
    assert size.now == 19


def test_what_failed_is_forgotten_in_the_end() -> None:
    size = Size(50)
    size.failed(20, instead=10)
    for _ in range(2048 + 32 * 10):
        size.answered()
    assert size.now == 50
