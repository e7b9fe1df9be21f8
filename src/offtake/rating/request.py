"""Price one request: pure, no I/O, the same clauses as the monthly invoice.

`price_request(terms, record, position) -> (lines, position)`, where the position is what cumulative terms need.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, localcontext

from offtake.rating.clauses.prepaid import in_pool
from offtake.rating.compiled import CompiledTerms
from offtake.rating.groups import BAND_UNKNOWN, band_of
from offtake.rating.lines import Line
from offtake.rating.piece import Assume, Piece, price_piece
from offtake.rating.run import Position, Run, new_run
from offtake.usage.meters import ORDER
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError
from offtake.values.money import EXACT
from offtake.values.periods import Interval

__all__ = ["in_pool", "price_request", "use_record"]


def price_request(
    terms: CompiledTerms, record: UsageRecord, position: Position | None = None
) -> tuple[tuple[Line, ...], Position]:
    """The lines of one record, unrounded, and the position after it.

    `position` None is the start of the term. Lines of windows that close before the record (a shortfall, say) belong to
    invoices and are not among them. Raises UnpricedError where no term prices the record.
    """
    with localcontext(EXACT):
        if record.used_at not in terms.contract.span:
            raise InputError("R411", f"{record.used_at} lies outside of the contract's term")
        run = new_run(terms, position)
        run.advance(record.used_at)
        run.lines = []
        use_record(run, terms, record, "low", {})
        moment = Interval(record.used_at, record.used_at + timedelta(microseconds=1))
        for clause in run.clauses:
            if clause.path == "prices.tiers":
                clause.closes(next(iter(clause.windows())), run)
            book = getattr(clause, "book_overage", None)
            if book:
                book(run)
        lines = (*run.usage.lines(moment, terms), *run.lines)
        return tuple(lines), run.position()


def use_record(
    run: Run, terms: CompiledTerms, record: UsageRecord, assume: Assume, by: Mapping[str, str]
) -> list[Piece]:
    """Price a record on the run's position and let the clauses act; where it crosses a token threshold, in two parts."""
    lane = terms.lane(record)
    band = band_of(record, lane.thresholds)
    bands = range(len(lane.thresholds) + 1) if band == BAND_UNKNOWN else (band,)
    piece = price_piece(record, terms, [lane.card(record.used_at, b, run.tier) for b in bands], lane, assume)
    piece.by = by
    for cut in run.cuts():
        if cut.weights is not None and cut.measure(piece) > cut.left[0]:
            head, tail = split(record, cut.left[0], cut.weights)
            if head.quantities and tail.quantities:
                return [*use_record(run, terms, head, assume, by), *_rest(use_record(run, terms, tail, assume, by))]
    run.use(piece)
    return [piece]


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
        from offtake.rating.groups import input_tokens_of

        context = input_tokens_of(record)
    return (
        replace(record, quantities=head, context_tokens=context),
        replace(record, quantities=tail, context_tokens=context, count=0),
    )


def _rest(pieces: list[Piece]) -> list[Piece]:
    """Later parts of one record: their tokens count, their row does not."""
    for piece in pieces:
        piece.rows = 0
    return pieces
