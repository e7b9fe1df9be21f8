"""Gates and asks: what is open to a buyer who commits this much to one vendor.

The spend that counts is what is left after batch, caching and routing: whoever pulls those levers later cannot burn a
commitment that was sized before. An account executive who is known to be there (or not) overrides the figures.

    40,000 USD a month against 50,000 … 100,000: closed; the usage must grow 1.250 … 2.500 times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from offtake.planner.levers.facts import ACCOUNT_EXECUTIVE, Ask, Gate, gate_of
from offtake.planner.levers.pricing import Cost
from offtake.values.money import divide, quantize

MONTHS = 12
Opening = Literal["open", "between", "closed"]
Status = Literal["open", "between", "closed", "rarely", "never", "tactic"]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a vendor's remaining spend stands against a gate. `multiple` is what the usage must grow by to reach its
    low and its high end (from the lower estimate of the spend); None where nothing is left to grow.
    """

    vendor: str
    gate: Gate
    spend: Cost
    opening: Opening
    why: str
    multiple: tuple[Decimal, Decimal] | None

    @property
    def monthly(self) -> tuple[Decimal, Decimal]:
        """The gate's ends in dollars a month, to the cent."""
        return quantize(divide(self.gate.low, MONTHS), 2), quantize(divide(self.gate.high, MONTHS), 2)


@dataclass(frozen=True, slots=True)
class Standing:
    """What can be said of one ask to one vendor."""

    ask: Ask
    status: Status
    why: str


def positions(
    spends: Mapping[str, Cost], gates: Sequence[Gate], day: date, executives: Mapping[str, bool]
) -> tuple[Position, ...]:
    """Every gate against every vendor's monthly spend. `executives`: whether one is assigned, by vendor or for "*"."""
    names = dict.fromkeys(gate.gate for gate in gates)
    found = ((vendor, gate_of(gates, name, vendor, day)) for vendor in spends for name in names)
    return tuple(_position(vendor, gate, spends[vendor], executives) for vendor, gate in found if gate)


def _position(vendor: str, gate: Gate, spend: Cost, executives: Mapping[str, bool]) -> Position:
    low, high = spend.low * MONTHS, spend.high * MONTHS
    known = executives.get(vendor, executives.get("*"))
    opening: Opening
    if gate.gate == ACCOUNT_EXECUTIVE and known is not None:
        opening, why = ("open", "an account executive is assigned") if known else ("closed", "no account executive")
    elif low >= gate.high:
        opening, why = "open", "the spend that is left reaches the gate"
    elif high < gate.low:
        opening, why = "closed", "the spend that is left lies below the gate"
    else:
        opening, why = "between", "the spend that is left may do: it depends on an account executive"
    ends = (quantize(divide(gate.low, low), 3), quantize(divide(gate.high, low), 3)) if low else None
    return Position(vendor, gate, spend, opening, why, ends)


def standings(asks: Sequence[Ask], held: Sequence[Position]) -> tuple[Standing, ...]:
    """Every ask, for one vendor, in the order of the list."""
    gates = {position.gate.gate: position for position in held}
    found: dict[str, Standing] = {}
    for ask in asks:
        found[ask.id] = Standing(ask, *_status(ask, gates, found))
    return tuple(found.values())


def _status(ask: Ask, gates: Mapping[str, Position], earlier: Mapping[str, Standing]) -> tuple[Status, str]:
    if ask.moves == "tactic":
        return "tactic", "something to do, not to ask for"
    if ask.moves == "never":
        return "never", ask.why
    if ask.gate in earlier:
        before = earlier[ask.gate]
        if before.status in ("closed", "never"):
            return "closed", f"idle without {ask.gate} ({before.ask.name})"
        if before.status in ("rarely", "between"):
            return "between", f"only together with {ask.gate} ({before.ask.name})"
    elif ask.gate:
        position = gates.get(ask.gate)
        if position is None:
            return "closed", f"no gate {ask.gate!r} is known for this vendor"
        if position.opening == "closed":
            return "closed", position.why
        if position.opening == "between" and ask.moves != "rarely":
            return "between", position.why
    if ask.moves == "rarely":
        return "rarely", ask.why
    return "open", "moves sometimes" if ask.moves == "sometimes" else ("moves" if ask.gate else "anyone may ask")
