"""What uplinks of LoRaWAN network servers have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from edge_agents.sources.mqtt import quantities as q
from edge_agents.sources.mqtt.findings import Findings
from edge_agents.sources.mqtt.messages import member

_WORST_SNR: Final = -20.0  # dB; below it nothing is received, whatever the spreading factor
_BEST_SNR: Final = 10.0  # dB; radios report little more
_DEPTH: Final = 3


def take_link(found: Findings, gateways: object) -> None:
    """Take the link quality: the SNR at the best gateway, −20 dB as 0 % and +10 dB as 100 %.

    Args:
        found: takes it.
        gateways: a list of objects with an `snr` in dB.
    """
    if not isinstance(gateways, list):
        return
    given = [member(gateway, "snr") for gateway in gateways]
    numbers = [float(snr) for snr in given if isinstance(snr, int | float) and abs(snr) < 1000]
    if numbers:
        share = (max(numbers) - _WORST_SNR) / (_BEST_SNR - _WORST_SNR)
        found.take("snr", q.LINK_QUALITY, 100 * min(1.0, max(0.0, share)))


def take_decoded(found: Findings, decoded: Mapping[str, object]) -> None:
    """Take the values of a payload formatter or codec, by the words in their names."""
    for name, value in _values(decoded, "", _DEPTH):
        found.take(name, q.quantity_of(name), value)


def _values(group: Mapping[str, object], before: str, depth: int) -> Iterator[tuple[str, object]]:
    """Yield names and values, also of groups such as {"air": {"temperature": 21}}."""
    for key, value in group.items():
        name = f"{before}{key}"
        if isinstance(value, dict):
            if depth > 1:
                yield from _values(value, f"{name}.", depth - 1)
        elif not isinstance(value, list):
            yield name, value
