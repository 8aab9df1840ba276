"""Phrases that several checks of the inventory share."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

_LIKE_KEYS: Final = 0.7
_LIKE_IDS: Final = 0.8
"""Share of letters in common from which on a word is a misspelling of another:
ids of one school begin alike, and so must agree in more."""


def nearest(word: str, known: Sequence[str], likeness: float = _LIKE_KEYS) -> str | None:
    """Return the known word that was probably meant."""
    matches = difflib.get_close_matches(word, known, n=1, cutoff=likeness)
    return matches[0] if matches else None


def unknown(noun: str, word: str, known: Sequence[str], place: str) -> str:
    """Return the message for a reference to something that does not exist."""
    problem = f"{noun} {word!r} is not in {place}; "
    if near := nearest(word, known, _LIKE_IDS):
        return f"{problem}did you mean {near!r}?"
    if not known:
        return f"{problem}there is none yet"
    return f"{problem}expected one of {', '.join(known[:8])}{', …' if len(known) > 8 else ''}"
