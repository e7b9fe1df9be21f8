"""Credits that do not count: they pay usage before anything is drawn from a commitment.

Clause: `credits[].counts`. Source: the burn orders of Metronome and Stripe; notes on "what counts toward the commit".

Why it matters: usage that a promotional credit paid for does not help to reach the commitment, so the shortfall grows
by the same amount. Which of the two it is must be said.

Example: 100 committed, 120 used, a credit of 50. `counts: false`: 70 drawn, shortfall 30, bill 70 + 30 = 100.
`counts: true`: 120 drawn, no shortfall, bill 120 − 50 = 70.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, partial

from offtake.contract.patterns import match
from offtake.rating.clauses.grants import credit_lots
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lots import Lot, draw
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.values.money import from_pico
from offtake.values.periods import Interval


@dataclass(frozen=True)
class UncountedCreditsClause:
    """Accounts: what each such credit paid in the open period."""

    terms: CompiledTerms
    path: str = "credits"

    @cached_property
    def _lots(self) -> tuple[Lot, ...]:
        """In burn order."""
        lots = (lot for lot in credit_lots(self.terms) if not lot.counts and lot.applies_to != "fees")
        return tuple(sorted(lots, key=lambda lot: lot.order))

    @property
    def acts_on_usage(self) -> bool:
        """Only where the contract has such a credit."""
        return bool(self._lots)

    @property
    def may_cut(self) -> bool:
        """Which usage a credit pays decides what is counted, so where it runs out the order is needed."""
        return bool(self._lots)

    def windows(self) -> Iterable[Window]:
        for lot in self._lots:
            yield Window(lot.name, Interval(lot.starts, lot.expires))
        yield from (Window("period", period) for period in self.terms.periods)

    def opens(self, window: Window, run: Run) -> None:
        run.lots += [copy(lot) for lot in self._lots if lot.name == window.name]

    def use(self, piece: Piece, run: Run) -> None:
        for lot in self._open(run, piece.at):
            if match(lot.models, piece.lane.model.id):
                run.add(_paid_by(lot), draw(lot, piece))

    def closes(self, window: Window, run: Run) -> None:
        if window.name == "period":
            run.book(self.charges(run), "credit")
        else:
            run.lots = [lot for lot in run.lots if lot.counts or lot.name != window.name]

    def charges(self, run: Run) -> list[Charge]:
        found = []
        for lot in self._lots:
            paid = run.take(_paid_by(lot))
            if paid:
                found.append(Charge(lot.clause, paid, Decimal(-1), Decimal(-paid), partial(_words, lot.name, paid)))
        return found

    def cuts(self, run: Run) -> Iterable[Cut]:
        for lot in self._open(run, run.now):
            yield Cut(partial(_payable, lot), (Decimal(lot.remaining),), None)

    def _open(self, run: Run, at: datetime) -> list[Lot]:
        mine = [lot for lot in run.lots if lot.own_line and lot.is_open(at)]
        return sorted(mine, key=lambda lot: lot.order)


def _payable(lot: Lot, piece: Piece) -> int:
    return piece.uncovered if match(lot.models, piece.lane.model.id) else 0


def _paid_by(lot: Lot) -> str:
    return f"{lot.clause}.{lot.name}.paid"


def _words(name: str, paid: int) -> str:
    return f"{name} pays {from_pico(paid).normalize():,f} of usage, which counts nowhere"
