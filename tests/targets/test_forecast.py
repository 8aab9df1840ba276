"""When a line is full: trends that are sure, that are not, and that are too short."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.forecast import SHORTEST, Outlook, forecast, theil_sen

FIRST = dt.date(2026, 9, 1)


def points(levels: list[float]) -> list[tuple[dt.date, float]]:
    return [(FIRST + dt.timedelta(number), level) for number, level in enumerate(levels)]


def test_a_slope_as_in_the_text_book() -> None:
    # Theil-Sen by hand: slopes 1, 1, 1, 1, 1, 1 but for one odd point, (4, 100).
    trend = theil_sen([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 100, 5])
    assert trend.slope == 1
    assert trend.low <= 1 <= trend.high


@given(st.floats(-5, 5), st.floats(-100, 100), st.integers(3, 40))
def test_a_straight_line_is_its_own_trend(slope: float, level: float, days: int) -> None:
    xs = [float(number) for number in range(days)]
    trend = theil_sen(xs, [level + slope * x for x in xs])
    assert trend.slope == pytest.approx(slope, abs=1e-9)
    assert trend.low <= trend.slope <= trend.high
    assert trend.level == pytest.approx(level + slope * xs[-1], abs=1e-6)


def test_a_steady_rise_is_dated() -> None:
    found = forecast(points([100 + 2 * day for day in range(60)]), 100 + 2 * 59 + 90)
    assert found.outlook is Outlook.DATED
    assert found.day == FIRST + dt.timedelta(59 + 45)


def test_noise_widens_the_interval_until_nothing_can_be_told() -> None:
    fortune = random.Random(7)
    noisy = [100 + 0.05 * day + fortune.uniform(-60, 60) for day in range(40)]
    assert forecast(points(noisy), 200).outlook is Outlook.CANNOT_TELL


def test_too_few_days_cannot_tell() -> None:
    assert forecast(points([float(day) for day in range(SHORTEST - 1)]), 40).outlook is (
        Outlook.CANNOT_TELL
    )


def test_full_already_and_never() -> None:
    assert forecast(points([90.0] * 30), 80).outlook is Outlook.FULL
    assert forecast(points([90.0 - day for day in range(30)]), 95).outlook is Outlook.NOT_IN_SIGHT
