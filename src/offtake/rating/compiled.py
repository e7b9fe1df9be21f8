"""Terms compiled for use: which unit prices hold for a request, found by two look-ups.

A lane is what one model costs in one channel, access form and region during one billing period: its instants of
change, and a rate card between each two of them. Rate cards fill in meter by meter when first asked, and equal states
share one card. The same lanes price the gateway's single request and the groups of a hundred million rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from offtake.catalog.list_price import ListPrices, ModelFacts, PriceCell
from offtake.contract.contract import Contract
from offtake.contract.patterns import match_any
from offtake.contract.schema.terms import Terms
from offtake.rating.clauses import list_price, non_production, off_peak, price_drops
from offtake.rating.draft import Book, Draft, Question
from offtake.rating.facts import Fact, PriceDropOptIn
from offtake.rating.pipeline import UnitPrice, unit_price
from offtake.usage.meters import BY_NAME
from offtake.usage.record import UsageRecord
from offtake.values.errors import UnpricedError
from offtake.values.money import ZERO
from offtake.values.periods import Interval, billing_origin, windows

State = tuple[object, ...]
LaneOf = tuple[int, str, str, str, str, str, str]
"""The billing period, and vendor, model, channel, access, region, workload."""
START = datetime(1, 1, 1, tzinfo=UTC)


class RateCard(dict[str, UnitPrice]):
    """Unit prices by meter name for one state of one lane, in one context band and token tier; filled on first use."""

    __slots__ = ("_book", "_question", "terms")

    def __init__(self, question: Question, terms: Terms, book: Book) -> None:
        super().__init__()
        self.terms = terms
        self._question = question
        self._book = book

    def __missing__(self, meter: str) -> UnitPrice:
        q = self._question
        question = Question(
            q.model, BY_NAME[meter], q.channel, q.access, q.region, q.context_tokens, q.at, q.off_peak,
            q.non_production, q.tier,
        )  # fmt: skip
        price = self[meter] = unit_price(question, self.terms, self._book)
        return price

    def prices_apart(self, meter: str) -> bool:
        """Whether a meter that lies inside another has a price of its own."""
        try:
            return self[meter] is not None
        except UnpricedError:
            return False


@dataclass(slots=True)
class Lane:
    """One model in one channel, access form, region and workload class, over one billing period."""

    model: ModelFacts
    channel: str
    access: str
    region: str
    workload: str
    thresholds: tuple[int, ...]
    starts: list[datetime]
    states: list[int]
    cards: dict[tuple[int, int, int], RateCard]
    compiled: CompiledTerms

    def card(self, at: datetime, band: int, tier: int = 0) -> RateCard:
        """The rate card at an instant of the lane's period."""
        state = self.states[0] if len(self.starts) == 1 else self.states[bisect_right(self.starts, at) - 1]
        card = self.cards.get((state, band, tier))
        return card if card is not None else self._card(state, at, band, tier)

    def state(self, at: datetime) -> int:
        """The number of what decides the price at an instant of the lane's period: equal states price alike."""
        return self.states[bisect_right(self.starts, at) - 1]

    def cards_over(self, start: datetime, end: datetime, band: int, tier: int = 0) -> list[RateCard]:
        """Every distinct card between two instants: more than one where a bucket lies across a change of price."""
        first, last = (
            bisect_right(self.starts, start) - 1,
            bisect_right(self.starts, end - timedelta(microseconds=1)) - 1,
        )
        found: dict[int, datetime] = {}
        for index in range(max(first, 0), last + 1):
            found.setdefault(self.states[index], max(start, self.starts[index]))
        return [self.card(at, band, tier) for at in found.values()]

    def _card(self, state: int, at: datetime, band: int, tier: int) -> RateCard:
        terms = self.compiled.contract.as_of(at)
        context = self.thresholds[band - 1] + 1 if band > 0 else 0
        is_off_peak = terms.prices.off_peak is not None and off_peak.is_off_peak(terms.prices.off_peak, at)
        question = Question(
            self.model, BY_NAME["input_tokens"], self.channel, self.access, self.region, context, at, is_off_peak,
            non_production.applies(terms, self.workload), tier,
        )  # fmt: skip
        card = self.cards[state, band, tier] = RateCard(question, terms, self.compiled.book)
        return card


