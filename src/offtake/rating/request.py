"""Price one request: pure, no I/O, the same clauses as the monthly invoice.

`price_request(terms, record, position) -> (lines, position)`, where the position is what cumulative terms need.
"""

from __future__ import annotations

import decimal
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from operator import mul
from typing import NamedTuple

from offtake.rating.compiled import CompiledTerms, Lane, Together
from offtake.rating.groups import BAND_UNKNOWN, band_of, input_tokens_of
from offtake.rating.piece import Assume, Piece, price_piece
from offtake.rating.planning import GRAINS
from offtake.rating.request_lines import RequestLines
from offtake.rating.run import Machine, Position, Run
from offtake.usage.meters import BY_NAME
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError
from offtake.values.money import EXACT

INSTANT = timedelta(microseconds=1)
_EXACT = EXACT.copy()


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
    run.now = record.used_at
    piece = _piece(terms, record, run.tier, assume)
    piece.account = record.account
    if by:
        piece.by = by
    for cut in run.cuts() if run.machine.cutting else ():
        if cut.weights is not None and cut.measure(piece) > cut.left[0]:
            head, tail = split(record, piece, cut.left[0], cut.weights)
            if head.quantities and tail.quantities:
                first = use_record(run, terms, head, assume, by)
                rest = use_record(run, terms, tail, assume, by)
                for part in rest:
                    part.rows = 0  # its tokens count; its row has been counted
                return first + rest
    run.use(piece)
    return [piece]


class Cost(NamedTuple):
    """What usage costs in picodollars, contracted and at list, and the paths of the clauses that made the prices."""

    contracted: int
    public: int
    clauses: tuple[str, ...]


def cost_on(lane: Lane, at: datetime, quantities: Mapping[str, int], context_tokens: int) -> Cost:
    """What one answer that ended well costs on its lane: the sums of `priced_plainly`, without its record and entries.

    A gateway settles nearly every request so.
    """
    prices, used = prices_on(lane, at, tuple(quantities), context_tokens), quantities.values()
    return Cost(sum(map(mul, used, prices.contracted)), sum(map(mul, used, prices.public)), prices.clauses)


def prices_on(lane: Lane, at: datetime, meters: tuple[str, ...], context_tokens: int) -> Together:
    """The unit prices of an answer's meters on its lane: one number for each, to be multiplied by what was used."""
    band = bisect_left(lane.thresholds, context_tokens) if lane.thresholds else 0
    return lane.card(at, band).together(meters)


def priced_plainly(terms: CompiledTerms, record: UsageRecord) -> Piece:
    """As `priced_alone`, on the lane of many such records: what a gateway settles, thousands of times a second."""
    return _piece(terms, record, 0, "low")


def priced_alone(terms: CompiledTerms, record: UsageRecord) -> Piece:
    """A record priced without a position: in the first tier, at the lower price where the data leaves one open."""
    lane = terms.lane_at(record)
    band = band_of(record, lane.thresholds) if lane.thresholds else 0
    return price_piece(record, terms, [lane.card(record.used_at, max(band, 0), 0)], lane, "low")


def _piece(terms: CompiledTerms, record: UsageRecord, tier: int, assume: Assume) -> Piece:
    lane = terms.lane(record)
    band = band_of(record, lane.thresholds) if lane.thresholds else 0
    if band != BAND_UNKNOWN and record.grain == "request":
        return price_piece(record, terms, [lane.card(record.used_at, band, tier)], lane, assume)
    bands = range(len(lane.thresholds) + 1) if band == BAND_UNKNOWN else (band,)
    end = record.used_at + max(GRAINS[record.grain], INSTANT)
    cards = [card for each in bands for card in terms.cards_over(record, end, each, tier)]
    return price_piece(record, terms, cards, lane, assume)


def split(
    record: UsageRecord, piece: Piece, left: Decimal, weights: Mapping[str, Decimal]
) -> tuple[UsageRecord, UsageRecord]:
    """The part of a record up to a threshold and the part beyond: meter by meter in schema order, whole tokens."""
    head: dict[str, int] = {}
    tail: dict[str, int] = {}
    for entry in piece.in_schema_order:
        meter, quantity = entry.price.meter, entry.quantity
        weight = weights.get(meter, Decimal(0))
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
        replace(record, quantities=_as_recorded(head), context_tokens=context),
        replace(record, quantities=_as_recorded(tail), context_tokens=context, count=0),
    )


def _as_recorded(quantities: dict[str, int]) -> dict[str, int]:
    """Meters that were priced apart lie inside the one that holds them again, as in any record."""
    found = dict(quantities)
    for meter, quantity in quantities.items():
        inside = BY_NAME[meter].inside
        if inside:
            found[inside] = found.get(inside, 0) + quantity
    return found
