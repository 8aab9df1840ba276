"""Recordings hold no client's address or name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_agents.sources.snmp.masking import masked
from edge_agents.sources.snmp.session import Value

CLIENT = bytes.fromhex("001a2b3c4d5e")
SWITCH = bytes.fromhex("0cc47a000001")
IN_OID = ".".join(map(str, CLIENT))
FDB = "1.3.6.1.2.1.17.7.1.2.2.1.2.100"
ASSOCIATED = "1.3.6.1.4.1.14179.2.1.4.1"

WALK: list[tuple[str, Value]] = [
    ("1.3.6.1.2.1.1.5.0", b"switch-1"),
    ("1.3.6.1.2.1.2.2.1.6.1", SWITCH),
    (f"{FDB}.{IN_OID}", 7),
    (f"{ASSOCIATED}.1.{IN_OID}", CLIENT),
    (f"{ASSOCIATED}.3.{IN_OID}", b"wang.fang"),
    ("1.3.6.1.4.1.9.5.1", SWITCH),
]


def test_what_a_device_says_of_itself_stays() -> None:
    rows = dict(masked(WALK))
    assert rows["1.3.6.1.2.1.1.5.0"] == b"switch-1"
    assert rows["1.3.6.1.2.1.2.2.1.6.1"] == SWITCH
    assert rows["1.3.6.1.4.1.9.5.1"] == SWITCH


def test_no_client_is_left_and_each_is_the_same_everywhere() -> None:
    rows = list(masked(WALK))
    bridged, associated, name = rows[2], rows[3], rows[4]
    assert IN_OID not in " ".join(oid for oid, _ in rows)
    assert isinstance(associated[1], bytes)
    pseudonym = ".".join(map(str, associated[1]))
    assert bridged == (f"{FDB}.{pseudonym}", 7)
    assert associated[0] == f"{ASSOCIATED}.1.{pseudonym}"
    assert name[0] == f"{ASSOCIATED}.3.{pseudonym}"
    assert isinstance(name[1], bytes)
    assert name[1].startswith(b"user-")
    assert b"wang" not in name[1]


def test_a_pseudonym_is_a_local_address_and_not_to_be_guessed() -> None:
    first, second = (dict(masked(WALK)) for _ in range(2))
    assert first.keys() != second.keys()
    (address,) = [v for oid, v in first.items() if oid.startswith(f"{ASSOCIATED}.1.")]
    assert isinstance(address, bytes)
    assert address[0] & 0x03 == 0x02


@given(st.lists(st.binary(min_size=6, max_size=6), min_size=1, max_size=20, unique=True))
def test_masking_keeps_every_row(addresses: list[bytes]) -> None:
    walk: list[tuple[str, Value]] = [
        (f"{FDB}.{'.'.join(map(str, address))}", number) for number, address in enumerate(addresses)
    ]
    assert [value for _, value in masked(walk)] == [value for _, value in walk]
