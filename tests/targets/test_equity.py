"""The gap between schools, against values computed by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.equity import quartiles, quintile_ratio, theil
from targets.scorecard import Mark, ranks, score
from targets.verdicts import Share

GROUPS = st.dictionaries(
    st.sampled_from(["urban", "town", "rural"]),
    st.lists(st.floats(0.01, 1e4), min_size=1, max_size=8),
    min_size=1,
)


def test_theil_of_two_is_what_paper_says() -> None:
    # Shares 1/4 and 3/4 of two: ln 2 + 1/4 ln 1/4 + 3/4 ln 3/4.
    found = theil({"urban": [3.0], "rural": [1.0]})
    assert found is not None
    assert found.total == pytest.approx(math.log(2) + 0.25 * math.log(0.25) + 0.75 * math.log(0.75))
    assert found.total == pytest.approx(0.130812, abs=1e-6)
    assert found.between == pytest.approx(found.total)


def test_theil_falls_apart_by_hand() -> None:
    # Means 2 and 6 of 4: between is (2 * 0.5 ln 0.5 + 2 * 1.5 ln 1.5) / 4.
    found = theil({"rural": [1, 3], "urban": [4, 8]})
    assert found is not None
    assert found.between == pytest.approx(0.5 * (0.5 * math.log(0.5) + 1.5 * math.log(1.5)))
    within = (
        0.25 * 0.130812035941137 + 0.75 * (2 / 3 * math.log(2 / 3) + 4 / 3 * math.log(4 / 3)) / 2
    )
    assert found.within == pytest.approx(within)


def test_theil_of_one_who_has_all_is_the_logarithm_of_how_many() -> None:
    found = theil({"a": [0, 0, 0], "b": [0, 7]})
    assert found is not None
    assert found.total == pytest.approx(math.log(5))
    assert theil({"a": [0, 0]}) is None
    assert theil({}) is None
    with pytest.raises(ValueError, match="at least 0"):
        theil({"a": [-1]})


@given(GROUPS, st.floats(0.1, 100))
def test_theil_is_within_its_bounds_and_has_no_unit(
    groups: dict[str, list[float]], scale: float
) -> None:
    found = theil(groups)
    scaled = theil({name: [scale * value for value in own] for name, own in groups.items()})
    assert found is not None
    assert scaled is not None
    count = sum(map(len, groups.values()))
    assert -1e-9 <= found.between <= found.total + 1e-9 <= math.log(count) + 2e-9
    assert scaled.total == pytest.approx(found.total, abs=1e-9)
    assert scaled.between == pytest.approx(found.between, abs=1e-9)


def test_quartiles_are_those_of_a_spreadsheet() -> None:
    found = quartiles([1, 2, 4, 7, 8, 9, 10, 12])  # Excel's help on QUARTILE.INC has 3.5
    assert found is not None
    assert (found.first, found.median, found.third) == (3.5, 7.5, 9.25)
    assert quartiles([]) is None
    single = quartiles([3])
    assert single is not None
    assert single.first == single.third == 3


def test_quintile_ratio() -> None:
    assert quintile_ratio([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) == pytest.approx(3 / 19)
    assert quintile_ratio([4, 3, 2, 1]) is None
    assert quintile_ratio([0, 0, 0, 0, 0]) is None


def test_scores_cap_what_is_more_than_promised_and_share_ranks() -> None:
    full = Share(attained=99.9, low=99.9, high=99.9)
    half = Share(attained=45, low=40, high=50)
    none = Share(attained=None, low=0, high=100)
    assert score([Mark(99, full), Mark(90, half), Mark(90, none)]) == pytest.approx(75)
    assert score([Mark(90, none)]) is None
    assert ranks({"a": 80, "b": 90, "c": None, "d": 80, "e": 70}) == {
        "a": 2,
        "b": 1,
        "d": 2,
        "e": 4,
    }
