"""Lots: money or tokens that are there before usage is, drawn in a stated total order.

A prepaid drawdown, a rollover, a credit grant, a top-up and its bonus are lots. The burn order is total: priority, the
named order, expiry, creation, clause. Money lots hold whole picodollars: what a share makes of an amount is cut to that
grid once, when the lot is granted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from offtake.rating.piece import Entry, Piece
from offtake.usage.meters import BY_NAME
from offtake.values.money import ZERO, divide, to_integer

NEVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(slots=True)
class Lot:
    """What is left of one grant: picodollars, or weighted tokens where `weights` (by meter) is not None.

    `cost_basis` is what a drawn dollar had cost: 0 for a bonus or rollover, 0.95 for cash at 5% off.
    """

    clause: str
    name: str
    granted: Decimal | int
    remaining: Decimal | int
    starts: datetime
    expires: datetime
    cost_basis: Decimal = ZERO
    priority: int = 0
    rank: int = 0
    models: str = "*"
    applies_to: str = "usage"
    counts: bool = True
    weights: Mapping[str, Decimal] | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether it can be drawn at an instant."""
        return self.starts <= at < self.expires and self.remaining > 0

    @property
    def order(self) -> tuple[object, ...]:
        """The burn order."""
        return (self.priority, self.rank, self.expires, self.starts, self.clause, self.name)


def draw(lot: Lot, piece: Piece, limit: int | None = None) -> int:
    """Let a lot pay for a piece, meter by meter in schema order; the picodollars that it covered.

    `limit` bounds them. Covered money leaves the entry's bill; the lot falls by what it gave.
    """
    total = 0
    for entry in piece.entries:
        open_amount = entry.uncovered if limit is None else min(entry.uncovered, limit - total)
        if open_amount <= 0 or lot.remaining <= 0:
            continue
        amount = _draw_money(lot, open_amount) if lot.weights is None else _draw_tokens(lot, entry, open_amount)
        entry.covered += amount
        entry.covered_cost += amount * lot.cost_basis
        total += amount
    if total:
        piece.paid(lot.name, total)
    return total


def _draw_money(lot: Lot, open_amount: int) -> int:
    amount = min(open_amount, int(lot.remaining))
    lot.remaining -= amount
    return amount


def _draw_tokens(lot: Lot, entry: Entry, open_amount: int) -> int:
    assert lot.weights is not None
    weight = lot.weights.get(entry.price.meter, ZERO)
    if not weight or not entry.price.contracted:
        return 0
    units = min(open_amount // entry.price.contracted, int(lot.remaining // weight))
    lot.remaining -= units * weight
    return entry.price.contracted * units


def tokens_of(piece: Piece, weights: Mapping[str, Decimal] | None = None) -> Decimal:
    """Tokens of a piece that are not free: plain, or weighted by meter."""
    total = ZERO
    for entry in piece.entries:
        if not entry.is_free and BY_NAME[entry.price.meter].is_token:
            total += entry.quantity * (Decimal(1) if weights is None else weights.get(entry.price.meter, ZERO))
    return total


def share_of(part: Decimal | int, whole: Decimal | int, amount: int) -> int:
    """`amount` × part ÷ whole in whole picodollars, half-even: what a part of a record is worth otherwise."""
    if part == whole or not whole:
        return amount if whole else 0
    return to_integer(divide(Decimal(part) * amount, Decimal(whole)))
