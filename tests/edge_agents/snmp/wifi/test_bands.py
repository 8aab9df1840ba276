"""From channels and frequencies to bands, as columns say them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agents.sources.snmp.cells import decoder
from edge_agents.sources.snmp.profile import Column

_OID = "1.3.6.1.4.1.99999.1"
CHANNEL = decoder(Column(oid=_OID, band="channel"))
FREQUENCY = decoder(Column(oid=_OID, band="frequency"))


@given(st.integers(1, 13))
def test_channel_and_frequency_agree_at_2_4_ghz(channel: int) -> None:
    assert CHANNEL(channel) == FREQUENCY(2407 + 5 * channel) == "2.4"


@given(st.sampled_from([*range(36, 65, 4), *range(100, 145, 4), *range(149, 178, 4)]))
def test_channel_and_frequency_agree_at_5_ghz(channel: int) -> None:
    assert CHANNEL(channel) == FREQUENCY(5000 + 5 * channel) == "5"


@given(st.integers(1, 233))
def test_frequency_alone_tells_6_ghz(channel: int) -> None:
    assert FREQUENCY(5950 + 5 * channel) == "6"
    assert CHANNEL(channel) != "6"


@given(st.integers(-1000, 0) | st.integers(178, 10_000))
def test_what_is_no_channel_has_no_band(channel: int) -> None:
    assert CHANNEL(channel) is None
