"""Reserved capacity, decided minute by minute: what fits into it costs nothing more, what does not spills or waits.

Clause: `capacity.reserved`. It is paid whether used or not, so it is always used first. A request is served from it
when its expected tokens fit into both of the minute's sums; they are corrected when it settles. What does not fit is
bought at the contracted price (`spill: on_demand`) or refused (`spill: refuse`).
"""

from __future__ import annotations

from datetime import datetime

from offtake.contract.contract import Contract
from offtake.contract.patterns import match
from offtake.contract.schema.fees import Reserved
from offtake.gateway.admit.limits import Limits, Meter, Ticket
from offtake.gateway.admit.question import clause_of
from offtake.gateway.admit.window import MINUTE, Window
from offtake.gateway.ask import Refusal

PATH = "capacity.reserved"


class Reservation:
    """One contract's reserved capacity at one worker, which has `share` of `workers` equal parts of it."""

    def __init__(self, clause: Reserved, words: str, workers: int = 1) -> None:
        self.text = clause
        self.clause = words
        kinds = (("input", clause.input_tpm, "G416"), ("output", clause.output_tpm, "G416"))
        self._limits = Limits(
            [
                Meter(Window(tpm // workers, MINUTE), unit, f"reserved {unit} tokens a minute", code, words)
                for unit, tpm, code in kinds
            ]
        )

    def covers(self, model: str) -> bool:
        """Whether the model may use it."""
        return match(self.text.models, model)

    def fits(self, input_tokens: int, output_tokens: int, now_ns: int) -> bool:
        """Whether a request of so many tokens fits into this minute."""
        return self._limits.refusal(input_tokens, output_tokens, now_ns) is None

    def refusal(self, input_tokens: int, output_tokens: int, now_ns: int) -> Refusal | None:
        """Why a request has to wait for the reservation, where the contract does not let it spill."""
        if self.text.spill == "on_demand":
            return None
        return self._limits.refusal(input_tokens, output_tokens, now_ns)

    def take(self, input_tokens: int, output_tokens: int, now_ns: int) -> Ticket:
        """Serve a request from it: its record says `tier_served: reserved`, and rating bills it 0."""
        return self._limits.admit(input_tokens, output_tokens, now_ns)

    def settle(self, ticket: Ticket, input_tokens: int, output_tokens: int, now_ns: int) -> None:
        """The request has ended and has used so much."""
        self._limits.settle(ticket, input_tokens, output_tokens, now_ns)


def reservation_of(contract: Contract, at: datetime, workers: int = 1) -> Reservation | None:
    """The reserved capacity in force at an instant, if there is any."""
    capacity = contract.as_of(at).capacity
    if capacity is None or capacity.reserved is None:
        return None
    return Reservation(capacity.reserved, clause_of(contract, PATH, at), workers)
