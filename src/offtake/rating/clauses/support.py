"""Support: a share of usage.

Clause: `fees.support`. Source: S2 "24/7 Premium Support".

Why it matters: of what the share is taken decides its size: contracted usage before grants, without shortfall.

Example: 3% of a month with 100,000.00 contracted usage, of which a credit paid 20,000: 3,000.00, not 2,400.00.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from offtake.rating.compiled import CompiledTerms
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.values.money import from_pico

USAGE = "fees.support.usage"


@dataclass(frozen=True)
class SupportClause:
    """Account: contracted usage of the open period."""

    terms: CompiledTerms
    path: str = "fees.support"
    acts_on_usage = True
    may_cut = False

    def windows(self) -> Iterable[Window]:
        yield from (Window("period", period) for period in self.terms.periods)

    def opens(self, window: Window, run: Run) -> None:
        """Billed in arrears."""

    def use(self, piece: Piece, run: Run) -> None:
        run.add(USAGE, piece.contracted)

    def closes(self, window: Window, run: Run) -> None:
        base = from_pico(run.take(USAGE))
        fees = self.terms.contract.as_of(window.interval.start).fees
        if fees and fees.support and base:
            share = fees.support.share
            run.line(
                self.path, "fee", base * share, lambda: f"{base.normalize():,f} contracted usage × {share:.2%}",
                quantity=base, unit_price=share,
            )  # fmt: skip

    def charges(self, run: Run) -> list[Charge]:
        return []

    def cuts(self, run: Run) -> Iterable[Cut]:
        return ()
