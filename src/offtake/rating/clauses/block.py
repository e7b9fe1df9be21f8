"""Block: a flat fee for a block of usage; what lies beyond pays the rate card.

Clause: `fees.block`. Source: S2 "a flat annual fee covering a block of usage".

Why it matters: inside the block a token bills nothing, so the order of use decides which tokens lie beyond it: records
are read in (used_at, id) order, and the one that crosses is split meter by meter in schema order.

Example: 3,000,000 USD a year includes 400 B tokens. The year uses 401 B, the last 1 B of it input at $4.25/M: 3,000,000
+ 1,000 × 4.25 = 3,004,250.00.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from offtake.contract.schema.fees import Block
from offtake.contract.schema.terms import Terms
from offtake.rating.committed import Instalments, windows_of
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lots import Lot, draw, tokens_of
from offtake.rating.piece import Piece
from offtake.rating.run import Run
from offtake.rating.windows import Charge, Cut, Window
from offtake.usage.meters import TOKEN_METERS
from offtake.values.money import ZERO
from offtake.values.periods import Period

PATH = "fees.block"
WEIGHTS = {meter: Decimal(1) for meter in TOKEN_METERS}


@dataclass(frozen=True)
class BlockClause:
    """The tokens of the block, as a lot of each of its periods. The fee itself is a `FeeClause`."""

    terms: CompiledTerms
    path: str = PATH
    acts_on_usage = True
    may_cut = True

    def windows(self) -> Iterable[Window]:
        for interval in windows_of(self.terms.contract, self._per):
            yield Window("block", interval)

    def opens(self, window: Window, run: Run) -> None:
        block, interval = self._text(window.interval.start), window.interval
        if block:  # a clipped period includes its part, as it costs its part
            tokens = self._tokens.of(interval)
            lot = Lot(PATH, "block", tokens, tokens, interval.start, interval.end, waives=True, weights=WEIGHTS)
            run.lots.append(lot)

    def use(self, piece: Piece, run: Run) -> None:
        for lot in run.lots:
            if lot.clause == PATH and lot.is_open(piece.at):
                draw(lot, piece)

    def closes(self, window: Window, run: Run) -> None:
        run.lots = [lot for lot in run.lots if lot.clause != PATH or lot.expires > window.interval.end]

    def charges(self, run: Run) -> list[Charge]:
        return []

    def cuts(self, run: Run) -> Iterable[Cut]:
        left = tuple(Decimal(lot.remaining) for lot in run.lots if lot.clause == PATH and lot.is_open(run.now))
        if left:
            yield Cut(tokens_of, left, WEIGHTS)

    @cached_property
    def _per(self) -> Period:
        fees = [version.terms.fees for version in self.terms.contract.versions]
        return [each.block.amount.per or "year" for each in fees if each and each.block][-1]

    @cached_property
    def _tokens(self) -> Instalments:
        return Instalments(self.terms.contract, self._per, _included, 0)

    def _text(self, at: datetime) -> Block | None:
        fees = self.terms.contract.as_of(at).fees
        return fees.block if fees else None


def _included(terms: Terms, year: int) -> Decimal:
    return Decimal(terms.fees.block.includes.tokens) if terms.fees and terms.fees.block else ZERO
