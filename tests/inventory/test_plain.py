"""The fast reader of YAML reads what it reads as the exact one does."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.inventory.documents import parse_document, read_exactly
from campuswatch.inventory.plain import NOT_PLAIN, read_plain
from campuswatch.inventory.problems import InventoryError

ROOT: Final = Path(__file__).parents[2]
FILES: Final = sorted([*ROOT.glob("config/**/*.yaml"), *ROOT.glob("edge_agents/**/*.yaml")])

_SCALARS: Final = r"""
yes no on off true False ~ null 0 -1 +1 010 0o17 0x1F 0b1 1_000 1:30 12:30:45 1.5 -0.5 1e3 1.0e-9
.5 5. .inf .nan 2026-09-01 << = text 1.3.6.1 a:b a#b '' 'x' "y" "\u00e9" "\/" 'it''s' &a *a !!str
!x | > {} [] {a:b} [a,b] [a:b] {a} 6e ng - ? : @x `x` %x 空 é
"""
SCALARS: Final = st.sampled_from(_SCALARS.split())
KEYS: Final = st.sampled_from(["a", "b", "c", "1", "true", "'a'", "*a", "? a", "<<", "空", "x y"])
LINES: Final = st.builds(
    "{}{}: {}{}".format,
    st.sampled_from(["", "", "  ", "- ", "    "]),
    KEYS,
    SCALARS,
    st.sampled_from(["", "", " # note", " and more", "\u2028z", "\tz", " &b"]),
)


def _exactly(text: str) -> object:
    try:
        return read_exactly(Path("any.yaml"), text)
    except InventoryError:
        return None


def _same(one: object, other: object) -> bool:
    return repr(one) == repr(other)  # 1, 1.0 and True are equal, and not the same


@given(st.lists(LINES, min_size=1, max_size=6).map("\n".join))
def test_what_is_read_fast_is_what_is_read_exactly(text: str) -> None:
    fast = read_plain(text)
    assert fast is NOT_PLAIN or _same(fast, _exactly(text))


@given(st.text(alphabet="ab1: -#'\"{}[],&*!|>%?\n\\._é", max_size=40))
def test_so_is_any_text(text: str) -> None:
    fast = read_plain(text)
    assert fast is NOT_PLAIN or _same(fast, _exactly(text))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_so_are_the_files_that_come_along(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    fast = read_plain(text)
    assert fast is NOT_PLAIN or _same(fast, read_exactly(path, text))


def test_profiles_are_read_fast() -> None:
    profiles = [path for path in FILES if "profiles" in path.parts]
    texts = [path.read_text(encoding="utf-8") for path in profiles]
    assert profiles
    assert all(read_plain(text) is not NOT_PLAIN for text in texts)


def test_lines_are_known_after_fast_reading() -> None:
    document = parse_document(Path("any.yaml"), "a: 1\nb:\n  - c: 2\n")
    assert document.data == {"a": 1, "b": [{"c": 2}]}
    assert document.line(("b", 0, "c")) == 3
