"""The agent watches itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.metadata import version

from campuswatch.measurements import CATALOGUE
from campuswatch.readings import FieldValue, Reading, now_ns
from edge_agents.gatherer import Gatherer
from edge_agents.host import HostVitals
from edge_agents.schedule import PollStatistics
from edge_agents.sources.mqtt.rejected import RejectedPayloads
from edge_agents.sources.serial.statistics import SerialStatistics
from edge_agents.sources.snmp.traps.statistics import TrapStatistics
from edge_agents.spool import Spool, SpoolUnavailableError

_AGENT = CATALOGUE["agent"]


class AgentHealth:
    """A `PolledSource` of the `agent` measurement.

    Args:
        spool: the agent's queue.
        gatherer: what fills it.
        rejected: the payloads that could not be read.
        host: how process and host are doing.
        take_polls: the schedule's statistics since they were last taken.
        take_traps: those of SNMP notifications, if the agent receives any.
        take_serial: those of serial lines, if the agent has any.
        interval: seconds between two readings.
    """

    def __init__(
        self,
        spool: Spool,
        gatherer: Gatherer,
        rejected: RejectedPayloads,
        host: HostVitals,
        take_polls: Callable[[], PollStatistics],
        *,
        take_traps: Callable[[], TrapStatistics] | None = None,
        take_serial: Callable[[], SerialStatistics] | None = None,
        interval: float = 60.0,
    ) -> None:
        self.name = "agent"
        self.interval = interval
        self._spool = spool
        self._gatherer = gatherer
        self._rejected = rejected
        self._host = host
        self._take_polls = take_polls
        self._take_traps = take_traps
        self._take_serial = take_serial
        self._dropped: tuple[str, int] | None = None

    async def poll(self) -> list[Reading]:
        """Return one `agent` reading; without the spool's part while its disk fails."""
        polls = self._take_polls()
        gathered = self._gatherer.take_statistics()
        fields: dict[str, FieldValue | None] = {
            "polls": polls.polls,
            "polls_failed": polls.failed,
            "polls_skipped": polls.skipped,
            "poll_lateness": polls.lateness,
            "readings": gathered.readings,
            "readings_dropped": gathered.dropped,
            "payloads_rejected": self._rejected.take_count(),
            "version": version("campuswatch"),
            **await asyncio.to_thread(self._host.fields),
        }
        if self._take_traps is not None:
            traps = self._take_traps()
            fields |= {
                "traps": traps.received,
                "traps_rejected": traps.rejected,
                "traps_dropped": traps.dropped,
            }
        if self._take_serial is not None:
            serial = self._take_serial()
            fields |= {
                "serial_damaged": serial.damaged,
                "serial_unanswered": serial.unanswered,
            }
        try:
            fields |= await asyncio.to_thread(self._spool_fields)
        except SpoolUnavailableError:
            fields["spool_batches"] = None
        return [_AGENT.reading({}, fields, now_ns())]

    async def close(self) -> None:
        """Nothing is held."""

    def _spool_fields(self) -> dict[str, FieldValue | None]:
        state = self._spool.state()
        stream, before = self._dropped or (state.stream, state.dropped_count)
        self._dropped = (state.stream, state.dropped_count)
        oldest = state.oldest_created
        return {
            "spool_batches": state.batches,
            "spool_bytes": state.size,
            "spool_age": 0.0 if oldest is None else max(0.0, (now_ns() - oldest) / 1e9),
            "batches_dropped": state.dropped_count - (before if stream == state.stream else 0),
        }
