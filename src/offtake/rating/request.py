"""Price one request: pure, no I/O, the same clauses as the monthly invoice.

`price_request(terms, record, position) -> (lines, position)`, where the position is what cumulative terms need.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from offtake.rating.compiled import CompiledTerms
from offtake.rating.groups import BAND_UNKNOWN, band_of, input_tokens_of
from offtake.rating.lines import Amounts
from offtake.rating.piece import Assume, Entry, Piece, price_piece
from offtake.rating.planning import GRAINS
from offtake.rating.run import Machine, Position, Run
from offtake.rating.usage_lines import why
from offtake.rating.windows import Charge
from offtake.usage.meters import ORDER
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError
from offtake.values.money import EXACT, ZERO, from_pico

INSTANT = timedelta(microseconds=1)
_EXACT = EXACT.copy()
_scaled = EXACT.scaleb


class FullLine(NamedTuple):
    """A line of one request with every field made."""

    id: str
    kind: str
    clause: str
    model: str
    meter: str
    quantity: Decimal
    unit_price: Decimal
    amounts: Amounts
    why: str


class RequestLine:
    """One line of one request: integers at hand, dollars and words on demand. Reads as a `Line` does."""

    __slots__ = ("_credit", "clause", "entry", "piece")
    unit = "token"
    high = None

    def __init__(self, piece: Piece, entry: Entry, credit: bool = False) -> None:
        self.clause = entry.policy or entry.price.clause
        self.piece = piece
        self.entry = entry
        self._credit = credit

    @property
    def is_special(self) -> bool:
        """Whether a policy, a lot or a credit changes what the tokens cost."""
        return self._credit or bool(self.entry.policy) or bool(self.entry.covered)

    @property
    def id(self) -> str:
        """Stable for the same clause on the same usage."""
        kind = "/credit" if self._credit else ""
        return f"{self.piece.day}/{self.clause}/{self.model}/{self.meter}{kind}"

    @property
    def kind(self) -> str:
        """Usage, or the credit that a failed-request policy gives."""
        return "credit" if self._credit else "usage"

    @property
    def model(self) -> str:
        """The catalogue's name of the model."""
        return self.piece.lane.model.id

    @property
    def meter(self) -> str:
        """What was counted."""
        return self.entry.price.meter

    @property
    def quantity(self) -> Decimal:
        """Pieces of the meter."""
        return Decimal(self.entry.quantity)

    @property
    def unit_price(self) -> Decimal:
        """Dollars a piece; 0 for what a clause makes free."""
        return ZERO if self.entry.is_free else self.entry.price.dollars

    @property
    def amounts(self) -> Amounts:
        """The four costs, exact."""
        entry = self.entry
        if self._credit:
            given = -entry.credited.scaleb(-12, EXACT)
            return Amounts(ZERO, ZERO, given, given)
        contracted = from_pico(entry.contracted)
        if not entry.covered:
            return Amounts(from_pico(entry.public), contracted, contracted, contracted)
        billed = from_pico(entry.uncovered)
        effective = EXACT.add(billed, entry.covered_cost.scaleb(-12, EXACT))
        return Amounts(from_pico(entry.public), contracted, effective, billed)

    @property
    def why(self) -> str:
        """The arithmetic in words."""
        entry = self.entry
        outcome = "" if self.piece.outcome == "ok" else self.piece.outcome
        return why(entry.price, entry.quantity, entry.contracted, self.clause, outcome)

    @property
    def steps(self) -> tuple[tuple[str, str], ...]:
        """The derivation of the unit price: (clause path, sentence) pairs."""
        return self.entry.price.steps


class ChargeLine:
    """What a clause adds to one request: a tier discount, an overage premium. Reads as a `Line` does."""

    __slots__ = ("_at", "_charge", "clause")
    unit = "USD"
    kind = "adjustment"
    model = meter = ""
    high = None
    steps: tuple[tuple[str, str], ...] = ()

    def __init__(self, charge: Charge, at: datetime) -> None:
        self.clause = charge.path
        self._charge = charge
        self._at = at

    @property
    def id(self) -> str:
        """Stable for the same clause on the same usage."""
        return f"{self._at.date().isoformat()}/{self.clause}"

    @property
    def quantity(self) -> Decimal:
        """The base, in dollars."""
        return from_pico(self._charge.base)

    @property
    def unit_price(self) -> Decimal:
        """The share of the base."""
        return self._charge.share

    @property
    def amounts(self) -> Amounts:
        """It has no list price; it costs what it bills."""
        amount = self._charge.amount.scaleb(-12, EXACT)
        return Amounts(ZERO, ZERO, amount, amount)

    @property
    def why(self) -> str:
        """The arithmetic in words."""
        return self._charge.why()


class RequestLines(Sequence["RequestLine | ChargeLine"]):
    """The lines of one request; picodollars in `pieces` and `charges` until they are asked for."""

    __slots__ = ("charges", "pieces", "terms")

    def __init__(self, terms: CompiledTerms, pieces: list[Piece], charges: list[Charge]) -> None:
        self.terms = terms
        self.pieces = pieces
        self.charges = charges

    @property
    def total(self) -> Decimal:
        """What the request is billed, exact, in dollars."""
        pico = Decimal(sum([piece.uncovered for piece in self.pieces]))
        for charge in self.charges:
            pico = EXACT.add(pico, charge.amount)
        for piece in self.pieces:
            for entry in piece.entries:
                if entry.credited:
                    pico = EXACT.subtract(pico, entry.credited)
        return EXACT.scaleb(pico, -12)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # int or slice, as any sequence
        return list(iter(self))[index]

    def full(self) -> list[FullLine]:
        """Every line with every field made."""
        made = []
        for line in self:
            if isinstance(line, ChargeLine) or line.is_special:
                made.append(full(line))
            else:
                made.append(_plain(line))
        return made

    def __iter__(self) -> Iterator[RequestLine | ChargeLine]:
        for piece in self.pieces:
            for entry in piece.entries:
                yield RequestLine(piece, entry)
                if entry.credited:
                    yield RequestLine(piece, entry, credit=True)
        for charge in self.charges:
            yield ChargeLine(charge, self.pieces[0].at)


