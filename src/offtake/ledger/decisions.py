"""What people decide about models while contracts run: suspended and lifted, withdrawn from a suite and readmitted.

Each decision is a line of the chain, never changed; what holds now is what no later decision ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

ENDS = {"lift": "suspend", "readmit": "withdraw"}
"""What each kind ends."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what of a model, when (microseconds since 1970) and why.

    `kind`: suspend | lift | withdraw | readmit. `subject`: a contract (`*`: each) for the first two, an evaluation
    suite for the others. `model` is a pattern for a suspension, a catalogue's id for a withdrawal. `why` is a
    suspension's event.
    """

    kind: str
    at: int
    subject: str
    model: str
    why: str
    by: str

    def payload(self) -> bytes:
        """It as a line of the ledger holds it."""
        return json.dumps(asdict(self)).encode()


def decision_of(payload: bytes) -> Decision:
    """The decision that a line holds."""
    return Decision(**json.loads(payload))


def standing(decisions: Iterable[Decision]) -> list[Decision]:
    """The suspensions and withdrawals that hold after all of these, in their order; a later one of a pair replaces."""
    found: dict[tuple[str, str, str], Decision] = {}
    for each in decisions:
        key = ENDS.get(each.kind, each.kind), each.subject, each.model
        found.pop(key, None)
        if each.kind not in ENDS:
            found[key] = each
    return list(found.values())
