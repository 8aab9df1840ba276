"""Which language a page speaks, and how it tells lengths of time."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campuswatch.language import Language
from console import language
from console.language import Words, preferred


@pytest.mark.parametrize(
    ("chosen", "accepted", "expected"),
    [
        (None, "", Language.EN),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", Language.ZH),
        (None, "en-GB,en;q=0.9,zh;q=0.1", Language.EN),
        (None, "fr,de;q=0.8", Language.EN),
        (None, "en;q=0.2, zh;q=0.3", Language.ZH),
        (None, "zh;q=0", Language.EN),
        (None, "zh;q=rubbish", Language.EN),
        ("zh", "en", Language.ZH),
        ("en", "zh", Language.EN),
        ("../../etc", "zh", Language.ZH),
    ],
)
def test_the_address_wins_over_the_browser(
    chosen: str | None, accepted: str, expected: Language
) -> None:
    assert preferred(chosen, accepted) is expected


@given(st.text(max_size=200))
def test_no_header_is_too_strange(accepted: str) -> None:
    assert preferred(None, accepted) in Language


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-5, "0 s"),
        (0.9, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (86_400, "1 d"),
        (90_061, "1 d 1 h"),
        (28 * 86_400, "28 d"),
    ],
)
def test_lengths_of_time(seconds: float, expected: str) -> None:
    assert Words(Language.EN).duration(seconds) == expected


def test_both_languages_fill_the_same_blanks() -> None:
    for key, (english, chinese) in language._WORDS.items():
        blanks = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (english, chinese)
        ]
        assert blanks[0] == blanks[1], key


def test_every_state_has_a_name() -> None:
    for kind, names in language._NAMES.items():
        assert set(names) == set(kind)
