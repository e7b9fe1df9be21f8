"""Seats: a price for each person, with tiers, growth by the day and a limited true-down.

Clause: `fees.seats`. Source: S2 "negotiate volume discounts on seats … reassign or add seats flexibly".

Why it matters: the count is the contracted one, or the seats in use where they are more; it may fall at each
anniversary by `true_down` at most. A seat added inside a month is paid for its days. Tiers are graduated:
each seat pays its band.

Example: 2,000 seats at 40 USD / month = 80,000.00. 2,300 from 16 June: 2,000 + 300 × 15 ÷ 30 = 2,150 seat-months =
86,000.00. Contracted 2,000 with a true-down of 10% a year and 1,500 in use: 1,800 in the second year.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from offtake.contract.schema.fees import Seats
from offtake.rating.committed import contract_year
from offtake.rating.compiled import CompiledTerms
from offtake.rating.facts import SeatCount
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.values.errors import ContractError
from offtake.values.money import ZERO, divide, quantize
from offtake.values.periods import Interval, billing_origin, windows


def price_of(seats: Seats, count: int) -> Decimal:
    """What so many seats cost for one period of the price: graduated over the tiers."""
    if not seats.tiers:
        return seats.price.money.amount * count
    total, before = ZERO, 0
    for tier in seats.tiers:
        upper = count if tier.up_to is None else min(count, tier.up_to)
        total += tier.price.money.amount * max(0, upper - before)
        before = max(before, upper)
    return total


def floor(seats: Seats, year: int) -> int:
    """The count that is paid at least: the contracted one, less what the true-down allows by that contract year."""
    if seats.true_down is None:
        return seats.count
    least = Decimal(seats.count)
    for _ in range(year):
        least *= 1 - seats.true_down.share
    return int(least.to_integral_value(rounding="ROUND_CEILING"))


@dataclass(frozen=True)
class SeatsClause:
    """One line a month, in arrears."""

    terms: CompiledTerms
    path: str = "fees.seats"
    acts_on_usage = False
    may_cut = False

    def windows(self) -> Iterable[Window]:
        contract = self.terms.contract
        origin = billing_origin(contract.signed.term.from_, contract.signed.billing.anchor)
        for interval in windows("month", origin, contract.span, contract.zone):
            yield Window("seats", interval)

    def opens(self, window: Window, run: Run) -> None:
        """Seats are billed in arrears, when their days are known."""

    def use(self, piece: Piece, run: Run) -> None:
        """Usage does not move seats."""

    def closes(self, window: Window, run: Run) -> None:
        contract = self.terms.contract
        seats = self._text(window.interval.start)
        if seats is None:
            return
        interval = window.interval
        year = contract_year(contract, Interval(interval.start, interval.end))
        days = interval.days(contract.zone)
        edges = [
            interval.start,
            *(fact.at for fact in self._counts() if interval.start < fact.at < interval.end),
            interval.end,
        ]
        amount, seat_days = Fraction(0), 0
        for start, end in itertools.pairwise(edges):
            count = max(floor(seats, year), self._count(start, seats))
            part = Interval(start, end).days(contract.zone)
            amount += Fraction(price_of(seats, count)) * Fraction(part, days * (12 if seats.price.per == "year" else 1))
            seat_days += count * part
        exact = divide(Decimal(amount.numerator), amount.denominator)
        billed = quantize(exact, contract.signed.billing.rounding.places)
        average = divide(Decimal(seat_days), days)
        run.line(
            self.path, "fee", billed, f"{average.normalize():.4f} seats on average of {days} days", quantity=average,
            unit_price=divide(billed, average) if average else ZERO, unit="seat", key=contract.day(interval.start),
        )  # fmt: skip

    def charges(self, run: Run) -> list[Charge]:
        return []

    def cuts(self, run: Run) -> Iterable[Cut]:
        return ()

    def _text(self, at: datetime) -> Seats | None:
        fees = self.terms.contract.as_of(at).fees
        return fees.seats if fees else None

    def _counts(self) -> list[SeatCount]:
        return sorted((fact for fact in self.terms.book.facts if isinstance(fact, SeatCount)), key=lambda fact: fact.at)

    def _count(self, at: datetime, seats: Seats) -> int:
        """Seats in use at an instant, by the last fact before it. ContractError where the true-down needs one."""
        known = [fact for fact in self._counts() if fact.at <= at]
        if known:
            return known[-1].count
        raise ContractError(
            "R410",
            f"no fact says how many seats were in use on {self.terms.contract.day(at)}, and fees.seats bills them",
            where=self.terms.contract.place(self.path),
            hint='add {"kind": "seat_count", "at": "…", "count": …} to --facts',
        )
