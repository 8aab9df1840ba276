from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_agents.sources.snmp.text import clean, decode_text


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"GigabitEthernet1/0/1", "GigabitEthernet1/0/1"),
        ("三楼机房".encode(), "三楼机房"),
        ("三楼机房".encode("gbk"), "三楼机房"),
        (bytes.fromhex("d6d0cec4"), "中文"),  # sysLocation of a recorded Ruijie S5750
        ("教学楼A栋3层-弱电间".encode("gbk"), "教学楼A栋3层-弱电间"),
        ("接入交换机1#（备用）".encode("gbk"), "接入交换机1#（备用）"),
        ("朱镕基图书馆".encode("gbk"), "朱镕基图书馆"),  # 镕 is outside GB 2312
        ("𠀀号楼".encode("gb18030"), "𠀀号楼"),
        ("鑫".encode("gbk"), "鑫"),  # of the second level
        ("三楼机房".encode()[:-1], "三楼机"),
        ("三楼机房".encode("gbk")[:-1], "三楼机"),
        ("гимназия №5".encode(), "гимназия №5"),
        ("Κεντρικό".encode(), "Κεντρικό"),
        ("Učebna č. 12".encode(), "Učebna č. 12"),
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


@pytest.mark.parametrize(
    "text",
    [
        "Café",
        "Zürich",
        "Zimmer Süd",
        "Lehrerzimmer Größe 25 m²",
        "Ärztezimmer Höhe",
        "Großübung",
        "Bibliothèque élève",
        "Habitación nº 5",
        "Gebäude Ost, 40 °C",
        "Førsteetasje",
        "Smörgåsbord på övervåningen",
        "Straße",
        "naïve çà et là",
    ],
)
def test_latin_1_is_not_taken_for_chinese(text: str) -> None:
    assert decode_text(text.encode("latin-1")) == text
    assert decode_text(text.encode()) == text


COMMON = [
    bytes((lead, trail)).decode("gb2312")
    for lead in range(0xB0, 0xD7)
    for trail in range(0xA1, 0xFF)
]


@given(
    st.lists(st.sampled_from(COMMON), min_size=3),
    st.text("abcXYZ019-_/#. ", max_size=12),
)
def test_common_chinese_in_any_encoding_is_right(han: list[str], ascii_text: str) -> None:
    text = f"x{ascii_text}{''.join(han)}x"
    assert decode_text(text.encode()) == clean(text)
    assume(not _also_utf8(text.encode("gbk")))
    for encoding in ("gb2312", "gbk", "gb18030"):
        assert decode_text(text.encode(encoding)) == clean(text)


def _also_utf8(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_few_pairs_of_common_characters_are_ambiguous() -> None:
    """Two characters can be valid UTF-8 in GBK; which of them are misread is bounded."""
    misread = sum(
        decode_text((one + two).encode("gbk")) != one + two
        for one in COMMON[::7]
        for two in COMMON[::11]
    )
    assert misread / (len(COMMON[::7]) * len(COMMON[::11])) < 0.01


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_utf_8_with_chinese_in_it_is_kept(text: str) -> None:
    assert decode_text(f"{text}机房".encode()) == clean(f"{text}机房")
