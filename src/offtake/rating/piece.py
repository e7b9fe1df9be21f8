"""A piece: usage that shares all prices, priced. One request, one bucket, or a group of a million rows.

Money is integer picodollars here: token counts × unit prices are exact, and what has to be divided (the part of a
record beyond a threshold) is cut on that grid. Dollars come back in `usage_lines.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal

from offtake.rating.clauses import failed_requests, reserved
from offtake.rating.compiled import CompiledTerms, Lane, RateCard
from offtake.rating.pipeline import UnitPrice
from offtake.usage.meters import ORDER
from offtake.usage.record import UsageRecord

Assume = Literal["low", "high"]
NO_TAGS: Mapping[str, str] = {}


class Entry:
    """One meter of a piece, in picodollars. `covered` was paid by lots; `covered_cost` is what those lots had cost.

    `waived` is the covered part that a fee or a shortfall had paid; `granted` the part that a credit pays on a line of
    its own.
    `credited` is what a failed-request policy gives back; `policy` names the clause that decided, if one acted.
    `is_free`: that clause makes it free, and such units count nowhere; a price of zero does not.
    """

    covered = 0
    covered_cost = Decimal(0)
    waived = 0
    granted = 0
    credited = Decimal(0)
    policy = ""
    is_free = False

    def __init__(self, price: UnitPrice, quantity: int, contracted: int) -> None:
        self.price = price
        self.quantity = quantity
        self.contracted = contracted

    @property
    def public(self) -> int:
        """The list cost."""
        return self.price.public * self.quantity

    @property
    def undropped(self) -> int:
        """The contracted cost as if list prices had never fallen."""
        return 0 if self.is_free else self.price.undropped * self.quantity

    @property
    def uncovered(self) -> int:
        """What no lot has paid."""
        return self.contracted - self.covered

    @property
    def billed(self) -> int:
        """What its line asks for: a credit with a line of its own leaves it whole."""
        return self.contracted - self.covered + self.granted


class Piece:
    """Priced usage with the dimensions that lines keep.

    `contracted` is the sum over its entries; `known` is False where low and high differ.
    """

    known = True
    rows = 1
    account = ""
    by: Mapping[str, str] = NO_TAGS
    paid_by: dict[str, int] | None = None
    waived = 0

    def __init__(self, at: datetime, lane: Lane, outcome: str, entries: list[Entry], contracted: int) -> None:
        self.at = at
        self.lane = lane
        self.outcome = outcome
        self.entries = entries
        self.contracted = contracted

    @property
    def day(self) -> str:
        """Its UTC date, as ids carry it."""
        return self.at.date().isoformat()

    @property
    def uncovered(self) -> int:
        """Σ of what no lot has paid."""
        return sum([entry.contracted - entry.covered for entry in self.entries])

    @property
    def billed(self) -> int:
        """Σ of what its lines ask for."""
        return sum([entry.billed for entry in self.entries])

    @property
    def public(self) -> int:
        """Σ list cost of what is not free."""
        return sum([entry.public for entry in self.entries if not entry.is_free])

    @property
    def undropped(self) -> int:
        """Σ contracted cost as if list prices had never fallen."""
        return sum([entry.undropped for entry in self.entries])

    @property
    def in_schema_order(self) -> list[Entry]:
        """The entries in the order in which what is cumulative takes them."""
        return sorted(self.entries, key=lambda entry: ORDER[entry.price.meter])

    def paid(self, name: str, amount: int) -> None:
        """Remember what paid for a part of it."""
        self.paid_by = self.paid_by or {}
        self.paid_by[name] = self.paid_by.get(name, 0) + amount


def price_piece(
    record: UsageRecord, terms: CompiledTerms, cards: list[RateCard], lane: Lane, assume: Assume = "low"
) -> Piece:
    """Price a record (or a group in the shape of one) on its rate card; on several where the data cannot tell which.

    Raises UnpricedError where no term prices the record, and where no policy decides its outcome.
    """
    quantities = record.quantities
    if "reasoning_tokens" in quantities:
        quantities = _apart(quantities, cards[0])
    if record.outcome == "ok" and not record.tier_served and len(cards) == 1:
        card = cards[0]
        entries, total = [], 0
        for meter, quantity in quantities.items():
            price = card[meter]
            cost = price.contracted * quantity
            total += cost
            entries.append(Entry(price, quantity, cost))
        return Piece(record.used_at, lane, "ok", entries, total)
    return _special(record, quantities, cards, lane, assume)


def _special(
    record: UsageRecord, quantities: Mapping[str, int], cards: list[RateCard], lane: Lane, assume: Assume
) -> Piece:
    """A failed or reserved request, or one whose price the data leaves open."""
    text = cards[0].terms
    is_reserved = reserved.serves(text, record, lane.model.id)
    entries, known = [], len(cards) == 1
    for meter, quantity in quantities.items():
        low, high = failed_requests.shares(text, record, meter)
        known &= low == high
        share = low if assume == "low" else high
        policy = (
            "" if low == high == 1 else f"failed_requests.{record.outcome}" if record.outcome else "failed_requests"
        )
        if is_reserved:
            share, policy = Decimal(0), "capacity.reserved"
        entries.append(_decided(_choose(cards, meter, assume), quantity, share, policy))
    piece = Piece(record.used_at, lane, record.outcome or "", entries, sum(entry.contracted for entry in entries))
    piece.known = known
    return piece


def _decided(price: UnitPrice, quantity: int, share: Decimal, policy: str) -> Entry:
    """An entry under a policy: share 1 billed, 0 free, below 0 billed with that share credited."""
    entry = Entry(price, quantity, price.contracted * quantity if share else 0)
    entry.policy, entry.is_free = policy, not share
    if share < 0:
        entry.credited = -share * entry.contracted
    return entry


def _apart(quantities: Mapping[str, int], card: RateCard) -> Mapping[str, int]:
    """Reasoning lies inside output and is informational, unless the model prices it apart."""
    inside = dict(quantities)
    reasoning = inside.pop("reasoning_tokens")
    if card.prices_apart("reasoning_tokens"):
        inside["output_tokens"] -= reasoning
        inside["reasoning_tokens"] = reasoning
    return inside


def _choose(cards: list[RateCard], meter: str, assume: Assume) -> UnitPrice:
    prices = sorted((card[meter] for card in cards), key=lambda price: price.contracted)
    return prices[0] if assume == "low" else prices[-1]
