"""Which addresses a sweep asks."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.errors import UserError
from edge_agents.discovery.ranges import read_range


@given(st.ip_addresses(v=4, network="10.0.0.0/8"), st.integers(22, 32), st.integers(24, 32))
def test_all_hosts_but_the_excluded_are_asked(
    address: ipaddress.IPv4Address, length: int, excluded_length: int
) -> None:
    network = ipaddress.ip_network(f"{address}/{length}", strict=False)
    excluded = ipaddress.ip_network(f"{address}/{excluded_length}", strict=False)
    swept = read_range(str(network), [str(excluded)], 4096)
    assert set(swept.addresses()) == {str(host) for host in network.hosts() if host not in excluded}
    assert not swept.has(str(address))
    assert {str(each) for each in network if swept.has(str(each))} == set(swept.addresses())


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.9.9.9", True),
        ("fd00::1", True),
        ("8.8.8.8", False),
        ("10.0.0.77", False),
        ("0.0.0.0", False),
        ("239.1.1.1", False),
        ("switch.example", False),
        ("", False),
    ],
)
def test_only_private_addresses_are_followed(address: str, expected: bool) -> None:
    assert read_range("10.0.0.0/24", ["10.0.0.77/32"], 4096).may_follow(address) is expected


def test_a_range_that_is_meant_may_be_large() -> None:
    with pytest.raises(UserError, match=r"or --limit 65536 if all of them are meant"):
        read_range("10.1.0.0/16", [], 4096)
    assert len(read_range("10.1.0.0/16", [], 65536).addresses()) == 65534
