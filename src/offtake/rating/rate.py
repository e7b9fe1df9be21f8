"""Rate usage: group it, price the groups, run the windows, write the invoices.

Groups are priced by the code that prices one request. A segment whose usage crosses a cumulative threshold is read
again in finer parts, down to single records in (used_at, id) order; everything else stays grouped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import localcontext

from offtake.catalog.list_price import ListPrices
from offtake.contract.contract import Contract
from offtake.rating.clauses.steps import conditions_met
from offtake.rating.compiled import CompiledTerms
from offtake.rating.facts import Fact
from offtake.rating.groups import BAND_UNKNOWN, Group, Grouped, GroupPlan
from offtake.rating.lines import Control, Invoices
from offtake.rating.piece import Assume, Piece, price_piece
from offtake.rating.planning import GRAINS, By, Plan, plan
from offtake.rating.ranges import merged
from offtake.rating.request import use_record
from offtake.rating.run import Machine, Run
from offtake.rating.source import Records, Source, Survey
from offtake.usage.record import UsageRecord
from offtake.values.errors import CatalogError, OfftakeError, UnpricedError
from offtake.values.money import EXACT
from offtake.values.periods import Interval

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(slots=True)
class Tally:
    """Control totals as they grow, and why rows could not be priced."""

    grouped: Grouped
    priced: int = 0
    free: int = 0
    unpriced: int = 0
    quantities: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    uncertain: bool = False

    def refuse(self, error: OfftakeError, rows: int) -> None:
        """Count rows that nothing prices, under the reason."""
        self.unpriced += rows
        self.reasons[str(error)] = self.reasons.get(str(error), 0) + rows

    def count(self, piece: Piece) -> None:
        """Count the rows of a priced piece."""
        free = piece.known and bool(piece.entries) and all(entry.is_free for entry in piece.entries)
        self.free += piece.rows if free else 0
        self.priced += 0 if free else piece.rows
        self.uncertain |= not piece.known
        for entry in piece.entries:
            meter = entry.price.meter
            self.quantities[meter] = self.quantities.get(meter, 0) + entry.quantity


def rate_records(
    records: Iterable[UsageRecord],
    contract: Contract,
    catalog: ListPrices,
    facts: Sequence[Fact] = (),
    *,
    by: By = By(),
    span: Interval | None = None,
) -> Invoices:
    """Rate usage that is in memory and has no duplicates. See `rate`."""
    return rate(Records(records), contract, catalog, facts, by=by, span=span)


def rate(
    source: Source,
    contract: Contract,
    catalog: ListPrices,
    facts: Sequence[Fact] = (),
    *,
    by: By = By(),
    span: Interval | None = None,
) -> Invoices:
    """The invoices of every billing period that usage (or `span`) touches, with control totals.

    Cumulative terms run from the start of the term, so usage before `span` still counts. Where the data cannot decide a
    price, every amount has a low and a high. Raises ContractError where terms clash or a fact is missing; rows that no
    term prices are counted as unpriced and named, and the result is not complete.
    """
    with localcontext(EXACT):
        terms = CompiledTerms(contract, catalog, facts)
        by_workload = any(version.terms.prices.non_production for version in contract.versions)
        survey = source.survey(by.workload or by_workload)
        terms = CompiledTerms(contract, catalog, facts, conditions_met(terms, survey, source))
        low, uncertain = _pass(source, terms, survey, by, span, "low")
        if not uncertain:
            return low
        high, _ = _pass(source, terms, survey, by, span, "high")
        return merged(low, high)


def _pass(
    source: Source, terms: CompiledTerms, survey: Survey, by: By, span: Interval | None, assume: Assume
) -> tuple[Invoices, bool]:
    whole = _touched(terms, survey, span)
    rater, planned = prepared(source, terms, survey, by, whole.end, assume)
    run, tally = rater.run, rater.tally
    grouped = tally.grouped
    rater.rate_segments(planned, grouped.groups)
    run.advance(whole.end)
    wanted = span or whole
    invoices = tuple(invoice for invoice in run.invoices if invoice.period.overlap(wanted))
    control = Control(
        records=grouped.records,
        priced=tally.priced,
        free=tally.free,
        unpriced=tally.unpriced,
        outside_term=grouped.outside_term,
        quantities=grouped.quantities,
        priced_quantities=tally.quantities,
    )
    reasons = tuple(
        f"{rows:,} {'row' if rows == 1 else 'rows'}: {reason}" for reason, rows in sorted(tally.reasons.items())
    )
    contract = terms.contract
    currency = contract.signed.term.currency
    name = contract.signed.contract
    return Invoices(name, contract.hash, terms.catalog.version, currency, invoices, control, reasons), tally.uncertain


def prepared(
    source: Source, terms: CompiledTerms, survey: Survey, by: By, until: datetime, assume: Assume
) -> tuple[Rater, Plan]:
    """A pass over the usage of the term before `until`, grouped and ready to be used segment by segment."""
    machine = Machine(terms)
    edges = sorted({event.at for event in machine.schedule})
    planned = plan(terms, survey, edges, Interval(terms.contract.span.start, until), by)
    return Rater(source, terms, machine.start(), survey, by, assume, Tally(source.group(planned.groups))), planned


@dataclass(slots=True)
class Rater:
    """One pass over the usage."""

    source: Source
    terms: CompiledTerms
    run: Run
    survey: Survey
    by: By
    assume: Assume
    tally: Tally

    def rate_segments(self, planned: Plan, groups: Sequence[Group]) -> None:
        """Use every segment's groups in time order."""
        for segment, inside in by_segment(planned, groups):
            self.run.advance(segment.start)
            self.use(planned, segment, inside)

    def use(self, planned: Plan, segment: Interval, groups: Sequence[Group]) -> None:
        """Use the groups of one segment, whose windows are open."""
        pieces = self._price(planned, groups)
        if not self.run.crosses(pieces):
            for piece in pieces:
                self.tally.count(piece)
                self.run.use(piece)
            return
        length = segment.end - segment.start
        if length > HOUR:
            self._finer(segment, DAY if length > DAY else HOUR)
        else:
            self._in_order(segment)

    def _finer(self, segment: Interval, step: timedelta) -> None:
        """Read a segment again in parts. Rows that nothing prices were counted already, so they are not again."""
        edges, at = [], segment.start
        while at < segment.end:
            edges.append(at)
            at += step
        planned = plan(self.terms, self.survey, edges, segment, self.by)
        before = self.tally.unpriced, dict(self.tally.reasons)
        for part, inside in by_segment(planned, self.source.group(planned.groups).groups):
            self.use(planned, part, inside)
        self.tally.unpriced, self.tally.reasons = before

    def _in_order(self, segment: Interval) -> None:
        for record in self.source.ordered(segment):
            try:
                pieces = use_record(self.run, self.terms, record, self.assume, self._by_of(record, segment))
            except (UnpricedError, CatalogError):
                continue
            for piece in pieces:
                self.tally.count(piece)

    def _price(self, planned: Plan, groups: Sequence[Group]) -> list[Piece]:
        pieces = []
        for group in groups:
            try:
                pieces.append(self._piece(planned, group))
            except (UnpricedError, CatalogError) as error:
                self.tally.refuse(error, group.rows)
        return pieces

    def _piece(self, planned: Plan, group: Group) -> Piece:
        interval = planned.stands_for[group.key.slice_key]
        record = as_record(planned.groups, group, interval.start)
        lane = self.terms.lane(record)
        edges = planned.groups.bands.get(record.model, ())
        bands = range(len(lane.thresholds) + 1)
        if group.key.band != BAND_UNKNOWN:
            context = edges[group.key.band - 1] + 1 if group.key.band > 0 else 0
            bands = range(band := sum(context > threshold for threshold in lane.thresholds), band + 1)
        end = interval.start + GRAINS[record.grain]
        cards = [
            card
            for band in bands
            for card in (
                self.terms.cards_over(record, end, band, self.run.tier)
                if end > interval.start
                else [lane.card(interval.start, band, self.run.tier)]
            )
        ]
        piece = price_piece(record, self.terms, cards, lane, self.assume)
        piece.rows, piece.account = group.rows, record.account
        piece.by = self._by_of(record, interval)
        return piece

    def _by_of(self, record: UsageRecord, interval: Interval) -> dict[str, str]:
        by = {f"tag:{name}": record.tags.get(name, "") for name in self.by.tags}
        if self.by.workload:
            by["workload"] = record.workload
        if self.by.day:
            by["day"] = f"{interval.start.astimezone(self.by.day_zone or self.terms.contract.zone):%Y-%m-%d}"
        return by


