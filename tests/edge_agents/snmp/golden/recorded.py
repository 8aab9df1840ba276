"""The recordings of snmpsim-data, and what the profiles make of one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Final

from campuswatch.measurements import CATALOGUE
from campuswatch.readings import Reading
from edge_agents.sources.snmp import ProfileRegistry
from edge_agents.sources.snmp.recording import Recording, dump
from edge_agents.sources.snmp.replay import replaying
from tests.edge_agents.snmp.devices import device, source

DATA: Final = Path(str(files("snmpsim_data"))) / "data"
GOLDEN: Final = Path(__file__).parent
KINDS: Final = ("UPS", "iot", "network/firewall", "network/router", "network/switch")
"""The folders of those that have a golden file; Wi-Fi boxes have theirs elsewhere."""

SYSTEM: Final = "1.3.6.1.2.1.1"
_SAMPLES: Final = 4
_NOT_COMPARED: Final = {"availability": {"service_time", "interval"}}


def recordings() -> dict[str, Path]:
    """Return all recordings by their name, such as switch/cisco-c3560."""
    paths = sorted(DATA.rglob("*.snmprec*"))
    return {str(path.relative_to(DATA)).partition(".snmprec")[0]: path for path in paths}


def golden_recordings() -> dict[str, Path]:
    """Return those that have a golden file."""
    return {name: path for name, path in recordings().items() if name.startswith(KINDS)}


def golden_path(name: str) -> Path:
    return GOLDEN / f"{name.rpartition('network/')[2].lower().replace('/', '-')}.txt"


def cut(path: Path, oids: Collection[str], cache: Path) -> Recording:
    """Return what a recording has of some OIDs.

    Reading all recordings takes two minutes, so the cuts are kept until other
    OIDs are asked for.
    """
    wanted = sorted({SYSTEM, *oids})
    key = hashlib.sha256("\n".join([str(path.stat().st_size), *wanted]).encode()).hexdigest()
    name = f"{path.parent.name}-{path.name.partition('.')[0]}"
    kept = cache / f"{name}-{key[:16]}.snmprec"
    if not kept.exists():
        cut_out = Recording.load(path, wanted)
        if not cut_out.oids:
            return cut_out  # a file without a line is no recording that could be read again
        for old in cache.glob(f"{name}-{'[0-9a-f]' * 16}.snmprec"):
            old.unlink(missing_ok=True)
        half = kept.with_suffix(f".{os.getpid()}")
        half.write_text("".join(f"{line}\n" for line in dump(cut_out)), encoding="ascii")
        half.rename(kept)
        return cut_out
    return Recording.load(kept)


async def polled(recording: Recording, profiles: ProfileRegistry) -> tuple[str, list[Reading]]:
    """Poll a recorded device once; return its profile and what it yielded."""
    async with replaying(recording) as port:
        asked = source(device(port, ping=False, timeout="20s", interval="10m", room=None), profiles)
        readings = await asked.poll()
        await asked.close()
    info = [r for r in readings if r.measurement == "device_info"]
    return str(info[0].fields["profile"]) if info else "", readings


def summary(profile: str, readings: Iterable[Reading]) -> str:
    """Return counts of readings, a few of each, and how often each field has a value."""
    lines = [f"profile {profile}"]
    order = list(CATALOGUE)
    ordered = sorted(readings, key=lambda reading: order.index(reading.measurement))
    for measurement, found in groupby(ordered, key=lambda reading: reading.measurement):
        rows = list(found)
        lines += ["", f"{measurement}: {len(rows)}"]
        lines += [f"  {line}" for line in _samples(measurement, rows)]
    return "\n".join(lines) + "\n"


def _samples(measurement: str, rows: list[Reading]) -> Iterator[str]:
    hidden = _NOT_COMPARED.get(measurement, set())
    step = max(1, len(rows) // _SAMPLES)
    for row in rows[::step][:_SAMPLES]:
        tags = " ".join(f"{name}={str(value)!r}" for name, value in _own(row).items())
        fields = " ".join(
            f"{name}={row.fields[name]!r}"
            for name in CATALOGUE[measurement].fields
            if name in row.fields and name not in hidden
        )
        yield f"{tags}: {fields}" if tags else fields
    if len(rows) > _SAMPLES:
        having = {
            name: sum(1 for row in rows if name in row.fields)
            for name in CATALOGUE[measurement].fields
        }
        yield "having " + ", ".join(f"{name} {n}" for name, n in having.items() if n)


def _own(reading: Reading) -> dict[str, str]:
    return {name: value for name, value in reading.tags.items() if name != "device"}