def full(line: RequestLine | ChargeLine) -> FullLine:
    """A line with every field made."""
    return FullLine(
        line.id, line.kind, line.clause, line.model, line.meter, line.quantity, line.unit_price, line.amounts, line.why
    )


def _plain(line: RequestLine) -> FullLine:
    """`full` for what nearly every line is, billed whole: each dollar amount is made once."""
    piece, entry = line.piece, line.entry
    price, quantity, model = entry.price, entry.quantity, piece.lane.model.id
    cost = _scaled(Decimal(entry.contracted), -12)
    public = cost if price.public == price.contracted else _scaled(Decimal(price.public * quantity), -12)
    return FullLine(
        f"{piece.day}/{price.clause}/{model}/{price.meter}",
        "usage",
        price.clause,
        model,
        price.meter,
        Decimal(quantity),
        price.dollars,
        Amounts(public, cost, cost, cost),
        f"{quantity:,} × {price.shown} = {cost.normalize():,f} ({price.derivation})",
    )


def price_request(
    terms: CompiledTerms, record: UsageRecord, position: Position | None = None
) -> tuple[RequestLines, Position]:
    """The lines of one record, unrounded, and the position after it.

    `position` None is the start of the term. Lines of windows that close before the record (a shortfall, say) belong to
    invoices and are not among them. Raises UnpricedError where no term prices the record, and InputError where it lies
    outside of the term.
    """
    machine = machine_of(terms)
    caller = decimal.getcontext()
    decimal.setcontext(_EXACT)
    try:
        if position is None or record.used_at >= position.until:
            position = _advanced(machine, record, position)
        if not machine.acting:
            return RequestLines(terms, [_piece(terms, record, 0, "low")], []), position
        run = machine.resume(position)
        pieces = use_record(run, terms, record, "low", {})
        charges = [charge for clause in machine.acting for charge in clause.charges(run)]
        lots = tuple(run.lots)
        return RequestLines(terms, pieces, charges), Position(run.next_event, position.until, run.accounts, lots)
    finally:
        decimal.setcontext(caller)


def machine_of(terms: CompiledTerms) -> Machine:
    """The window machine of compiled terms, made when first asked."""
    machine = terms.machine
    if machine is None:
        machine = terms.machine = Machine(terms)
    return machine  # type: ignore[return-value]  # compiled.py may not import run.py


def _advanced(machine: Machine, record: UsageRecord, position: Position | None) -> Position:
    span = machine.terms.contract.span
    if record.used_at not in span:
        raise InputError("R411", f"{record.used_at} lies outside of the contract's term, {span.start} to {span.end}")
    run = machine.resume(position) if position else machine.start(collect=False)
    run.advance(record.used_at)
    return run.position()


def use_record(
    run: Run, terms: CompiledTerms, record: UsageRecord, assume: Assume, by: Mapping[str, str]
) -> list[Piece]:
    """Price a record on the run's position and let the clauses act; in two parts where it crosses a token threshold."""
    piece = _piece(terms, record, run.tier, assume)
    piece.account = record.account
    if by:
        piece.by = by
    for cut in run.cuts() if run.machine.cutting else ():
        if cut.weights is not None and cut.measure(piece) > cut.left[0]:
            head, tail = split(record, cut.left[0], cut.weights)
            if head.quantities and tail.quantities:
                first = use_record(run, terms, head, assume, by)
                rest = use_record(run, terms, tail, assume, by)
                for part in rest:
                    part.rows = 0  # its tokens count; its row has been counted
                return first + rest
    run.use(piece)
    return [piece]


def _piece(terms: CompiledTerms, record: UsageRecord, tier: int, assume: Assume) -> Piece:
    lane = terms.lane(record)
    band = band_of(record, lane.thresholds) if lane.thresholds else 0
    if band != BAND_UNKNOWN and record.grain == "request":
        return price_piece(record, terms, [lane.card(record.used_at, band, tier)], lane, assume)
    bands = range(len(lane.thresholds) + 1) if band == BAND_UNKNOWN else (band,)
    end = record.used_at + max(GRAINS[record.grain], INSTANT)
    cards = [card for each in bands for card in lane.cards_over(record.used_at, end, each, tier)]
    return price_piece(record, terms, cards, lane, assume)


def split(record: UsageRecord, left: Decimal, weights: Mapping[str, Decimal]) -> tuple[UsageRecord, UsageRecord]:
    """The part of a record up to a threshold and the part beyond: meter by meter in schema order, whole tokens."""
    head: dict[str, int] = {}
    tail: dict[str, int] = {}
    for meter in sorted(record.quantities, key=lambda name: ORDER[name]):
        quantity, weight = record.quantities[meter], weights.get(meter, Decimal(0))
        taken = quantity if not weight else min(quantity, int(left // weight))
        left -= taken * weight
        if taken:
            head[meter] = taken
        if quantity - taken:
            tail[meter] = quantity - taken
    context = record.context_tokens
    if context is None and record.grain == "request":
        context = input_tokens_of(record)  # the whole request decides its band, not one of its parts
    return (
        replace(record, quantities=head, context_tokens=context),
        replace(record, quantities=tail, context_tokens=context, count=0),
    )
