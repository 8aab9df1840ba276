"""Probes that tests try, and what they yield."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from campuswatch.calendar import SchoolCalendar
from campuswatch.inventory import models
from campuswatch.lineprotocol import encode
from campuswatch.readings import FieldValue
from edge_agents.sources.probes.source import probe_sources
from simulator.udp import Respond, respond_at

NEVER = SchoolCalendar(models.Calendar(id="c", public_holidays=False), ZoneInfo("UTC"), "CN")
"""A calendar without lessons."""

ALL_DAY = SchoolCalendar(
    models.Calendar(
        id="c",
        public_holidays=False,
        weekdays=["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        lessons=[models.Period(name="all day", start=dt.time(0), end=dt.time.max)],
    ),
    ZoneInfo("UTC"),
    "CN",
)
"""A calendar with lessons at any time."""


async def tried(
    kind: str, calendar: SchoolCalendar = NEVER, **probe: Any
) -> dict[str, FieldValue] | None:
    """Return the fields of the one reading that a probe yields; None if there is none."""
    given = {"id": "p", "kind": kind, "timeout": "1s"} | probe
    declared: models.Probe = TypeAdapter(models.Probe).validate_python(given)
    agent = models.Agent(id="a", probes=[declared])
    (source,) = probe_sources(agent, calendar)
    readings = await source.poll()
    await source.close()
    if not readings:
        return None
    (reading,) = readings
    assert encode([reading])
    assert reading.measurement == "probe"
    assert reading.tags == {"probe": "p", "kind": kind}
    assert reading.fields["interval"] == declared.interval.total_seconds()
    return dict(reading.fields)


async def good(kind: str, **probe: Any) -> dict[str, Any]:
    """Return the fields of a try that went well."""
    fields = await tried(kind, **probe)
    assert fields is not None
    assert fields["ok"] == 1, fields
    assert "reason" not in fields
    return fields


async def bad(kind: str, **probe: Any) -> dict[str, Any]:
    """Return the fields of a try that did not."""
    fields = await tried(kind, **probe)
    assert fields is not None
    assert fields["ok"] == 0
    assert fields["reason"]
    return fields


@contextlib.asynccontextmanager
async def responder(respond: Respond) -> AsyncIterator[int]:
    """Answer each datagram with those that `respond` returns; yields the port."""
    transport = await respond_at("127.0.0.1", 0, respond)
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
