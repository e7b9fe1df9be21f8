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

    `at_list`: picodollars of list price. `waives`: a fee or a shortfall has paid what it gives, so nothing counts it.
    `own_line`: what it pays stands as a credit on the bill, and the usage line beside it stays whole.
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
    at_list: bool = False
    waives: bool = False
    own_line: bool = False
    weights: Mapping[str, Decimal] | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether it can be drawn at an instant."""
        return self.starts <= at < self.expires and self.remaining > 0

    @property
    def order(self) -> tuple[object, ...]:
        """The burn order."""
        return (self.priority, self.rank, self.expires, self.starts, self.clause, self.name)


def draw(lot: Lot, piece: Piece) -> int:
    """Let a lot pay for a piece, meter by meter in schema order; the picodollars that it covered."""
    return sum([draw_entry(lot, piece, entry, entry.uncovered) for entry in piece.in_schema_order])


def draw_entry(lot: Lot, piece: Piece, entry: Entry, limit: int) -> int:
    """Let a lot pay for one meter of a piece, at most `limit` of its open picodollars; what it covered.

    Covered money leaves the entry's bill; the lot falls by what it gave.
    """
    if limit <= 0 or lot.remaining <= 0:
        return 0
    amount = _draw_money(lot, entry, limit) if lot.weights is None else _draw_tokens(lot, entry, limit)
    entry.covered += amount
    entry.covered_cost += amount * lot.cost_basis
    if lot.waives:
        entry.waived += amount
        piece.waived += amount
    if lot.own_line:
        entry.granted += amount
    elif amount:
        piece.paid(lot.name, amount)
    return amount


def _draw_money(lot: Lot, entry: Entry, limit: int) -> int:
    worth = share_of(limit, entry.contracted, entry.public) if lot.at_list else limit
    drawn = min(worth, int(lot.remaining))
    lot.remaining -= drawn
    return share_of(drawn, worth, limit)


def _draw_tokens(lot: Lot, entry: Entry, limit: int) -> int:
    assert lot.weights is not None
    weight = lot.weights.get(entry.price.meter, ZERO)
    if not weight or not entry.price.contracted:
        return 0
    units = min(limit // entry.price.contracted, int(lot.remaining // weight))
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
