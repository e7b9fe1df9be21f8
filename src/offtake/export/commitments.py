"""Which commitment of the contract a line buys, draws or leaves unused."""

from __future__ import annotations

from offtake.contract.contract import Contract
from offtake.contract.schema.commitments import Commitment
from offtake.rating.lines import Line


def commitment_of(line: Line, contract: Contract) -> Commitment | None:
    """The commitment as its text stood in the line's period, or None for balances of no commitment (a credit).

    A line names every balance that paid for it (`launch, spend rollover`); a commitment's own bear its id first.
    """
    names = line.commitment.split(", ")
    for terms in (contract.as_of(line.period.start), *(version.terms for version in contract.versions)):
        for commitment in terms.commitments:
            if any(name == commitment.id or name.startswith(f"{commitment.id} ") for name in names):
                return commitment
    return None


def commitment_name(line: Line, contract: Contract) -> str:
    """The commitment's id, or the balances as the line names them; empty where no balance is touched."""
    commitment = commitment_of(line, contract)
    return commitment.id if commitment else line.commitment


def status_of(line: Line) -> str:
    """Whether a line used its commitment or left it unused: what a commitment clause charges is what nobody used."""
    return line.commitment_status or ("unused" if line.kind == "commitment" else "used")
