"""How much is committed in a window: yearly amounts in instalments, ramps, and amendments by days.

Instalments and prorations are cumulative: instalment k = round(cum k) − round(cum k−1), so they sum exactly.

Example: 1,000 a year in quarters is 250 each; in months 83.33, 83.34, 83.33, … = 1,000.00. An amendment from 1.2 M to
1.5 M a year on 1 July 2026: (1.2 M × 181 + 1.5 M × 184) ÷ 365 = 1,351,232.88 USD for 2026.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from offtake.contract.contract import Contract
from offtake.contract.schema.terms import Terms
from offtake.values.money import ZERO, divide, quantize
from offtake.values.periods import Interval, Period, whole_windows

Amount = Callable[[Terms, int], Decimal]
"""The amount a `per` period, from the text in force and the index of the contract year (0, 1, …)."""


def accrued(contract: Contract, per: Period, amount: Amount, until: Interval, places: int) -> Decimal:
    """What is owed from the start of `until` to its end, exact but for one rounding: `until` may span many periods."""
    total = Fraction(0)
    for whole in whole_windows(per, contract.signed.term.from_, until, contract.zone):
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
    parts = _by_version(contract, part)
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
    """Whether no amendment cuts the period within a month: then equal months are what people expect."""
    return not any(whole.start < version.effective < whole.end for version in contract.versions)


def _months(contract: Contract, whole: Interval) -> list[Interval]:
    return list(whole_windows("month", contract.signed.term.from_, whole, contract.zone))


def _by_version(contract: Contract, part: Interval) -> list[tuple[Interval, Terms]]:
    edges = sorted({part.start, part.end, *(v.effective for v in contract.versions if v.effective in part)})
    return [(Interval(a, b), contract.as_of(a)) for a, b in itertools.pairwise(edges)]


def contract_year(contract: Contract, window: Interval) -> int:
    """0 for the first contract year, counted from `term.from`."""
    years = list(
        whole_windows("year", contract.signed.term.from_, Interval(contract.span.start, window.end), contract.zone)
    )
    return len(years) - 1
