"""What windows owe of an amount: instalments that sum exactly, amendments by days, or for the whole window."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.contract.contract import Contract
from offtake.contract.parse import parse
from offtake.contract.schema.terms import Terms
from offtake.rating.committed import Instalments, known, windows_of
from offtake.values.periods import Interval, Period, midnight
from tests.rating_oracle.dates import months_on

HEAD = """
contract: made
buyer: buyer
vendor: maker
term: {{from: {start}, until: {until}, time_zone: {zone}, currency: USD}}
billing: {{period: month, anchor: {anchor}, rounding: {{where: line, places: 2, mode: half_even}}}}
scope: {{models: ["*"], channels: [realtime], access: [api]}}
prices: {{discounts: [{{models: "*", share: 20%}}]}}
commitments: [{{id: spend, amount: {amount} USD / {per}, pool: all_models, counts_at: contracted, true_up: year}}]
failed_requests: billed
amendments: [{amendments}]
"""


@cache
def made(
    start: str = "2026-01-01",
    until: str = "2028-01-01",
    amount: str = "1_200_000",
    per: str = "year",
    anchor: str = "1",
    zone: str = "UTC",
    amendments: str = "",
) -> Contract:
    text = HEAD.format(
        start=start, until=until, amount=amount, per=per, anchor=anchor, zone=zone, amendments=amendments
    )
    return parse(text, "made.yaml")


def amount_of(terms: Terms, year: int) -> Decimal:
    amount = terms.commitments[0].amount
    assert amount is not None
    return amount.money.amount


def owed(contract: Contract, every: Period, per: Period = "year") -> list[Decimal]:
    instalments = Instalments(contract, per, amount_of, 2, every)
    return [instalments.of(window) for window in windows_of(contract, every, contract.span)]


RAISED = (
    '{{effective: {day}, document: A1, changes: {{"commitments[0].amount": 1_500_000 USD / year}}, prorate: {how}}}'
)
PRICES = '{effective: 2026-07-01, document: A1, changes: {"prices.discounts": [{models: "*", share: 25%}]}}'


def test_an_amendment_inside_a_year_is_prorated_by_days() -> None:
    """(1.2 M × 181 + 1.5 M × 184) ÷ 365."""
    contract = made(amendments=RAISED.format(day="2026-07-01", how="days"))

    assert [Decimal("1351232.88"), Decimal("1500000.00")] == owed(contract, "year")


def test_an_amendment_that_is_not_prorated_holds_for_the_whole_window() -> None:
    contract = made(amendments=RAISED.format(day="2026-07-01", how="none"))

    assert [Decimal("1500000.00")] * 2 == owed(contract, "year")
    assert [Decimal(300_000)] * 2 + [Decimal(375_000)] * 6 == owed(contract, "quarter")


def test_an_amendment_between_two_windows_prorates_neither() -> None:
    contract = made(amendments=RAISED.format(day="2026-07-01", how="days"))

    assert [Decimal(100_000)] * 6 + [Decimal(125_000)] * 18 == owed(contract, "month")


def test_an_amendment_of_something_else_moves_nothing() -> None:
    assert owed(made(), "month") == owed(made(amendments=PRICES), "month")


def test_what_is_known_before_an_amendment_is_the_signed_amount() -> None:
    contract = made(amendments=RAISED.format(day="2026-07-01", how="days"))

    assert [Decimal("1200000.00")] * 2 == owed(known(contract, contract.span.start), "year")


@pytest.mark.parametrize(
    ("every", "expected"),
    [("quarter", ["250.00"] * 4), ("month", ["83.33", "83.34", "83.33"] * 4), ("year", ["1000.00"])],
)
def test_instalments_of_a_thousand(every: Period, expected: list[str]) -> None:
    """The sums of 1,000 ÷ 12 are 83.33, 166.67, 250.00 and so on."""
    assert [Decimal(text) for text in expected] == owed(made(until="2027-01-01", amount="1_000"), every)


def test_a_monthly_fee_of_a_term_that_starts_inside_a_month() -> None:
    """16 to 30 June is 15 days of 30; July is a whole month, and costs what a month costs."""
    contract = made(start="2026-06-16", until="2026-09-01", amount="10_000", per="month")

    assert [Decimal("5000.00"), Decimal("10000.00"), Decimal("10000.00")] == owed(contract, "month", "month")


def test_leap_years_count_their_days() -> None:
    """Half of 2028, cut on 15 July by days: 196 of 366 at 1.2 M, 170 at 1.5 M."""
    contract = made("2028-01-01", "2029-01-01", amendments=RAISED.format(day="2028-07-15", how="days"))
    expected = (Decimal(1_200_000) * 196 + Decimal(1_500_000) * 170) / 366

    assert [round(expected, 2)] == owed(contract, "year")


starts = st.dates(date(2023, 12, 25), date(2024, 3, 5))


@given(
    starts,
    st.integers(20, 800),
    st.integers(0, 10**7),
    st.sampled_from(["month", "quarter", "year"]),
    st.sampled_from(["1", "15", "31", "anniversary"]),
    st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
)
def test_instalments_sum_exactly(start: date, days: int, cents: int, every: Period, anchor: str, zone: str) -> None:
    """Whatever the windows are cut by, they owe in all what the whole term owes, rounded once."""
    until = start + timedelta(days=days)
    contract = made(start.isoformat(), until.isoformat(), f"{cents / 100:.2f}", "year", anchor, zone)
    parts = owed(contract, every)
    finer = Instalments(contract, "year", amount_of, 12, every)
    twelve = [finer.of(window) for window in windows_of(contract, every)]
    exact = sum(twelve, Decimal(0))

    assert abs(sum(parts, Decimal(0)) - exact) <= Decimal("0.005") + Decimal("1e-9")
    assert all(part == round(part, 2) for part in parts)


@given(starts, st.integers(1, 3))
def test_whole_years_owe_whole_amounts(start: date, years: int) -> None:
    """However a year is cut into quarters or anniversary months, it owes its amount, leap years included."""
    contract = made(start.isoformat(), months_on(start, 12 * years).isoformat(), "1_000", anchor="anniversary")
    for every in ("month", "quarter", "year"):
        instalments = Instalments(contract, "year", amount_of, 2, every)
        for year in range(years):
            span = Interval(
                midnight(months_on(start, 12 * year), contract.zone),
                midnight(months_on(start, 12 * year + 12), contract.zone),
            )
            windows = [window for window in windows_of(contract, every) if window.start in span]
            assert Decimal(1_000) == sum(instalments.of(window) for window in windows)