class CompiledTerms:
    """A contract with its list prices and facts, ready to price. Holds no usage."""

    def __init__(
        self,
        contract: Contract,
        catalog: ListPrices,
        facts: Iterable[Fact] = (),
        steps_met: dict[int, bool] | None = None,
    ) -> None:
        self.contract = contract
        self.catalog = catalog
        self.book = Book(contract, catalog, tuple(facts), steps_met or {})
        self.periods = billing_periods(contract)
        self._starts = [period.start for period in self.periods]
        self._lanes: dict[LaneOf, Lane] = {}
        self._moments: dict[tuple[tuple[str, ...], State], Lane] = {}
        self._peaks: dict[int, dict[datetime, bool]] = {}
        self._open = (Interval(START, START), 0)  # the period that was last asked for
        self.machine: object = None  # the window clauses, set by `request.py` when first asked
        self.by_affiliate = any(_names_affiliates(version.terms) for version in contract.versions)
        self._by_workload = any(version.terms.prices.non_production for version in contract.versions)

    def period(self, at: datetime) -> int:
        """The index of the billing period that holds an instant of the term."""
        period, index = self._open
        if not period.start <= at < period.end:
            index = bisect_right(self._starts, at) - 1
            self._open = (self.periods[index], index)
        return index

    def lane(self, record: UsageRecord) -> Lane:
        """The lane that prices a record of the term. UnpricedError where the record is out of the contract's scope."""
        key = (
            self.period(record.used_at), record.vendor, record.model, record.channel, record.access, record.region,
            record.workload if self._by_workload else "",
        )  # fmt: skip
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = self._compile(key)
        if self.by_affiliate:
            _of_affiliate(self.contract.as_of(record.used_at), record.account)
        return lane

    def lane_at(self, record: UsageRecord) -> Lane:
        """The lane of a record as its instant has it, and nothing of the period around: for one look, not for many.

        Instants of equal state share a lane, also across periods.
        """
        key = (
            self.period(record.used_at), record.vendor, record.model, record.channel, record.access, record.region,
            record.workload if self._by_workload else "",
        )  # fmt: skip
        draft, public, thresholds = self._drafted(key)
        state = self._state(record.used_at, draft, public), self._is_off_peak(record.used_at)
        lane = self._moments.get((key[1:], state))
        if lane is None:
            asked, workload = draft.question, key[-1]
            lane = self._moments[key[1:], state] = Lane(
                asked.model, asked.channel, asked.access, asked.region, workload, thresholds, [record.used_at], [0], {},
                self,
            )  # fmt: skip
        if self.by_affiliate:
            _of_affiliate(self.contract.as_of(record.used_at), record.account)
        return lane

    def cards_over(self, record: UsageRecord, end: datetime, band: int, tier: int) -> list[RateCard]:
        """Every card that may price a bucket from its instant until `end`, also where it runs on past its period."""
        cards = self.lane(record).cards_over(record.used_at, end, band, tier)
        period = self.periods[self.period(record.used_at)]
        if period.end < end and period is not self.periods[-1]:
            cards += self.cards_over(replace(record, used_at=period.end), end, band, tier)
        return cards

    def _compile(self, key: LaneOf) -> Lane:
        index, *_, workload = key
        period = self.periods[index]
        draft, public, thresholds = self._drafted(key)
        turns, peaks = {period.start, *self._turns(period, (*draft.cells, *public))}, self._peaks_of(index)
        starts = sorted(turns | peaks.keys())
        numbers: dict[State, int] = {}
        states: list[int] = []
        seldom: State = ()
        for at in starts:
            if at in turns:
                seldom = self._state(at, draft, public)
            is_peak = peaks[at] if at in peaks else self._is_off_peak(at)
            states.append(numbers.setdefault((seldom, is_peak), len(numbers)))
        asked = draft.question
        return Lane(
            asked.model, asked.channel, asked.access, asked.region, workload, thresholds, starts, states, {}, self
        )

    def _drafted(self, key: LaneOf) -> tuple[Draft, tuple[PriceCell, ...], tuple[int, ...]]:
        """What a lane's states are read from: a draft at the start of the period, public prices, context thresholds."""
        index, vendor, name, channel, access, region, _ = key
        period = self.periods[index]
        terms = self.contract.as_of(period.start)
        model = self.catalog.resolve(name, vendor or terms.vendor, access)
        _in_scope(terms, model.id, name, channel, access)
        base = list_price.base_channel(terms, channel)
        cells = self.catalog.cells(model.id, model.vendor, base, access, list_price.region_of(terms, region))
        public = self.catalog.cells(model.id, model.vendor, channel, access, region)
        draft = Draft(
            Question(model, BY_NAME["input_tokens"], channel, access, region, 0, period.start, False, False, 0),
            terms, self.book, cells, ZERO, ZERO, ZERO,
        )  # fmt: skip
        thresholds = sorted({edge for cell in cells for price in cell.prices.values() for edge, _ in price.above})
        return draft, public, tuple(thresholds)

    def _state(self, at: datetime, draft: Draft, public: tuple[PriceCell, ...]) -> State:
        """What decides the price at an instant, but for off-peak hours, as a value: equal states price alike."""
        versions = sum(version.effective <= at for version in self.contract.versions)
        terms = self.contract.as_of(at)
        drops = terms.prices.price_drops
        seen = 0
        if drops:
            draft.terms = terms
            counted = price_drops.seen_from(at, draft)
            seen = sum(cell.start is None or cell.start <= counted for cell in draft.cells)
        return (
            versions,
            _holding(draft.cells, at),
            _holding(public, at),
            seen,
            sum(isinstance(fact, PriceDropOptIn) and fact.at <= at for fact in self.book.facts),
            sum(self.contract.instant(step.from_) <= at for step in terms.prices.steps),
        )

    def _is_off_peak(self, at: datetime) -> bool:
        clause = self.contract.as_of(at).prices.off_peak
        return clause is not None and off_peak.is_off_peak(clause, at)

    def _peaks_of(self, index: int) -> dict[datetime, bool]:
        """Where off-peak hours may start (True) or end in a billing period; every lane shares them."""
        found = self._peaks.get(index)
        if found is None:
            clauses = [version.terms.prices.off_peak for version in self.contract.versions]
            edges = {at for clause in clauses if clause for at in off_peak.edges(clause, self.periods[index])}
            found = self._peaks[index] = {at: self._is_off_peak(at) for at in edges}
        return found

    def _turns(self, period: Interval, cells: tuple[PriceCell, ...]) -> Iterable[datetime]:
        edges: set[datetime] = {version.effective for version in self.contract.versions}
        edges |= {fact.at for fact in self.book.facts if isinstance(fact, PriceDropOptIn)}
        for version in self.contract.versions:
            prices = version.terms.prices
            edges |= {self.contract.instant(step.from_) for step in prices.steps}
            lag = prices.price_drops.lag if prices.price_drops else None
            for cell in cells:
                edges |= {edge for edge in (cell.start, cell.end) if edge}
                if lag and cell.start:
                    edges.add(lag.after(cell.start.astimezone(self.contract.zone)).astimezone(UTC))
        edges |= set(_daily(period, {edge for cell in cells if cell.daily for edge in cell.daily}))
        return (edge for edge in edges if period.start < edge < period.end)


