"""Names and numbers of Wi-Fi (IEEE 802.11) that several rooms share."""

from __future__ import annotations

import re
from typing import Final

_MAC: Final = re.compile(r"(?:[0-9a-f]{2}[:-]?){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}")

_BANDS: Final = ((1, 14, "2.4"), (32, 177, "5"))
_BANDS_MHZ: Final = ((2400, 2500, "2.4"), (4900, 5925, "5"), (5925, 7125, "6"))


def normalise_bssid(text: str) -> str:
    """Return a BSSID as lower-case octets with colons.

    Raises:
        ValueError: it is none.
    """
    spelt = text.strip().lower()
    if not _MAC.fullmatch(spelt):
        raise ValueError("expected a BSSID such as 00:11:22:33:44:55")
    digits = re.sub("[^0-9a-f]", "", spelt)
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def band_of_channel(channel: int) -> str:
    """Return the band of a channel, "2.4" or "5"; "" if it is in neither.

    The numbers of 6 GHz channels are those of other bands as well, so that a
    number alone never means them.
    """
    return next((band for low, high, band in _BANDS if low <= channel <= high), "")


def band_of_frequency(frequency: float) -> str:
    """Return the band of a frequency in MHz, "2.4", "5" or "6"; "" if it is in none."""
    return next((band for low, high, band in _BANDS_MHZ if low <= frequency < high), "")
