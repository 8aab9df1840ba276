"""Every recorded device is read as it was when somebody last looked at it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from edge_agents.sources.snmp import ProfileRegistry
from tests.edge_agents.snmp.golden.recorded import (
    GOLDEN,
    cut,
    golden_path,
    golden_recordings,
    polled,
    recordings,
    summary,
)

ALL: Final = recordings()
MOST: Final = 20_000
"""Readings that one poll of one device may make."""


@pytest.fixture(scope="module")
def cache(request: pytest.FixtureRequest) -> Path:
    assert request.config.cache is not None
    return request.config.cache.mkdir("recordings")


@pytest.mark.parametrize("name", ALL)
async def test_a_recorded_device_is_read(name: str, cache: Path, profiles: ProfileRegistry) -> None:
    profile, readings = await polled(cut(ALL[name], profiles.oids, cache), profiles)
    (available,) = [row for row in readings if row.measurement == "availability"]
    assert available.fields["up"] == 1
    assert 1 < len(readings) < MOST
    identities = Counter((row.measurement, frozenset(row.tags.items())) for row in readings)
    assert max(identities.values()) == 1, "two readings of the same"
    if name in golden_recordings():
        assert summary(profile, readings) == golden_path(name).read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_recording() -> None:
    assert {path.name for path in GOLDEN.glob("*.txt")} == {
        golden_path(name).name for name in golden_recordings()
    }
