"""Probes as sources: one for each that the inventory declares."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from functools import partial

from campuswatch.calendar import SchoolCalendar
from campuswatch.inventory import models
from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading, now_ns
from edge_agents.sources.probes import bandwidth, dhcp, dns, http, icmp, ntp, tcp
from edge_agents.sources.probes.base import Fields, Measure, ProbeFailedError
from edge_agents.sources.reachability import UnresolvableError

_PROBE = CATALOGUE["probe"]


class ProbeSource:
    """A `PolledSource` for one probe.

    Args:
        probe: from the inventory.
        measure: tries once.
    """

    def __init__(self, probe: models.Probe, measure: Measure) -> None:
        self._probe = probe
        self._measure = measure

    @property
    def name(self) -> str:
        return f"probe {self._probe.id}"

    @property
    def interval(self) -> float:
        return self._probe.interval.total_seconds()

    async def poll(self) -> list[Reading]:
        """Return one reading of `probe`; none if it is not the time for it."""
        time = now_ns()
        limit = asyncio.timeout(self._probe.longest.total_seconds())
        try:
            async with limit:
                found = await self._measure()
        except ProbeFailedError as error:
            return [self._failed(str(error), time, error.fields)]
        except UnresolvableError as error:
            return [self._failed(str(error), time)]
        except TimeoutError:
            if not limit.expired():
                raise
            longest = self._probe.longest.total_seconds()
            return [self._failed(f"it took longer than {longest:g} s", time)]
        except OSError as error:
            return [self._failed(os.strerror(error.errno) if error.errno else str(error), time)]
        return [] if found is None else [self._reading({"ok": 1, **found}, time)]

    async def close(self) -> None:
        """Nothing is held between polls."""

    def _failed(self, reason: str, time: int, fields: Fields | None = None) -> Reading:
        return self._reading({"ok": 0, "reason": reason, **(fields or {})}, time)

    def _reading(self, fields: Fields, time: int) -> Reading:
        tags = {"probe": self._probe.id, "kind": self._probe.kind}
        return _PROBE.reading(tags, {"interval": self.interval, **fields}, time)


def probe_sources(agent: models.Agent, calendar: SchoolCalendar) -> Iterator[ProbeSource]:
    """Yield the sources of an agent's probes.

    Args:
        agent: from the inventory.
        calendar: of its school; says when there are lessons.

    Raises:
        UserError: a file that a probe names can't be read.
    """
    for probe in agent.probes:
        yield ProbeSource(probe, _measure(probe, calendar))


def _measure(probe: models.Probe, calendar: SchoolCalendar) -> Measure:
    measure: Measure
    match probe:
        case models.IcmpProbe():
            measure = partial(icmp.measure, probe, icmp.pinger(probe))
        case models.TcpProbe():
            measure = partial(tcp.measure, probe)
        case models.HttpProbe():
            measure = partial(http.measure, probe, http.trust(probe))
        case models.DnsProbe():
            measure = partial(dns.measure, probe)
        case models.NtpProbe():
            measure = partial(ntp.measure, probe)
        case models.DhcpProbe():
            measure = partial(dhcp.measure, probe)
        case models.BandwidthProbe():
            measure = partial(bandwidth.measure, probe, calendar)
    return measure
