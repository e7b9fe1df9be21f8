"""Lots: money or tokens that are there before usage is, drawn in a stated total order.

A prepaid drawdown, a rollover, a credit grant, a top-up and its bonus are lots. The burn order is total: priority, the
named order, expiry, creation, clause.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from offtake.rating.piece import Entry, Piece
from offtake.usage.meters import BY_NAME
from offtake.values.money import ZERO, divide, from_pico, quantize

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(slots=True)
class Lot:
    """What is left of one grant. `weights` is None for money; for tokens, weighted units by meter.

    `cost_basis` is what a drawn dollar had cost: 0 for a bonus or rollover, 0.95 for cash at 5% off.
    """

    clause: str
    name: str
    granted: Decimal
    remaining: Decimal
    starts: datetime
    expires: datetime
    cost_basis: Decimal = ZERO
    priority: int = 0
    rank: int = 0
    models: str = "*"
    applies_to: str = "usage"
    counts: bool = True
    weights: dict[str, Decimal] | None = None

    def is_open(self, at: datetime) -> bool:
        return self.starts <= at < self.expires and self.remaining > 0

    @property
    def order(self) -> tuple[object, ...]:
        """The burn order."""
        return (self.priority, self.rank, self.expires, self.starts, self.clause, self.name)


def draw(lot: Lot, piece: Piece, eligible: Callable[[Entry], bool], limit: Decimal | None = None) -> Decimal:
    """Let a lot pay for a piece, meter by meter in schema order; the money that it covered.

    `limit` bounds the dollars covered. Covered dollars leave the entry's bill; the lot falls by what it gave.
    """
    total = ZERO
    for entry in piece.entries:
        open_amount = entry.uncovered if limit is None else min(entry.uncovered, limit - total)
        if open_amount <= 0 or not eligible(entry) or lot.remaining <= 0:
            continue
        if lot.weights is None:
            amount = min(open_amount, lot.remaining)
            lot.remaining -= amount
        else:
            amount = _draw_tokens(lot, entry, open_amount)
        entry.covered += amount
        entry.covered_cost += amount * lot.cost_basis
        total += amount
    if total:
        piece.paid_by[lot.name] = piece.paid_by.get(lot.name, ZERO) + total
    return total


def _draw_tokens(lot: Lot, entry: Entry, open_amount: Decimal) -> Decimal:
    assert lot.weights is not None
    weight = lot.weights.get(entry.price.meter, ZERO)
    if not weight or not entry.price.contracted:
        return ZERO
    open_units = int(divide(open_amount, from_pico(entry.price.contracted)))
    units = min(open_units, int(divide(lot.remaining, weight)))
    lot.remaining -= units * weight
    return from_pico(entry.price.contracted * units)


def tokens_of(piece: Piece, weights: dict[str, Decimal] | None = None) -> Decimal:
    """Billed tokens of a piece: plain, or weighted by meter. Free units count nowhere."""
    return sum(
        (
            entry.quantity * (weights.get(entry.price.meter, ZERO) if weights is not None else 1)
            for entry in piece.entries
            if BY_NAME[entry.price.meter].is_token and (entry.contracted or not entry.policy)
        ),
        ZERO,
    )


def share_of(part: Decimal, whole: Decimal, amount: Decimal) -> Decimal:
    """`amount` × part ÷ whole on the 1e-12 grid: what a part of a record is worth at another valuation."""
    if part == whole:
        return amount
    return quantize(divide(part * amount, whole), 12) if whole else ZERO
