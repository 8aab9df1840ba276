"""What an agent says of itself."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from campuswatch.measurements import CATALOGUE
from edge_agents.gatherer import Gatherer
from edge_agents.health import AgentHealth
from edge_agents.host import HostVitals, kernel_clock
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
        health = AgentHealth(spool, gatherer, rejected, HostVitals(tmp_path), statistics.pop)
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


async def test_the_process_and_its_host_are_told_of(tmp_path: Path) -> None:
    with contextlib.closing(
        Spool(tmp_path / "spool.sqlite", max_bytes=200_000, max_age=10**6)
    ) as spool:
        gatherer = Gatherer(spool, lambda: None)
        rejected = RejectedPayloads(tmp_path / "rejected")
        health = AgentHealth(spool, gatherer, rejected, HostVitals(tmp_path), PollStatistics)
        (reading,) = await health.poll()
    fields = reading.fields
    assert 10_000_000 < float(fields["memory"]) < 10_000_000_000
    assert float(fields["disk_free"]) == pytest.approx(shutil.disk_usage(tmp_path).free, rel=0.2)
    assert float(fields["uptime"]) > 0
    assert float(fields["cpu"]) >= 0


def test_the_kernel_says_how_good_its_clock_is() -> None:
    clock = kernel_clock()
    assert clock is not None
    assert (clock.error is not None) == clock.synchronised
    assert clock.error is None or 0 <= clock.error < 3600


def test_a_disk_that_is_gone_is_left_out(tmp_path: Path) -> None:
    assert HostVitals(tmp_path / "gone").fields()["disk_free"] is None
