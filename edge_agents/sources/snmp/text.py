"""DisplayStrings as devices really send them.

SnmpAdminString is UTF-8 (RFC 3411) and DisplayString NVT ASCII (RFC 2579), but
Chinese vendors send GBK, and many devices send NUL-padded C buffers.
"""

from __future__ import annotations

import unicodedata


def decode_text(octets: bytes) -> str:
    """Return octets as text: UTF-8, else GB 18030 (a superset of GBK), else Latin-1.

    Most Latin-1 is GBK too, so that this is right in a Chinese district and
    wrong for a device elsewhere that does not send UTF-8.

    What follows a NUL is the rest of a C buffer, and dropped; line breaks and
    tabs become spaces; other control characters are dropped.
    """
    octets = octets.partition(b"\0")[0]
    for encoding in ("utf-8", "gb18030"):
        try:
            return clean(octets.decode(encoding))
        except UnicodeDecodeError:
            continue
    return clean(octets.decode("latin-1"))


def clean(text: str) -> str:
    """Return text on one line, without control characters and outer spaces."""
    if text.isprintable():
        return text.strip()
    words = " ".join(text.split())
    return "".join(char for char in words if unicodedata.category(char) != "Cc")
