"""Usage lines: priced pieces summed over what a line tells apart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from offtake.rating.compiled import CompiledTerms
from offtake.rating.lines import Amounts, Line
from offtake.rating.piece import Entry, Piece
from offtake.rating.pipeline import UnitPrice
from offtake.values.money import ZERO, from_pico
from offtake.values.periods import Interval

Key = tuple[str, ...]


@dataclass(slots=True)
class Sum:
    """Running sums of one line."""

    piece: Piece
    price: UnitPrice
    quantity: int = 0
    amounts: Amounts = field(default_factory=Amounts)
    credited: Decimal = ZERO
    covered: Decimal = ZERO


@dataclass(slots=True)
class UsageLines:
    """The usage of the open period."""

    sums: dict[Key, Sum] = field(default_factory=dict)

    def add(self, piece: Piece) -> None:
        """Book a piece, after every clause has acted on it."""
        for entry in piece.entries:
            key = _key(piece, entry)
            into = self.sums.get(key)
            if into is None:
                into = self.sums[key] = Sum(piece, entry.price)
            into.quantity += entry.quantity
            into.credited += entry.credited
            into.covered += entry.covered
            into.amounts += Amounts(
                entry.public, entry.contracted, entry.uncovered + entry.covered_cost, entry.uncovered
            )

    def lines(self, period: Interval, terms: CompiledTerms) -> Iterable[Line]:
        """The usage lines of a period, in the order of their keys, each credited failure followed by its credit line."""
        for key in sorted(self.sums):
            into = self.sums[key]
            line = _line(key, into, period, terms)
            yield line
            if into.credited:
                yield _credit(line, into)


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
    billed_price = into.price.contracted if into.amounts.contracted else 0
    return Line(
        id="/".join([f"{period.start:%Y-%m-%d}", clause, *key[:6], str(into.price.contracted), *key[8:]]),
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
        commitment=next(iter(into.piece.paid_by), "") if into.covered else "",
        commitment_status="used" if into.covered else "",
    )


def _why(into: Sum, clause: str, outcome: str) -> str:
    if not into.amounts.contracted and outcome:
        return f"{into.quantity:,} tokens of {outcome} requests: free by {clause}"
    if clause == "capacity.reserved":
        return f"{into.quantity:,} served from reserved capacity: paid by its fee"
    arithmetic = f"{into.quantity:,} × ${from_pico(into.price.contracted * 10**6).normalize():f}/M = {into.amounts.contracted.normalize():,f}"
    steps = "; ".join(sentence for _, sentence in into.price.steps)
    covered = f"; {into.covered.normalize():,f} paid by {', '.join(sorted(into.piece.paid_by))}" if into.covered else ""
    return f"{arithmetic} ({steps}){covered}"


def _credit(line: Line, into: Sum) -> Line:
    amount = -into.credited
    return Line(
        id=f"{line.id}/credit",
        clause=line.clause,
        kind="credit",
        period=line.period,
        quantity=into.amounts.contracted,
        unit_price=-(into.credited / into.amounts.contracted) if into.amounts.contracted else ZERO,
        unit="USD",
        amounts=Amounts(ZERO, ZERO, amount, amount),
        why=f"{line.outcome} is billed and credited: −{into.credited.normalize():,f}",
        model=line.model,
        meter=line.meter,
        vendor=line.vendor,
        channel=line.channel,
        access=line.access,
        region=line.region,
        outcome=line.outcome,
        source=line.source,
        by=line.by,
    )
