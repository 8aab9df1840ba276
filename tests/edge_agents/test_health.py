"""What an agent says of itself."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from campuswatch.measurements import CATALOGUE
from edge_agents.gatherer import Gatherer
from edge_agents.health import AgentHealth
from edge_agents.schedule import PollStatistics
from edge_agents.sources.mqtt.rejected import RejectedPayloads
from edge_agents.spool import Spool


async def test_counts_are_those_since_the_last_reading(tmp_path: Path) -> None:
    statistics = [PollStatistics(), PollStatistics(polls=7, failed=2, skipped=1, lateness=0.25)]
    with contextlib.closing(
        Spool(tmp_path / "spool.sqlite", max_bytes=200_000, max_age=10**6)
    ) as spool:
        gatherer = Gatherer(spool, lambda: None)
        rejected = RejectedPayloads(tmp_path / "rejected")
        health = AgentHealth(spool, gatherer, rejected, statistics.pop)
        up = CATALOGUE["availability"].reading({"device": "sw-1"}, {"up": 1}, 1)
        gatherer.emit([up, up, up])
        rejected.keep("t", b"x", "reason")
        await gatherer.flush()
        (first,) = await health.poll()
        for _ in range(40):
            spool.append(os.urandom(20_000))
        (second,) = await health.poll()
        dropped = spool.state().dropped_count
    assert first.fields["polls"] == 7
    assert first.fields["polls_failed"] == 2
    assert first.fields["polls_skipped"] == 1
    assert first.fields["poll_lateness"] == 0.25
    assert first.fields["readings"] == 3
    assert first.fields["payloads_rejected"] == 1
    assert first.fields["spool_batches"] == 1
    assert first.fields["batches_dropped"] == 0
    assert second.fields["readings"] == 0
    assert second.fields["payloads_rejected"] == 0
    assert second.fields["batches_dropped"] == dropped > 0
