"""Burst over an averaging window, and seats: the pure arithmetic, with the figures of their docstrings."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.contract.schema.fees import Seats
from offtake.rating.clauses.burst import Month, overage, peak_overage
from offtake.rating.clauses.seats import floor, price_of
from offtake.values.periods import Interval

JANUARY = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))


def months(*used: int, allowance: int = 100, up_to: str = "2") -> list[Month]:
    return [Month(JANUARY, Decimal(allowance), Decimal(each), Decimal(up_to)) for each in used]


@pytest.mark.parametrize(
    ("used", "over"),
    [
        ((200, 50, 50), 0),
        ((250, 50, 50), 50),
        ((200, 100, 100), 100),
        ((250, 100, 100), 150),
        ((100, 100, 100), 0),
        ((0, 0, 0), 0),
    ],
)
def test_overage_of_a_quarter(used: tuple[int, ...], over: int) -> None:
    """max(Σ max(0, u − 2A), Σ u − 3A) with A = 100."""
    assert over == overage(months(*used))


@given(st.lists(st.integers(0, 500), min_size=1, max_size=12))
def test_overage_lies_between_its_two_measures(used: list[int]) -> None:
    """Never below what lies above the peak, never below what lies above the average, never above both together."""
    found = months(*used)
    peaks = sum(peak_overage(month) for month in found)
    average = max(Decimal(0), Decimal(sum(used) - 100 * len(used)))

    assert overage(found) == max(peaks, average)
    assert overage(found) <= sum(used)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=12))
def test_usage_within_its_allowance_is_never_over(used: list[int]) -> None:
    assert 0 == overage(months(*used))


def seats(**changes: object) -> Seats:
    return Seats.model_validate({"count": 2_000, "price": "40 USD / month", **changes}, by_alias=True)


TIERS = [
    {"up_to": 100, "price": "50 USD / month"},
    {"up_to": 1_000, "price": "40 USD / month"},
    {"price": "30 USD / month"},
]


@pytest.mark.parametrize(("count", "cost"), [(0, 0), (100, 5_000), (101, 5_040), (1_000, 41_000), (1_500, 56_000)])
def test_seats_pay_the_band_that_they_fall_in(count: int, cost: int) -> None:
    """100 × 50, then 900 × 40, then 30 each."""
    assert cost == price_of(seats(tiers=TIERS), count)


def test_a_seat_without_tiers_costs_its_price() -> None:
    assert 80_000 == price_of(seats(), 2_000)


@pytest.mark.parametrize(("year", "least"), [(0, 2_000), (1, 1_800), (2, 1_620)])
def test_the_count_falls_by_the_true_down_at_most(year: int, least: int) -> None:
    assert least == floor(seats(true_down="10% / year"), year)


@given(st.integers(0, 3_000), st.integers(0, 3_000))
def test_more_seats_never_cost_less(count: int, more: int) -> None:
    assert price_of(seats(tiers=TIERS), count) <= price_of(seats(tiers=TIERS), count + more)
