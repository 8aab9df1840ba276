"""Write the golden files anew."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from rich.progress import track

from edge_agents.sources.snmp import ProfileRegistry
from tests.edge_agents.snmp.golden.recorded import (
    cut,
    golden_path,
    golden_recordings,
    polled,
    summary,
)


def main() -> None:
    profiles = ProfileRegistry.load()
    oids = profiles.oids
    cache = Path(tempfile.gettempdir()) / "campuswatch-recordings"
    cache.mkdir(exist_ok=True)
    for name, path in track(golden_recordings().items(), description="polling"):
        found = asyncio.run(polled(cut(path, oids, cache), profiles))
        golden_path(name).write_text(summary(*found), encoding="utf-8")


main()
