"""Usage lines: priced pieces summed over what a line tells apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from offtake.rating.compiled import CompiledTerms
from offtake.rating.lines import Amounts, Line
from offtake.rating.piece import Entry, Piece
from offtake.rating.pipeline import UnitPrice
from offtake.values.money import ZERO, divide, from_pico
from offtake.values.periods import Interval

Key = tuple[str, ...]


@dataclass(slots=True)
class Sum:
    """Running sums of one line, in picodollars."""

    piece: Piece
    price: UnitPrice
    quantity: int = 0
    public: int = 0
    contracted: int = 0
    covered: int = 0
    covered_cost: Decimal = ZERO
    credited: Decimal = ZERO
    paid_by: set[str] = field(default_factory=set)

    @property
    def amounts(self) -> Amounts:
        """The four costs in dollars."""
        uncovered = self.contracted - self.covered
        return Amounts(
            from_pico(self.public),
            from_pico(self.contracted),
            (uncovered + self.covered_cost).scaleb(-12),
            from_pico(uncovered),
        )


@dataclass(slots=True)
class UsageLines:
    """The usage of the open period. `credited` is what failed-request policies give back, in picodollars."""

    sums: dict[Key, Sum] = field(default_factory=dict)
    credited: Decimal = ZERO

    def add(self, piece: Piece) -> None:
        """Book a piece, after every clause has acted on it."""
        for entry in piece.entries:
            key = _key(piece, entry)
            into = self.sums.get(key)
            if into is None:
                into = self.sums[key] = Sum(piece, entry.price)
            into.quantity += entry.quantity
            into.public += entry.public  # list prices move under a contract price that does not
            into.contracted += entry.contracted
            into.covered += entry.covered - entry.granted
            into.covered_cost += entry.covered_cost
            into.credited += entry.credited
            self.credited += entry.credited
            if entry.covered and piece.paid_by:
                into.paid_by.update(piece.paid_by)

    def lines(self, period: Interval, terms: CompiledTerms) -> Iterable[Line]:
        """The usage lines of a period, in the order of their keys; a credited failure is followed by its credit."""
        for key in sorted(self.sums):
            into = self.sums[key]
            line = _line(key, into, period, terms)
            yield line
            if into.credited:
                yield _credit(line, into.credited.scaleb(-12))


def _key(piece: Piece, entry: Entry) -> Key:
    lane = piece.lane
    by = tuple(f"{name}={value}" for name, value in sorted(piece.by.items()))
    outcome = "" if piece.outcome == "ok" else piece.outcome or "unknown"
    return (
        lane.model.vendor, lane.model.id, entry.price.meter, lane.channel, lane.access, lane.region,
        entry.policy or entry.price.clause, f"{entry.price.contracted:020d}", outcome, *by,
    )  # fmt: skip


def _line(key: Key, into: Sum, period: Interval, terms: CompiledTerms) -> Line:
    vendor, model, meter, channel, access, region, clause, _, outcome, *_ = key
    quantity = Decimal(into.quantity)
    billed_price = into.price.contracted if into.contracted else 0
    return Line(
        id="/".join([terms.contract.day(period.start), clause, *key[:6], str(into.price.contracted), *key[8:]]),
        clause=clause,
        kind="usage",
        period=period,
        quantity=quantity,
        unit_price=from_pico(billed_price),
        amounts=into.amounts,
        why=_why(into, clause, outcome),
        model=model,
        meter=meter,
        vendor=vendor,
        channel=channel,
        access=access,
        region=region,
        outcome=outcome or "ok",
        source=terms.contract.source(clause),
        steps=into.price.steps,
        by=dict(into.piece.by),
        commitment=", ".join(sorted(into.paid_by)),
        commitment_status="used" if into.paid_by else "",
    )


def _why(into: Sum, clause: str, outcome: str) -> str:
    covered = ""
    if into.covered:
        covered = f"; {from_pico(into.covered).normalize():,f} paid by {', '.join(sorted(into.paid_by))}"
    return why(into.price, into.quantity, into.contracted, clause, outcome) + covered


def why(price: UnitPrice, quantity: int, contracted: int, clause: str, outcome: str) -> str:
    """The arithmetic of a usage line in words."""
    if clause == "capacity.reserved":
        return f"{quantity:,} served from reserved capacity: paid by its fee"
    if not contracted and outcome:
        return f"{quantity:,} of {outcome} requests: free by {clause}"
    return f"{quantity:,} × {price.shown} = {from_pico(contracted).normalize():,f} ({price.derivation})"


def _credit(line: Line, credited: Decimal) -> Line:
    return replace(
        line,
        id=f"{line.id}/credit",
        kind="credit",
        quantity=line.amounts.contracted,
        unit_price=-divide(credited, line.amounts.contracted),
        unit="USD",
        amounts=Amounts(ZERO, ZERO, -credited, -credited),
        why=f"{line.outcome} is billed and credited: −{credited.normalize():,f}",
        commitment="",
        commitment_status="",
    )
