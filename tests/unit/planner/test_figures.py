"""The figures of a profile: growth, peaks, failures, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from offtake.planner.profile.figures import Growth, Profile, Reach, figures
from offtake.planner.profile.model_choice import ModelCost, cheapest_by_ratio
from offtake.planner.profile.traffic import observe
from offtake.usage.record import UsageRecord

START = datetime(2026, 3, 1, tzinfo=UTC)


def row(hours: float, tokens: int = 100, **changes: object) -> UsageRecord:
    plain: dict[str, object] = {
        "id": f"{hours}/{tokens}",
        "used_at": START + timedelta(hours=hours),
        "model": "claude-opus-4.7",
        "quantities": {"input_tokens": tokens},
    }
    return UsageRecord(**{**plain, **changes})  # type: ignore[arg-type]


def profile_of(*records: UsageRecord) -> Profile:
    (traffic,) = observe(records)
    return figures(traffic)


def test_growth_compares_whole_weeks_and_leaves_out_days_that_may_be_cut_off() -> None:
    """Day 0 and day 15 are left out: 7 days of 300 against 7 of 200."""
    days = [row(24 * day + 12, 9_999 if day in (0, 15) else 300 if day > 7 else 200) for day in range(16)]

    assert Growth(Decimal("0.5"), 7) == profile_of(*days).growth


def test_daily_rows_are_whole_days() -> None:
    days = [row(24 * day, 300 if day > 6 else 200, grain="day", count=3) for day in range(14)]
    found = profile_of(*days)

    assert Growth(Decimal("0.5"), 7) == found.growth
    assert found.peak_to_mean is None
    assert found.input
    assert (Decimal("83.3"), None) == (found.input.mean, found.input.p50)


def test_fifteen_days_are_too_few_to_speak_of_growth() -> None:
    assert profile_of(*(row(24 * day) for day in range(15))).growth is None


def test_growth_from_nothing_is_not_known() -> None:
    assert profile_of(row(0), *(row(24 * day) for day in range(10, 17))).growth is None


def test_the_peak_is_the_busiest_hour_against_the_mean_hour() -> None:
    """400 tokens in four hours, 250 of them in one: 250 / 100."""
    assert Decimal("2.5") == profile_of(row(0.5, 50), row(1.1, 250), row(3.9, 100)).peak_to_mean


def test_two_hours_have_no_peak() -> None:
    assert profile_of(row(0), row(1)).peak_to_mean is None


def test_failures_are_shares_of_what_is_known() -> None:
    outcomes = ("ok", "ok", "http_5xx", "vendor_truncation")
    rows = [row(number, outcome=outcome) for number, outcome in enumerate(outcomes)]
    unknown = row(9, grain="hour", count=4, outcome=None)
    found = profile_of(*rows, unknown)

    assert (Decimal("0.25"), Decimal("0.25")) == (found.failed, found.truncated)
    assert Decimal("0.5") == found.outcomes["unknown"]


def test_outcomes_that_nothing_says_are_not_known() -> None:
    found = profile_of(row(0, grain="hour", outcome=None))

    assert (None, None) == (found.failed, found.truncated)


def test_reach_counts_all_input_and_edges_belong_to_it() -> None:
    cached = {"input_tokens": 24, "cache_read_tokens": 1_000}
    found = profile_of(row(0, 1_023), row(1, quantities=cached), row(2, 4_096))

    assert Reach(1_024, Decimal("0.6667"), Decimal("0.8335")) == found.reaches[0]
    assert Reach(4_096, Decimal("0.3333"), Decimal("0.6668")) == found.reaches[1]
    assert Decimal("0.1628") == found.cache_read


def test_without_output_there_is_no_ratio() -> None:
    assert profile_of(row(0)).in_out_ratio is None


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ({"a": (3, 6)}, [(0, None, "a")]),
        ({"a": (3, 6), "b": (3, 6)}, [(0, None, "a")]),
        ({"a": (3, 6), "b": (3, 5)}, [(0, None, "b")]),
        ({"a": (3, 6), "b": (2, 6)}, [(0, None, "b")]),
        ({"a": (3, 6), "b": (2, 12), "c": (1, 14)}, [(0, 4, "a"), (4, None, "c")]),
        ({"a": (4, 1), "b": (2, 3), "c": (1, 9)}, [(0, 1, "a"), (1, 6, "b"), (6, None, "c")]),
    ],
)
def test_the_cheapest_model_by_ratio(
    prices: dict[str, tuple[int, int]], expected: list[tuple[int, int | None, str]]
) -> None:
    models = [ModelCost(name, Decimal(a), Decimal(b), Decimal(0)) for name, (a, b) in prices.items()]

    found = [(int(each.start), each.end and int(each.end), each.model) for each in cheapest_by_ratio(models)]

    assert expected == found
