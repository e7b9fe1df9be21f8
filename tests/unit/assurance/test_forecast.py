"""The level forecast: arithmetic by hand, and what it refuses to say."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.assurance.forecast import Level, Range, level

FIRST = date(2026, 1, 1)


def days(*amounts: int) -> dict[date, Decimal]:
    return {FIRST + timedelta(days=index): Decimal(amount) for index, amount in enumerate(amounts)}


def made(*amounts: int) -> Level:
    found = level(days(*amounts), FIRST, FIRST + timedelta(days=len(amounts)))
    assert found is not None
    return found


def test_an_even_draw_has_no_range() -> None:
    # 10 days of 2; 80 days to come: 160.
    assert Range(Decimal("160.00"), Decimal("160.00"), Decimal("160.00")) == made(*[2] * 10).rest(Decimal(80), 2)


def test_the_range_is_that_of_a_sum_whose_mean_is_estimated() -> None:
    # 1 and 3 in turn: mean 2, s² = 10/9. 80 days from 10: ± 1.440 × √(10/9) × √(80 + 80²/10) = ± 40.73.
    found = made(*[1, 3] * 5).rest(Decimal(80), 2)

    assert Range(Decimal("119.27"), Decimal("160.00"), Decimal("200.73")) == found


def test_four_whole_weeks_are_counted_in_weeks_the_latest_ones() -> None:
    # 30 days: the first two are no whole week. Weeks of 70, 70, 140, 140: mean 105.
    found = made(999, 999, *[10] * 14, *[20] * 14)

    assert (7, 4, Decimal(105)) == (found.days, found.seen, found.mean)
    assert Decimal(105) == found.rest(Decimal(7), 0).mid
    assert "the mean of 4 weeks" == str(found)


def test_only_eight_weeks_are_looked_at() -> None:
    assert Decimal(7) == made(*[1000] * 40, *[1] * 56).mean


def test_a_day_that_is_not_named_brought_nothing() -> None:
    found = level({FIRST: Decimal(10)}, FIRST, FIRST + timedelta(days=2))

    assert found is not None
    assert Decimal(5) == found.mean


def test_too_few_days_give_a_middle_without_a_range() -> None:
    assert made(1, 5).spread is None
    assert Range(Decimal(9), Decimal(9), Decimal(9)) == made(1, 5).rest(Decimal(3), 0)


def test_no_history_gives_no_level() -> None:
    assert level({}, FIRST, FIRST) is None


@pytest.mark.parametrize("amounts", [[0] * 9 + [90], [0] * 6 + [1]])
def test_the_rest_is_never_below_zero(amounts: list[int]) -> None:
    assert Decimal(0) == made(*amounts).rest(Decimal(1), 2).low


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=80), st.integers(0, 400))
def test_low_is_below_middle_is_below_high(amounts: list[int], ahead: int) -> None:
    found = made(*amounts).rest(Decimal(ahead), 2)

    assert Decimal(0) <= found.low <= found.mid <= found.high
