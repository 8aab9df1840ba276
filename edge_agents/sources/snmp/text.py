"""DisplayStrings as devices really send them.

SnmpAdminString is UTF-8 (RFC 3411) and DisplayString NVT ASCII (RFC 2579), but
Chinese vendors send GBK, European ones Latin-1, and many devices NUL-padded C
buffers, which cut a character in two where they end.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import Final

_COMMON: Final = range(0xB0, 0xD8)
"""Lead bytes of GB 2312's first level: the 3,755 characters that most text is made of."""

_LATIN_END: Final = 0x180  # after Latin Extended-A
_GREEK_AND_CYRILLIC: Final = frozenset(map(chr, range(0x370, 0x500)))

_BESIDE_LETTERS: Final = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")


def decode_text(octets: bytes) -> str:
    """Return octets as text: UTF-8, else GB 18030 if that makes Chinese, else Latin-1.

    Nearly all Latin-1 is valid GB 18030 as well (a superset of GBK and GB 2312).
    It is told by the characters that it would make: an accented letter with the
    ASCII letter after it is a rare character of GBK's, outside GB 2312.

    What follows a NUL is the rest of a C buffer, and dropped, and so is half a
    character at the end; line breaks and tabs become spaces; other control
    characters are dropped.
    """
    octets = octets.partition(b"\0")[0]
    utf8, chinese = _decoded(octets, "utf-8"), _decoded(octets, "gb18030")
    if utf8 is not None and _is_plausible(utf8):
        return clean(utf8)
    if chinese is not None and _is_chinese(chinese, octets):
        return clean(chinese)
    return clean(octets.decode("latin-1") if utf8 is None else utf8)


def _decoded(octets: bytes, encoding: str) -> str | None:
    """Return text without a character that is cut off at its end; None if it is no such text."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(octets)
    except UnicodeDecodeError:
        return None
    cut_off = bool(decoder.getstate()[0])
    # Without another such character, that one is rather of another encoding.
    return None if cut_off and text.isascii() else text


def _is_plausible(text: str) -> bool:
    """Return whether valid UTF-8 is meant as such.

    Every fifth common Chinese character in GBK is two octets of valid UTF-8
    too, and would mostly be a letter of a script that no device's operator uses.
    """
    return max(text, default="") >= "\u0800" or all(
        ord(char) < _LATIN_END or char in _GREEK_AND_CYRILLIC for char in text
    )


def _is_chinese(text: str, octets: bytes) -> bool:
    common = rare = 0
    for char in text:
        if not char.isascii():
            try:
                common += char.encode("gb2312")[0] in _COMMON
            except UnicodeEncodeError:
                rare += 1
    if common:
        return common >= rare
    return not rare and not _BESIDE_LETTERS.search(octets)


def clean(text: str) -> str:
    """Return text on one line, without control characters and outer spaces."""
    if text.isprintable():
        return text.strip()
    words = " ".join(text.split())
    return "".join(char for char in words if unicodedata.category(char) != "Cc")
