from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agents.sources.snmp.text import decode_text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"GigabitEthernet1/0/1", "GigabitEthernet1/0/1"),
        ("三楼机房".encode(), "三楼机房"),
        ("三楼机房".encode("gbk"), "三楼机房"),
        ("Café".encode("latin-1"), "Café"),
        (b"eth0\0\0\0\0", "eth0"),
        (b"eth0\0rubbish", "eth0"),
        (b"Version 5.20\r\nRelease 1513", "Version 5.20 Release 1513"),
        (b"\x07bell\x1b[0m", "bell[0m"),
        (b"  padded  ", "padded"),
        (b"", ""),
    ],
)
def test_text(octets: bytes, text: str) -> None:
    assert decode_text(octets) == text


@given(st.binary(max_size=80))
def test_any_octets_are_some_text_on_one_line(octets: bytes) -> None:
    text = decode_text(octets)
    assert "\0" not in text
    assert len(text.splitlines()) <= 1
