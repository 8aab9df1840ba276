"""The projectors of the demo: on in lessons, off at night, each asked as an agent does."""

from __future__ import annotations

import datetime as dt
import socket
from pathlib import Path
from zoneinfo import ZoneInfo

from campuswatch.calendar import SchoolCalendar
from campuswatch.inventory.models import DnsProbe, HttpProbe, NtpProbe, TcpProbe
from edge_agents.sources.pjlink.source import pjlink_source
from edge_agents.sources.probes.source import probe_sources
from simulator.district import Ports, simulated
from simulator.places import free_ports
from simulator.probed import Probed
from simulator.projectors import Projectors, state
from simulator.world import Trouble, World
from tests.simulator.districts import example, only

SCHOOL, PROJECTOR = "jiangwan-no1", "no1-proj-b301"
INTERVAL = dt.timedelta(seconds=10)


def local(tmp_path: Path) -> World:
    udp = free_ports(100, socket.SOCK_DGRAM)
    tcp = free_ports(20, socket.SOCK_STREAM)
    ports = Ports(iter(udp), iter(tcp), 1, None)
    inventory = simulated(
        only(example(), SCHOOL), ports, "mqtt://127.0.0.1:1", INTERVAL, tmp_path / "secrets"
    )
    return World(inventory, 1, 0.0)


def clock(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()


def test_on_in_lessons_and_off_at_night() -> None:
    world = World(example(), 1, 0.0)
    device = world.device(PROJECTOR)
    calendar = SchoolCalendar.of(world.inventory, world.inventory.school(SCHOOL))
    assert state(world, device, calendar, clock("2026-10-14T10:30")).power == 1
    assert state(world, device, calendar, clock("2026-10-14T03:00")).power == 0
    assert state(world, device, calendar, clock("2026-10-04T10:30")).power == 0


def test_lamps_grow_older() -> None:
    world = World(example(), 1, 0.0)
    device = world.device(PROJECTOR)
    calendar = SchoolCalendar.of(world.inventory, world.inventory.school(SCHOOL))
    (young,), (old,) = (state(world, device, calendar, day * 86400).lamps for day in (0, 100))
    assert old - young == 600


async def test_an_agent_reads_them_and_notices_a_power_cut(tmp_path: Path) -> None:
    world = local(tmp_path)
    device = world.device(PROJECTOR)
    assert device.pjlink is not None
    assert device.pjlink.password is not None
    projectors = Projectors(world)
    await projectors.start()
    try:
        source = pjlink_source(device, "127.0.0.1", device.pjlink)
        names = [reading.measurement for reading in await source.poll()]
        assert names == ["availability", "projector", "device_info"]
        world.begin(Trouble.DOWN, PROJECTOR, 1.0)
        (down,) = await source.poll()
        assert down.fields["up"] == 0
    finally:
        projectors.close()


async def test_what_agents_probe_answers_until_the_line_is_cut(tmp_path: Path) -> None:
    world = local(tmp_path)
    school = world.inventory.school(SCHOOL)
    asked = (DnsProbe, HttpProbe, NtpProbe, TcpProbe)
    probes = [probe for probe in school.agents[0].probes if isinstance(probe, asked)]
    agent = school.agents[0].model_copy(update={"probes": probes})
    sources = list(probe_sources(agent, SchoolCalendar.of(world.inventory, school)))
    assert {probe.kind for probe in probes} == {"dns", "http", "ntp", "tcp"}
    probed = Probed(world)
    await probed.start()
    try:
        for source in sources:
            (reading,) = await source.poll()
            assert reading.fields["ok"] == 1, reading
        world.begin(Trouble.WAN_CUT, SCHOOL, 1.0)
        for source in sources:
            (reading,) = await source.poll()
            assert reading.fields["ok"] == (1 if reading.tags["kind"] == "tcp" else 0)
    finally:
        probed.close()
