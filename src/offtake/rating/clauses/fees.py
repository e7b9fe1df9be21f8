"""Fees: what is owed besides usage, in instalments that sum exactly.

Clause: `fees.platform`, `fees.license`, `fees.block.amount`, `capacity.reserved.price`. Source: S2 "a base platform fee
plus usage", "a hefty annual license fee", "a flat annual fee covering a block of usage".

Why it matters: fees escape discounts, and their periods differ from the invoice's. A fee of a period is due when that
period begins, on the invoice that holds its first day; a partial period is prorated by days.

Example: a licence of 400,000 USD / year is one line of 400,000.00 each contract year; a platform fee of 10,000 USD /
month for a term that starts on 16 June with calendar months: 10,000 × 15 ÷ 30 = 5,000.00 on the first invoice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from offtake.contract.schema.terms import Terms
from offtake.rating.committed import Instalments
from offtake.rating.compiled import CompiledTerms
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.values.money import ZERO
from offtake.values.periods import Period, billing_origin, windows
from offtake.values.units import MoneyRate


@dataclass(frozen=True)
class FeeClause:
    """One flat fee. `rate` reads it from the text in force; None where that text has no such fee."""

    terms: CompiledTerms
    path: str
    rate: Callable[[Terms], MoneyRate | None]
    acts_on_usage = False
    may_cut = False

    @cached_property
    def per(self) -> Period:
        """The fee's own period, from the latest text that has it."""
        rates = [rate for version in self.terms.contract.versions if (rate := self.rate(version.terms))]
        return (rates[-1].per or "year") if rates else "year"

    def windows(self) -> Iterable[Window]:
        contract = self.terms.contract
        monthly = self.per == contract.signed.billing.period
        start = contract.signed.term.from_
        origin = billing_origin(start, contract.signed.billing.anchor) if monthly else start
        for interval in windows(self.per, origin, contract.span, contract.zone):
            yield Window("fee", interval)

    def opens(self, window: Window, run: Run) -> None:
        amount = self._owed.of(window.interval)
        if amount:
            run.line(
                self.path, "fee", amount, f"{self.per} from {self.terms.contract.day(window.interval.start)}",
                unit=self.per, key=self.terms.contract.day(window.interval.start),
            )  # fmt: skip

    @cached_property
    def _owed(self) -> Instalments:
        """What windows owe: each is asked for by every run."""

        def amount(text: Terms, year: int) -> Decimal:
            found = self.rate(text)
            return found.money.amount if found else ZERO

        contract = self.terms.contract
        return Instalments(contract, self.per, amount, contract.signed.billing.rounding.places)

    def use(self, piece: Piece, run: Run) -> None:
        """Usage does not move a flat fee."""

    def closes(self, window: Window, run: Run) -> None:
        """Nothing is left to settle."""

    def charges(self, run: Run) -> list[Charge]:
        return []

    def cuts(self, run: Run) -> Iterable[Cut]:
        return ()
