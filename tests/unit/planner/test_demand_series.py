"""A file of past demand: what is read, and what is refused with its line."""

from __future__ import annotations

from decimal import Decimal

import pytest

from offtake.planner.demand.backtest import holdout
from offtake.planner.demand.forecast import growth_history, level
from offtake.planner.demand.series import Series, pooled, read_series
from offtake.usage.rows import TextSource
from offtake.values.errors import InputError


def read(text: str, *columns: str) -> tuple[Series, ...]:
    return read_series(TextSource("demand.csv", text.splitlines(keepends=True)), columns)


def hours(count: int) -> Series:
    periods = tuple(f"2026-01-{1 + hour // 24:02}T{hour % 24:02}:00" for hour in range(count))
    return Series("q", periods, tuple(Decimal(hour) for hour in range(count)), "hour")


def test_quantities_are_exact() -> None:
    (series,) = read("period,quantity\n2026-01,125000.50\n2026-02,1_000_000\n2026-03,1.5e3\n")

    assert (Decimal("125000.50"), Decimal(1_000_000), Decimal(1_500)) == series.quantities
    assert 2 == series.places


def test_the_noise_of_floats_is_left_out() -> None:
    (series,) = read("period,quantity\n1,0.1000000000000000055511151231257827\n2,1e-30\n3,5\n")

    assert (Decimal("0.1"), Decimal(0), Decimal(5)) == series.quantities


@pytest.mark.parametrize(
    ("periods", "grain"),
    [
        (("2026-01", "2026-02", "2026-03"), "month"),
        (("2025-12", "2026-01"), "month"),
        (("2026-01-01", "2026-02-01", "2026-03-01"), "month"),
        (("2026-02-27", "2026-02-28", "2026-03-01"), "day"),
        (("2026-01-05", "2026-01-12"), "week"),
        (("2026-W52", "2026-W53", "2027-W01"), "week"),
        (("2026-Q3", "2026-Q4", "2027-Q1"), "quarter"),
        (("2026-01-01T22:00:00Z", "2026-01-01T23:00:00Z", "2026-01-02T00:00:00Z"), "hour"),
        (("0", "1", "2"), None),
        (("spring", "summer"), None),
    ],
)
def test_the_calendar_of_the_periods_is_found(periods: tuple[str, ...], grain: str | None) -> None:
    (series,) = read("period,quantity\n" + "".join(f"{period},1\n" for period in periods))

    assert grain == series.grain


def test_a_column_can_be_named_and_several_sum() -> None:
    text = ",a,b\n0,1,2\n1,3,4\n"

    assert [(Decimal(1), Decimal(3)), (Decimal(2), Decimal(4))] == [each.quantities for each in read(text, "a", "b")]
    assert (Decimal(3), Decimal(7)) == pooled(read(text, "a", "b")).quantities


@pytest.mark.parametrize(
    ("text", "code", "place", "says"),
    [
        ("period,quantity\n1,5\n2,-3\n", "P643", "demand.csv:3", "negative"),
        ("period,quantity\n1,5\n2,\n", "P642", "demand.csv:3", "missing"),
        ("period,quantity\n1,5\n2\n", "P642", "demand.csv:3", "the row has 1 fields"),
        ("period,quantity\n1,5\n2,NaN\n", "P642", "demand.csv:3", "no quantity"),
        ("period,quantity\n1,5\n2,inf\n", "P642", "demand.csv:3", "no quantity"),
        ("period,quantity\n1,5\n2,1e30\n", "P642", "demand.csv:3", "beyond what can be added up"),
        ("period,quantity\n1,5\n2,$7\n", "P642", "demand.csv:3", "no quantity"),
        ("period,quantity\n1,5\n", "P645", "demand.csv", "one row"),
        ("period,quantity\n", "P645", "demand.csv", "no row"),
        ("period,quantity\n1,0\n2,0\n", "P645", "demand.csv", "no period has any demand"),
        ("", "U110", "demand.csv", "empty"),
        ("1,5\n2,6\n", "P641", "demand.csv:1", "no column 'quantity'"),
        ("month,a,b\n1,5,6\n2,6,7\n", "P641", "demand.csv:1", "no column 'quantity'"),
        ("period,quantity\n2026-01,5\n2026-03,6\n", "P644", "demand.csv:3", "2026-03 does not follow 2026-01"),
        ("period,quantity\n2026-01,5\n2026-01,6\n", "P644", "demand.csv:3", "stands twice"),
        ("period,quantity\n2026-02,5\n2026-01,6\n", "P644", "demand.csv:3", "does not follow"),
        ("period,quantity\n1,5\n2,6\n4,6\n", "P644", "demand.csv:4", "4 does not follow 2"),
    ],
)
def test_bad_demand_is_refused_with_its_line(text: str, code: str, place: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text)

    assert (code, place) == (caught.value.code, str(caught.value.findings[0].where))
    assert says in str(caught.value)


def test_windows_end_with_the_last_row() -> None:
    assert (Decimal(1 + 2), Decimal(3 + 4)) == hours(5).windows(2)


def test_the_level_of_hours_is_that_of_the_last_four_weeks() -> None:
    assert Decimal(sum(range(28, 700))) == level(hours(700)) * 672


def test_growth_is_that_of_weeks_and_not_of_nights() -> None:
    assert 9 == len(growth_history(hours(9 * 168)))


def test_a_holdout_keeps_the_last_rows_unseen() -> None:
    split = holdout(hours(5))

    assert ([0, 1, 2], [3, 4]) == ([int(q) for q in split.fitted.quantities], [int(q) for q in split.judged.quantities])


@pytest.mark.parametrize("judged", [0, 5, 9])
def test_a_holdout_leaves_something_on_both_sides(judged: int) -> None:
    with pytest.raises(InputError, match="kept to judge"):
        holdout(hours(5), judged)