def by_segment(planned: Plan, groups: Iterable[Group]) -> Iterator[tuple[Interval, list[Group]]]:
    """The segments that have usage, in time order, with their groups."""
    found: dict[int, list[Group]] = {}
    for group in groups:
        found.setdefault(planned.segment_of[group.key.slice_key], []).append(group)
    for number in sorted(found):
        yield planned.segments[number], found[number]


def as_record(groups: GroupPlan, group: Group, at: datetime) -> UsageRecord:
    """A group in the shape of one record: what prices a request prices it."""
    names = groups.dimensions
    values = dict(zip(names, group.key.values, strict=False))
    outcome = values.pop("outcome")
    tags = {
        tag: value for tag, value in zip(groups.tags, group.key.values[len(names) :], strict=True) if value is not None
    }
    plain = {name: value or "" for name, value in values.items()}
    record = UsageRecord(id="", used_at=at, model="", quantities=group.quantities, count=group.count, tags=tags)
    return replace(record, outcome=outcome, **plain)  # type: ignore[arg-type]  # names are record fields


def _touched(terms: CompiledTerms, survey: Survey, span: Interval | None) -> Interval:
    """The billing periods that usage or the asked span touches, as one interval."""
    if span:
        touched = [period for period in terms.periods if period.overlap(span)]
    elif survey.first and survey.last:
        touched = [period for period in terms.periods if period.end > survey.first and period.start <= survey.last]
    else:
        touched = []
    start = terms.contract.span.start
    return Interval(touched[0].start, touched[-1].end) if touched else Interval(start, start)
