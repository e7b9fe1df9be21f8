"""Credits that do not count: they pay usage before anything is drawn from a commitment.

Clause: `credits[].counts`. Source: the burn orders of Metronome and Stripe; notes on "what counts toward the commit".

Why it matters: usage that a promotional credit paid for does not help to reach the commitment, so the shortfall grows
by the same amount. Which of the two it is must be said.

Example: 100 committed, 120 used, a credit of 50. `counts: false`: 70 drawn, shortfall 30, bill 70 + 30 = 100.
`counts: true`: 120 drawn, no shortfall, bill 120 − 50 = 70.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from offtake.contract.patterns import match
from offtake.rating.clauses.grants import credit_lot
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lots import Lot, draw
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.values.periods import Interval


@dataclass(frozen=True)
class UncountedCreditsClause:
    """Accounts: what each such credit paid in the open period."""

    terms: CompiledTerms
    path: str = "credits"
    may_cut = False

    @property
    def acts_on_usage(self) -> bool:
        """Only where the contract has such a credit."""
        return bool(self._lots())

    def windows(self) -> Iterable[Window]:
        for lot in self._lots():
            yield Window(lot.clause, Interval(lot.starts, lot.expires))
        yield from (Window("period", period) for period in self.terms.periods)

    def opens(self, window: Window, run: Run) -> None:
        run.lots += [lot for lot in self._lots() if lot.clause == window.name]

    def use(self, piece: Piece, run: Run) -> None:
        mine = [
            lot for lot in run.lots if lot.clause.startswith("credits[") and not lot.counts and lot.is_open(piece.at)
        ]
        for lot in sorted(mine, key=lambda lot: lot.order):
            if lot.applies_to != "fees" and match(lot.models, piece.lane.model.id):
                draw(lot, piece)

    def closes(self, window: Window, run: Run) -> None:
        if window.name != "period":
            run.lots = [lot for lot in run.lots if lot.clause != window.name]

    def charges(self, run: Run) -> list[Charge]:
        return []

    def cuts(self, run: Run) -> Iterable[Cut]:
        return ()

    def _lots(self) -> list[Lot]:
        credits = self.terms.contract.versions[-1].terms.credits
        return [
            credit_lot(self.terms, index, credit)
            for index, credit in enumerate(credits)
            if not credit.counts and credit.applies_to != "fees"
        ]