def billing_periods(contract: Contract) -> tuple[Interval, ...]:
    """The billing periods of the whole term."""
    terms = contract.signed
    origin: date = billing_origin(terms.term.from_, terms.billing.anchor)
    return tuple(windows(terms.billing.period, origin, contract.span, contract.zone))


def _holding(cells: tuple[PriceCell, ...], at: datetime) -> int:
    return next((index for index, cell in enumerate(cells) if cell.holds(at)), -1)


def _daily(period: Interval, times: set[time]) -> Iterable[datetime]:
    day = period.start.date()
    while times and day <= period.end.date():
        yield from (datetime.combine(day, moment, UTC) for moment in times)
        day += timedelta(days=1)


def _names_affiliates(terms: Terms) -> bool:
    pools = (commitment.pool for commitment in terms.commitments)
    return terms.scope.affiliates != "all" or any(pool != "all_models" and pool.affiliates for pool in pools)


def _of_affiliate(terms: Terms, account: str) -> None:
    affiliates = terms.scope.affiliates
    if affiliates != "all" and not match_any(affiliates, account):
        raise UnpricedError("R407", f"account {account!r} is not in scope.affiliates {affiliates}")


def _in_scope(terms: Terms, model: str, name: str, channel: str, access: str) -> None:
    scope = terms.scope
    if not (match_any(scope.models, model) or match_any(scope.models, name)):
        raise UnpricedError(
            "R407", f"{name} is not in scope.models {scope.models}", hint="add it, or rate it under its own contract"
        )
    if channel not in scope.channels:
        raise UnpricedError("R407", f"channel {channel} is not in scope.channels {scope.channels}")
    if access not in scope.access:
        raise UnpricedError("R407", f"access {access} is not in scope.access {scope.access}")
