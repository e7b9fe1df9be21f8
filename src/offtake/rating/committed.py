"""How much is committed in a window: yearly amounts in instalments, ramps, and amendments by days.

Instalments and prorations are cumulative: instalment k = round(cum k) − round(cum k−1), so they sum exactly.

Example: 1,000 a year in quarters is 250 each; in months 83.33, 83.34, 83.33, … = 1,000.00. An amendment from 1.2 M to
1.5 M a year on 1 July 2026: (1.2 M × 181 + 1.5 M × 184) ÷ 365 = 1,351,232.88 USD for 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from offtake.contract.contract import Contract, Version
from offtake.contract.schema.terms import Terms
from offtake.values.money import ZERO, divide, quantize
from offtake.values.periods import Interval, Period, billing_origin, whole_windows, windows

Amount = Callable[[Terms, int], Decimal]
"""The amount a `per` period, from the text in force and the index of the contract year (0, 1, …)."""


def origin_of(contract: Contract, every: Period) -> date:
    """What windows count from: months from the invoice's anchor, quarters and years from the start of the term."""
    start = contract.signed.term.from_
    return billing_origin(start, contract.signed.billing.anchor) if every == "month" else start


def windows_of(contract: Contract, every: Period, span: Interval | None = None) -> Iterator[Interval]:
    """The windows of a clause over the term, or over a span of it."""
    return windows(every, origin_of(contract, every), span or contract.span, contract.zone)


def accrued(contract: Contract, per: Period, amount: Amount, until: Interval, places: int) -> Decimal:
    """What is owed from the start of `until` to its end, exact but for one rounding: `until` may span many periods."""
    total = Fraction(0)
    for whole in whole_windows(per, origin_of(contract, per), until, contract.zone):
        part = whole.overlap(until)
        if part:
            total += _of_period(contract, whole, part, amount)
    return quantize(divide(Decimal(total.numerator), total.denominator), places)


def instalment(contract: Contract, per: Period, amount: Amount, window: Interval, places: int) -> Decimal:
    """What one window owes: the difference of two rounded cumulative sums from the start of the term."""
    start = contract.span.start
    before = accrued(contract, per, amount, Interval(start, window.start), places) if window.start > start else ZERO
    return accrued(contract, per, amount, Interval(start, window.end), places) - before


def _of_period(contract: Contract, whole: Interval, part: Interval, amount: Amount) -> Fraction:
    """A part of one `per` period: by months where both ends lie on them, else by days; by days around amendments."""
    year = contract_year(contract, whole)
    parts = _by_version(contract, whole, part)
    return sum(
        (Fraction(amount(terms, year)) * Fraction(_weight(contract, whole, piece), _weight(contract, whole, whole))
         for piece, terms in parts),
        Fraction(0),
    )  # fmt: skip


def _weight(contract: Contract, whole: Interval, piece: Interval) -> int:
    months = _months(contract, whole)
    edges = [window.start for window in months] + [whole.end]
    if piece.start in edges and piece.end in edges and len(months) > 1 and _aligned(contract, whole):
        return edges.index(piece.end) - edges.index(piece.start)
    return piece.days(contract.zone)


def _aligned(contract: Contract, whole: Interval) -> bool:
    """Whether no amendment cuts the period by days: then equal months are what people expect."""
    return not any(_cuts(version, whole) for version in contract.versions)


def _cuts(version: Version, whole: Interval) -> bool:
    """Whether an amendment takes effect inside a period and is prorated by days."""
    return version.prorate == "days" and whole.start < version.effective < whole.end


def _months(contract: Contract, whole: Interval) -> list[Interval]:
    return list(whole_windows("month", contract.signed.term.from_, whole, contract.zone))


def _by_version(contract: Contract, whole: Interval, part: Interval) -> list[tuple[Interval, Terms]]:
    cuts = (version.effective for version in contract.versions if _cuts(version, whole) and version.effective in part)
    edges = sorted({part.start, part.end, *cuts})
    return [(Interval(a, b), _text(contract, whole, a)) for a, b in pairwise(edges)]


def _text(contract: Contract, whole: Interval, at: datetime) -> Terms:
    """The text that counts at an instant of a period: an amendment that is not prorated holds for all of its period."""
    found = contract.as_of(at)
    for version in contract.versions:
        if version.prorate == "none" and at < version.effective < whole.end:
            found = version.terms
    return found


def contract_year(contract: Contract, window: Interval) -> int:
    """0 for the first contract year, counted from `term.from`."""
    years = list(
        whole_windows("year", contract.signed.term.from_, Interval(contract.span.start, window.end), contract.zone)
    )
    return len(years) - 1
