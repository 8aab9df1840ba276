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


def _arp(address: str, mac: bytes) -> list[tuple[str, Value]]:
    row = f"3.{address}"
    return [
        (f"1.3.6.1.2.1.4.22.1.2.{row}", mac),
        (f"1.3.6.1.2.1.4.22.1.3.{row}", address),
    ]


def test_no_ip_address_of_a_client_is_left() -> None:
    walk: list[tuple[str, Value]] = [
        ("1.3.6.1.2.1.4.20.1.1.10.1.0.1", "10.1.0.1"),
        *_arp("10.1.0.1", SWITCH),
        *_arp("10.1.7.7", CLIENT),
        ("1.3.6.1.2.1.4.35.1.4.3.1.4.10.1.7.7", CLIENT),
        (f"{ASSOCIATED}.2.{IN_OID}", "10.1.7.7"),
        (f"{ASSOCIATED}.9.{IN_OID}", b"10.1.7.7"),
        ("1.3.6.1.4.1.9.10.1.7.7", 7),
    ]
    rows = list(masked(walk))
    assert rows[0] == walk[0]
    assert rows[2] == walk[2]
    pseudonym = rows[4][1]
    assert isinstance(pseudonym, str)
    assert pseudonym.startswith("100.64.")
    assert rows[4][0] == f"1.3.6.1.2.1.4.22.1.3.3.{pseudonym}"
    assert rows[5][0] == f"1.3.6.1.2.1.4.35.1.4.3.1.4.{pseudonym}"
    assert rows[6][1] == pseudonym
    assert rows[7][1] == pseudonym.encode()
    assert rows[8] == walk[8], "no table of clients, and no address"


def test_the_addresses_of_neighbours_stay() -> None:
    neighbour: tuple[str, Value] = ("1.0.8802.1.1.2.1.4.2.1.3.0.7.1.1.4.10.1.0.2", 2)
    walk = [neighbour, *_arp("10.1.0.2", SWITCH)]
    assert "1.3.6.1.2.1.4.22.1.3.3.10.1.0.2" in dict(masked(walk))


@given(st.sets(st.ip_addresses(v=4).map(str), max_size=30))
def test_masking_keeps_clients_apart(addresses: set[str]) -> None:
    walk = [row for address in sorted(addresses) for row in _arp(address, CLIENT)]
    assert len(dict(masked(walk))) == len(walk)
