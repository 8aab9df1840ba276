"""Ids made of names that were given elsewhere."""

from __future__ import annotations

import re


def slug(name: str) -> str:
    """Return the id that a name becomes: "SW-A 1.2" gives "sw-a-1-2"; "" if nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
