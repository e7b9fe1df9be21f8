"""The one rule on how many months usage stands for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from offtake.planner.profile.stretch import MONTH, Stretch, stretch_of
from offtake.rating.source import LaneKey, Survey
from offtake.values.errors import InputError

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stretch(first: str, last: str, *grains: str, months: Fraction | None = None) -> Stretch:
    lanes = tuple(LaneKey("", "claude-opus-4.7", "realtime", "api", "", grain) for grain in grains)
    return stretch_of(Survey(lanes, at(first), at(last)), months)


@pytest.mark.parametrize(
    ("first", "last", "grains", "expected"),
    [
        pytest.param("2026-01-01", "2026-01-31T23:00", ["hour"], Fraction(1), id="a month"),
        pytest.param("2026-01-02", "2026-03-30", ["day"], Fraction(3), id="three months"),
        pytest.param("2025-12-01", "2026-01-31", ["day"], Fraction(2), id="over new year"),
        pytest.param("2026-01-10", "2026-01-19", ["day"], Fraction(10 * DAY / MONTH), id="ten days"),
        pytest.param("2026-01-10", "2026-01-19", ["request"], Fraction(10 * DAY / MONTH), id="ten days of requests"),
        pytest.param("2026-01-10", "2026-01-10", ["day"], Fraction(DAY / MONTH), id="a day"),
        pytest.param("2026-01-10T10:00", "2026-01-10T11:00", ["request"], Fraction(HOUR / MONTH), id="an hour"),
        pytest.param("2026-01-10T10:00", "2026-01-10T11:00", ["hour"], Fraction(2 * HOUR / MONTH), id="two hours"),
        pytest.param(
            "2026-01-10T10:00",
            "2026-01-10T10:59",
            ["request", "minute"],
            Fraction(HOUR / MONTH),
            id="by minute",
        ),
    ],
)
def test_what_the_times_of_usage_make_of_it(first: str, last: str, grains: list[str], expected: Fraction) -> None:
    assert float(expected) == pytest.approx(float(stretch(first, last, *grains).months), rel=1e-12)


def test_it_can_be_said_how_many_months_usage_stands_for() -> None:
    found = stretch("2026-01-10", "2026-01-10", "request", months=Fraction(4))

    assert (Decimal("0.25"), "(one instant) × 0.2500 is a month") == (found.per_month, found.words)


def test_an_instant_is_no_month() -> None:
    with pytest.raises(InputError, match="at one instant"):
        stretch("2026-01-10", "2026-01-10", "request")


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("2026-01-01", "2026-01-31T23:59", "(31 days) × 1.0000 is a month"),
        ("2026-01-10T10:00", "2026-01-10T11:00", "(60 minutes) × 730.5000 is a month"),
        ("2026-01-10T10:00", "2026-01-11T10:30", "(24.5 hours) × 29.8163 is a month"),
    ],
)
def test_it_is_said_in_the_unit_that_fits(first: str, last: str, words: str) -> None:
    assert words == stretch(first, last, "request").words
