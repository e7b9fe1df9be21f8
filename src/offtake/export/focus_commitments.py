"""The seven CommitmentDiscount columns of a row, and the capacity reservation."""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.contract import Contract
from offtake.contract.schema.commitments import Commitment, TokenCommitment
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
    term = _term(line, contract)
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


def status_of(line: Line) -> str:
    """Whether a row used its commitment or left it unused: what a commitment clause charges is what nobody used."""
    return line.commitment_status or ("unused" if line.kind == "commitment" else "used")


def reservation_columns(line: Line, category: str, contract: Contract) -> dict[str, Value]:
    """Reserved capacity: its price, and the usage that it served."""
    if line.clause != RESERVED and all(clause != RESERVED for clause, _ in line.steps):
        return {}
    return {
        "CapacityReservationId": f"{contract.signed.contract}/{RESERVED}",
        "CapacityReservationStatus": "Used" if category == "Usage" else None,
    }


def _term(line: Line, contract: Contract) -> Commitment | None:
    """The commitment as its text stood in the line's period, whichever of its balances paid (`spend`, `spend bonus`,
    `spend rollover`); None for a balance of no commitment.
    """
    for terms in (contract.as_of(line.period.start), *(version.terms for version in contract.versions)):
        for commitment in terms.commitments:
            if line.commitment == commitment.id or line.commitment.startswith(f"{commitment.id} "):
                return commitment
    return None


def _quantity(line: Line, category: str, term: Commitment | None, currency: str) -> Decimal:
    """In the commitment's unit: weighted tokens, or money at the prices that count."""
    if term and term.tokens:
        return EXACT.multiply(line.quantity, _weight(line.meter, term.tokens)) if line.meter else line.quantity
    if category == "Purchase" or status_of(line) == "unused":
        return line.quantity if line.unit == currency else max(line.amounts.effective, line.amounts.billed)
    return line.amounts.list if term and term.counts_at == "list" else line.amounts.contracted


def _weight(meter: str, tokens: TokenCommitment) -> Decimal:
    name = meter.removesuffix("_tokens")
    general = "cache_write" if name.startswith("cache_write") else name
    return tokens.weights.get(name, tokens.weights.get(general, ZERO))
