"""A piece: usage that shares all prices, priced. One request, one bucket, or a group of a million rows.

Amounts are exact: token counts × picodollars are integers, and become Decimals of dollars once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from offtake.rating.clauses import failed_requests, reserved
from offtake.rating.compiled import CompiledTerms, Lane, RateCard
from offtake.rating.pipeline import UnitPrice
from offtake.usage.record import UsageRecord
from offtake.values.money import ZERO, from_pico

Assume = Literal["low", "high"]


@dataclass(slots=True)
class Entry:
    """One meter of a piece, in dollars. `covered` was paid by lots; `covered_cost` is what those lots had cost.

    `credited` is the part that a failed-request policy gives back; `policy` names that clause, if one acted.
    """

    price: UnitPrice
    quantity: int
    public: Decimal
    contracted: Decimal
    undropped: Decimal
    policy: str = ""
    credited: Decimal = ZERO
    covered: Decimal = ZERO
    covered_cost: Decimal = ZERO

    @property
    def uncovered(self) -> Decimal:
        """What is left to bill."""
        return self.contracted - self.covered


@dataclass(slots=True)
class Piece:
    """Priced usage with the dimensions that lines keep. `known` is False where low and high differ."""

    at: datetime
    lane: Lane
    outcome: str
    entries: list[Entry]
    rows: int = 1
    count: int = 1
    known: bool = True
    by: Mapping[str, str] = field(default_factory=dict)
    customer: str = ""
    paid_by: dict[str, Decimal] = field(default_factory=dict)

    @property
    def public(self) -> Decimal:
        return sum((entry.public for entry in self.entries), ZERO)

    @property
    def contracted(self) -> Decimal:
        return sum((entry.contracted for entry in self.entries), ZERO)

    @property
    def undropped(self) -> Decimal:
        return sum((entry.undropped for entry in self.entries), ZERO)


def price_piece(
    record: UsageRecord,
    terms: CompiledTerms,
    cards: list[RateCard],
    lane: Lane,
    assume: Assume = "low",
) -> Piece:
    """Price a record (or a group in the shape of one) on its rate card; on several where the data cannot tell which.

    Raises UnpricedError where no term prices the record, and where no policy decides its outcome.
    """
    text = cards[0].terms
    quantities = _apart(record.quantities, cards[0])
    low_high = [failed_requests.shares(text, record, meter) for meter in quantities]
    is_reserved = reserved.serves(text, record, lane.model.id)
    entries = []
    for (meter, quantity), shares in zip(quantities.items(), low_high, strict=True):
        price = _choose(cards, meter, assume)
        share = shares[0] if assume == "low" else shares[1]
        policy = "" if share == 1 else f"failed_requests.{record.outcome or 'unknown'}"
        if is_reserved:
            share, policy = ZERO, "capacity.reserved"
        entries.append(_entry(price, quantity, share, policy))
    known = len(cards) == 1 and all(low == high for low, high in low_high)
    return Piece(
        record.used_at, lane, record.outcome or "", entries, count=record.count, known=known, customer=record.customer
    )


def _entry(price: UnitPrice, quantity: int, share: Decimal, policy: str) -> Entry:
    factor = 0 if share == 0 else 1
    contracted = from_pico(price.contracted * quantity * factor)
    return Entry(
        price,
        quantity,
        from_pico(price.public * quantity),
        contracted,
        from_pico(price.undropped * quantity * factor),
        policy,
        credited=contracted * -share if share < 0 else ZERO,
    )


def _apart(quantities: Mapping[str, int], card: RateCard) -> Mapping[str, int]:
    """Reasoning lies inside output and is informational, unless the model prices it apart."""
    if "reasoning_tokens" not in quantities:
        return quantities
    inside = dict(quantities)
    reasoning = inside.pop("reasoning_tokens")
    if card.prices_apart("reasoning_tokens"):
        inside["output_tokens"] -= reasoning
        inside["reasoning_tokens"] = reasoning
    return {meter: quantity for meter, quantity in inside.items() if quantity}


def _choose(cards: list[RateCard], meter: str, assume: Assume) -> UnitPrice:
    if len(cards) == 1:
        return cards[0][meter]
    prices = sorted((card[meter] for card in cards), key=lambda price: price.contracted)
    return prices[0] if assume == "low" else prices[-1]
