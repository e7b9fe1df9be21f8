"""How much is committed in a window: yearly amounts in instalments, ramps, and amendments by days.

Instalments and prorations are cumulative: instalment k = round(cum k) − round(cum k−1), so they sum exactly. An
amendment that leaves the amount alone moves nothing; one that changes it inside a window is prorated by days of that
window, or holds for the whole of it (`prorate: none`).

Example: 1,000 a year in quarters is 250 each; in months 83.33, 83.34, 83.33, … = 1,000.00. An amendment from 1.2 M to
1.5 M a year on 1 July 2026: (1.2 M × 181 + 1.5 M × 184) ÷ 365 = 1,351,232.88 USD for 2026.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from offtake.contract.contract import Contract
from offtake.contract.schema.terms import Terms
from offtake.values.money import ZERO, divide, quantize
from offtake.values.periods import Interval, Period, billing_origin, whole_windows, windows

INSTANT = timedelta(microseconds=1)
Amount = Callable[[Terms, int], Decimal]
"""The amount a `per` period, from the text in force and the index of the contract year (0, 1, …)."""


def origin_of(contract: Contract, every: Period) -> date:
    """What windows count from: months from the invoice's anchor, quarters and years from the start of the term."""
    start = contract.signed.term.from_
    return billing_origin(start, contract.signed.billing.anchor) if every == "month" else start


def windows_of(contract: Contract, every: Period, span: Interval | None = None) -> Iterator[Interval]:
    """The windows of a clause over the term, or over a span of it."""
    return windows(every, origin_of(contract, every), span or contract.span, contract.zone)


def known(contract: Contract, at: datetime) -> Contract:
    """The contract as it stood at an instant: without the amendments that came later."""
    later = (each for each in contract.versions[1:] if each.effective <= at)
    return replace(contract, versions=(contract.versions[0], *later))


class Instalments:
    """What each window of `every` (or of `per`) owes: the difference of two rounded cumulative sums."""

    __slots__ = ("_owed", "_starts")

    def __init__(
        self, contract: Contract, per: Period, amount: Amount, places: int, every: Period | None = None
    ) -> None:
        self._starts: list[datetime] = []
        self._owed: list[Decimal] = []
        exact, before = Fraction(0), ZERO
        for window in windows_of(contract, every or per):
            exact += _exact(contract, per, amount, window)
            after = quantize(divide(Decimal(exact.numerator), exact.denominator), places)
            self._starts.append(window.start)
            self._owed.append(after - before)
            before = after

    def of(self, window: Interval) -> Decimal:
        """What one window owes."""
        return self._owed[bisect_left(self._starts, window.end) - 1]


def _exact(contract: Contract, per: Period, amount: Amount, window: Interval) -> Fraction:
    """What a window owes, part by part of the amount's own periods; a part that a change cuts is prorated by days."""
    total = Fraction(0)
    for whole in whole_windows(per, origin_of(contract, per), window, contract.zone):
        part = whole.overlap(window)
        if part:
            weight = _weight(contract, whole, part) * Fraction(1, part.days(contract.zone))
            for piece in _pieces(contract, part):
                total += _value(contract, amount, window, piece.start) * weight * piece.days(contract.zone)
    return total


def _weight(contract: Contract, whole: Interval, part: Interval) -> Fraction:
    """The share of a period: by months of the contract where both ends lie on them, else by days."""
    if part == whole:
        return Fraction(1)
    months = list(whole_windows("month", contract.signed.term.from_, whole, contract.zone))
    edges = [month.start for month in months] + [months[-1].end]
    if edges[0] == whole.start and edges[-1] == whole.end and part.start in edges and part.end in edges:
        return Fraction(edges.index(part.end) - edges.index(part.start), len(months))
    return Fraction(part.days(contract.zone), whole.days(contract.zone))


def _pieces(contract: Contract, part: Interval) -> Iterator[Interval]:
    """A part between the amendments and anniversaries that cut it."""
    years = whole_windows("year", contract.signed.term.from_, part, contract.zone)
    cuts = {version.effective for version in contract.versions} | {year.start for year in years}
    edges = sorted({part.start, part.end, *(at for at in cuts if at in part)})
    return (Interval(a, b) for a, b in pairwise(edges))


def _value(contract: Contract, amount: Amount, window: Interval, at: datetime) -> Fraction:
    """The amount in force at an instant; one that is not prorated holds for all of the window that it changes."""
    year = contract_year(contract, Interval(at, at + INSTANT))
    value = before = amount(contract.signed, year)
    for version in contract.versions[1:]:
        after = amount(version.terms, year)
        begins = window.start if version.prorate == "none" and version.effective in window else version.effective
        if after != before and begins <= at:
            value = after
        before = after
    return Fraction(value)


def contract_year(contract: Contract, window: Interval) -> int:
    """0 for the first contract year, counted from `term.from`."""
    years = list(
        whole_windows("year", contract.signed.term.from_, Interval(contract.span.start, window.end), contract.zone)
    )
    return len(years) - 1
