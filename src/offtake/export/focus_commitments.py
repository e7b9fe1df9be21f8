"""The seven CommitmentDiscount columns of a row, and the capacity reservation."""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.contract import Contract
from offtake.contract.schema.commitments import Commitment, TokenCommitment
from offtake.export.commitments import commitment_of, status_of
from offtake.export.focus_columns import Value
from offtake.rating.lines import Line
from offtake.values.money import EXACT, ZERO

RESERVED = "capacity.reserved"


def commitment_columns(line: Line, category: str, contract: Contract, currency: str) -> dict[str, Value]:
    """The commitment that a row buys, draws or leaves unused; empty where none is or where nothing of it moves.

    Purchases and usage carry a positive quantity; corrections carry none, because the specification lets a correction
    restate any of quantity and cost apart.
    """
    if not line.commitment:
        return {}
    term = commitment_of(line, contract)
    tokens = term.tokens if term else None
    quantity: Decimal | None = None
    if category in ("Usage", "Purchase") and line.corrects is None:
        quantity = _quantity(line, category, term, currency)
        if quantity <= 0:
            return {}
    name = term.id if term else line.commitment
    kind = "Token Commitment" if tokens else "Spend Commitment" if term else "Prepaid Balance"
    return {
        "CommitmentDiscountCategory": "Usage" if tokens else "Spend",
        "CommitmentDiscountId": f"{contract.signed.contract}/{name}",
        "CommitmentDiscountName": name,
        "CommitmentDiscountQuantity": quantity,
        "CommitmentDiscountStatus": status_of(line).capitalize() if category == "Usage" else None,
        "CommitmentDiscountType": kind,
        "CommitmentDiscountUnit": None if quantity is None else "Tokens" if tokens else currency,
    }


def reservation_columns(line: Line, category: str, contract: Contract) -> dict[str, Value]:
    """Reserved capacity: its price, and the usage that it served."""
    if line.clause != RESERVED and all(clause != RESERVED for clause, _ in line.steps):
        return {}
    return {
        "CapacityReservationId": f"{contract.signed.contract}/{RESERVED}",
        "CapacityReservationStatus": "Used" if category == "Usage" else None,
    }


def _quantity(line: Line, category: str, term: Commitment | None, currency: str) -> Decimal:
    """In the commitment's unit: weighted tokens, or money at the prices that count. A dollar of drawdown never costs
    more than a dollar, so what was bought or lost is at least its cost.
    """
    if term and term.tokens:
        return EXACT.multiply(line.quantity, _weight(line.meter, term.tokens)) if line.meter else line.quantity
    if category == "Purchase" or status_of(line) == "unused":
        cost = max(line.amounts.effective, line.amounts.billed)
        return max(line.quantity, cost) if line.unit == currency else cost
    return line.amounts.list if term and term.counts_at == "list" else line.amounts.contracted


def _weight(meter: str, tokens: TokenCommitment) -> Decimal:
    name = meter.removesuffix("_tokens")
    general = "cache_write" if name.startswith("cache_write") else name
    return tokens.weights.get(name, tokens.weights.get(general, ZERO))
