"""What the profiles make of recorded controllers, against the recordings themselves."""

from __future__ import annotations

import asyncio
import os
import re
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

from campuswatch.readings import Reading
from edge_agents.sources.snmp.registry import ProfileRegistry
from tests.edge_agents.snmp.wifi.polling import (
    encoded,
    polled,
    sample,
    table,
    yielded,
)
from tests.edge_agents.snmp.wifi.recordings import (
    RECORDINGS,
    WIRELESS,
    client_macs,
    column,
    counts,
    user_names,
)

GOLDEN: Final = Path(__file__).parent / "golden"
PAGE: Final = Path(__file__).parents[4] / "docs" / "wifi-controllers.md"
REWRITE: Final = "CAMPUSWATCH_REWRITE_GOLDEN"
"""Environment variable that makes the tests write what they would compare with."""

Polled = dict[str, tuple[str, list[Reading]]]


@pytest.fixture(scope="module")
def all_polled(tmp_path_factory: pytest.TempPathFactory, profiles: ProfileRegistry) -> Polled:
    directory = tmp_path_factory.mktemp("wifi")
    return {name: asyncio.run(polled(name, profiles, directory)) for name in RECORDINGS}


@pytest.mark.parametrize("name", RECORDINGS)
def test_profile_is_recognised(all_polled: Polled, name: str) -> None:
    assert all_polled[name][0] == RECORDINGS[name].profile


@pytest.mark.parametrize("name", RECORDINGS)
def test_counts_are_those_of_the_recording(all_polled: Polled, name: str) -> None:
    assert yielded(all_polled[name][1]) == counts(name)


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_two_readings_are_the_same_point(all_polled: Polled, name: str) -> None:
    points = [
        (reading.measurement, *sorted(reading.tags.items()))
        for reading in all_polled[name][1]
        if reading.measurement in WIRELESS
    ]
    assert len(points) == len(set(points))


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_client_leaves_the_edge(all_polled: Polled, name: str) -> None:
    text = encoded(all_polled[name][1]).lower()
    macs, names = client_macs(name), user_names(name)
    assert bool(macs) == bool(RECORDINGS[name].clients)
    octets = r"[0-9a-f]{2}"
    seen = set(re.findall(rf"(?<![0-9a-f])(?:{octets}[:-]?){{5}}{octets}(?![0-9a-f])", text))
    assert {bytes.fromhex(re.sub("[:-]", "", mac)) for mac in seen}.isdisjoint(macs)
    dotted = set(re.findall(r"(?<![0-9.])(?:[0-9]{1,3}\.){5}[0-9]{1,3}(?![0-9.])", text))
    assert dotted.isdisjoint(".".join(map(str, mac)) for mac in macs)
    words = set(re.findall(r"[^\s,=\"]+", text))
    assert words.isdisjoint(user.lower() for user in names)


@pytest.mark.parametrize("name", RECORDINGS)
def test_values_are_physical(all_polled: Polled, name: str) -> None:
    limits = {
        "noise": (-127, -60),
        "transmit_power": (0, 40),
        "utilisation": (0, 100),
        "interference": (0, 100),
        "retries": (0, 100),
        "rssi_p10": (-110, -10),
        "rssi_p50": (-110, -10),
        "rssi_p90": (-110, -10),
        "snr_p50": (0, 90),
        "channel": (1, 177),
    }
    for reading in all_polled[name][1]:
        if reading.measurement in WIRELESS:
            for key, (low, high) in limits.items():
                value = reading.fields.get(key)
                assert value is None or low <= float(value) <= high, (reading.tags, key, value)


@pytest.mark.parametrize("name", RECORDINGS)
def test_samples_are_as_reviewed(all_polled: Polled, name: str) -> None:
    golden = GOLDEN / f"{name}.txt"
    found = sample(all_polled[name][1])
    if REWRITE in os.environ:
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


def test_page_states_the_counts(all_polled: Polled) -> None:
    found = table({name: yielded(readings) for name, (_, readings) in all_polled.items()})
    page = PAGE.read_text(encoding="utf-8")
    start = page.index("| recording |")
    end = page.index("\n\n", start) + 1
    if REWRITE in os.environ:
        page = page[:start] + found + page[end:]
        PAGE.write_text(page, encoding="utf-8")
    assert found in page


_SIGNALS: Final = range(-120, -9)
"""What can be a signal; -128, -1 and 0 stand for none."""


def _signals(
    clients: dict[str, bytes], bands: dict[str, str], rssi: dict[str, bytes]
) -> dict[tuple[str, str], list[int]]:
    """Return the signals that are known, by access point and band."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for client, access_point in clients.items():
        if client in rssi and int(rssi[client]) in _SIGNALS:
            found[access_point.hex(":"), bands.get(client, "")].append(int(rssi[client]))
    return found


def _summary(signals: list[int]) -> tuple[float, float, float, int, int]:
    tenths = statistics.quantiles(signals, n=10, method="inclusive") if len(signals) > 1 else []
    low, high = (tenths[0], tenths[-1]) if tenths else (signals[0], signals[0])
    weak = [sum(1 for signal in signals if signal < limit) for limit in (-67, -75)]
    return low, statistics.median(signals), high, weak[0], weak[1]


def _base_macs(readings: list[Reading]) -> dict[str, str]:
    return {
        reading.tags["device"]: str(reading.fields["bssid"])
        for reading in readings
        if reading.measurement == "radio" and reading.tags["radio"] == "0"
    }


@pytest.mark.parametrize("name", ["cisco-controller", "huawei-acu2"])
def test_signals_are_summarised_as_statistics_does(all_polled: Polled, name: str) -> None:
    readings = all_polled[name][1]
    bssids = _base_macs(readings)
    if name == "cisco-controller":
        clients = column(name, "14179.2.1.4.1.4")
        slots = column(name, "14179.2.1.4.1.5")
        bands = {client: {b"0": "2.4", b"1": "5"}[slot] for client, slot in slots.items()}
        rssi = column(name, "14179.2.1.6.1.1")
    else:
        clients = column(name, "2011.6.139.18.1.2.1.3")
        channels = column(name, "2011.6.139.18.1.2.1.9")
        bands = {client: "2.4" if int(ch) <= 14 else "5" for client, ch in channels.items()}
        rssi = column(name, "2011.6.139.18.1.2.1.42")
    expected = {
        place: pytest.approx(_summary(signals))
        for place, signals in _signals(clients, bands, rssi).items()
        if place[0] in bssids.values()
    }
    found = {
        (bssids[reading.tags["device"]], reading.tags.get("band", "")): tuple(
            reading.fields[key]
            for key in ("rssi_p10", "rssi_p50", "rssi_p90", "below_67", "below_75")
        )
        for reading in readings
        if reading.measurement == "wifi_clients"
        and reading.fields["measured"]
        and reading.tags["device"] in bssids
    }
    assert len(found) > 40
    assert found == expected
