"""Terms compiled for use: which unit prices hold for a request, found by two look-ups.

A phase is a billing period, or the part of one before or after an amendment: one text is in force throughout. A lane
is what one model costs in one channel, access form and region during one phase: its instants of change, and a rate
card between each two of them. Rate cards fill in meter by meter when first asked, and equal states share one card. The
same lanes price the gateway's single request and the groups of a hundred million rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from offtake.catalog.list_price import ListPrices, ModelFacts
from offtake.contract.contract import Contract
from offtake.contract.patterns import match_any
from offtake.contract.schema.terms import Terms
from offtake.rating.clauses import non_production, off_peak
from offtake.rating.draft import Book, Question
from offtake.rating.facts import Fact
from offtake.rating.listing import Listing, State, listing
from offtake.rating.pipeline import UnitPrice, unit_price
from offtake.usage.meters import BY_NAME
from offtake.usage.record import UsageRecord
from offtake.values.errors import UnpricedError
from offtake.values.periods import Interval, billing_origin, windows

LaneOf = tuple[int, str, str, str, str, str, str]
"""The phase, and vendor, model, channel, access, region, workload."""
START = datetime(1, 1, 1, tzinfo=UTC)
REASONING = "reasoning_tokens"


class Together(NamedTuple):
    """The prices of several meters in their order, picodollars a piece, and the clauses that made them, each once."""

    contracted: tuple[int, ...]
    public: tuple[int, ...]
    clauses: tuple[str, ...]


class RateCard(dict[str, UnitPrice]):
    """Unit prices by meter name for one state of one lane, in one context band and token tier; filled on first use."""

    __slots__ = ("_book", "_question", "_together", "terms")

    def __init__(self, question: Question, terms: Terms, book: Book) -> None:
        super().__init__()
        self.terms = terms
        self._question = question
        self._book = book
        self._together: dict[tuple[str, ...], Together] = {}

    def __missing__(self, meter: str) -> UnitPrice:
        q = self._question
        question = Question(
            q.model, BY_NAME[meter], q.channel, q.access, q.region, q.context_tokens, q.at, q.off_peak,
            q.non_production, q.tier,
        )  # fmt: skip
        price = self[meter] = unit_price(question, self.terms, self._book)
        return price

    def together(self, meters: tuple[str, ...]) -> Together:
        """The prices of these meters. Reasoning lies inside output: where it has a price, it costs the difference."""
        found = self._together.get(meters)
        if found is None:
            prices = [self[meter] for meter in meters if meter != REASONING]
            by_meter = {price.meter: (price.contracted, price.public) for price in prices}
            if REASONING in meters and self.prices_apart(REASONING):
                prices.append(self[REASONING])
                apart, inside = self[REASONING], self["output_tokens"]
                by_meter[REASONING] = apart.contracted - inside.contracted, apart.public - inside.public
            rows = [by_meter.get(meter, (0, 0)) for meter in meters]
            clauses = tuple(dict.fromkeys([price.clause for price in prices]))
            found = Together(tuple(row[0] for row in rows), tuple(row[1] for row in rows), clauses)
            self._together[meters] = found
        return found

    def prices_apart(self, meter: str) -> bool:
        """Whether a meter that lies inside another has a price of its own."""
        try:
            return self[meter] is not None
        except UnpricedError:
            return False


@dataclass(slots=True)
class Lane:
    """One model in one channel, access form, region and workload class, over one phase.

    `thresholds` are the contexts above which a price may change; they are the same in every phase.
    """

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
        """The rate card at an instant of the lane's phase."""
        state = self.states[0] if len(self.starts) == 1 else self.states[bisect_right(self.starts, at) - 1]
        card = self.cards.get((state, band, tier))
        return card if card is not None else self._card(state, at, band, tier)

    def state(self, at: datetime) -> int:
        """The number of what decides the price at an instant of the lane's phase: equal states price alike."""
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
        self.phases = tuple(_phases(contract))
        self._starts = [phase.start for phase in self.phases]
        self._lanes: dict[LaneOf, Lane] = {}
        self._listings: dict[LaneOf, Listing] = {}
        self._moments: dict[tuple[tuple[str, ...], State], Lane] = {}
        self._peaks: dict[int, dict[datetime, bool]] = {}
        self._open = (Interval(START, START), 0)  # the phase that was last asked for
        self.machine: object = None  # the window clauses, set by `request.py` when first asked
        self.by_affiliate = any(_names_affiliates(version.terms) for version in contract.versions)
        self._by_workload = any(version.terms.prices.non_production for version in contract.versions)

    def period(self, at: datetime) -> int:
        """The index of the billing period that holds an instant of the term."""
        return bisect_right(self.periods, at, key=_start) - 1

    def phase(self, at: datetime) -> int:
        """The index of the phase that holds an instant of the term."""
        phase, index = self._open
        if not phase.start <= at < phase.end:
            index = bisect_right(self._starts, at) - 1
            self._open = (self.phases[index], index)
        return index

    def lane(self, record: UsageRecord) -> Lane:
        """The lane that prices a record of the term. UnpricedError where the record is out of the contract's scope."""
        return self.lane_of(
            record.used_at, record.vendor, record.model, record.channel, record.access, record.region, record.workload,
            record.account,
        )  # fmt: skip

    def lane_of(
        self, at: datetime, vendor: str, model: str, channel: str, access: str, region: str, workload: str, account: str
    ) -> Lane:
        """As `lane`, for usage of which there is no record yet."""
        key = self.phase(at), vendor, model, channel, access, region, workload if self._by_workload else ""
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = self._compile(key)
        if self.by_affiliate:
            _of_affiliate(self.contract.as_of(at), account)
        return lane

    def lane_at(self, record: UsageRecord) -> Lane:
        """The lane of a record as its instant has it, and nothing of the phase around: for one look, not for many.

        Instants of equal state share a lane, also across phases.
        """
        key = (
            self.phase(record.used_at), record.vendor, record.model, record.channel, record.access, record.region,
            record.workload if self._by_workload else "",
        )  # fmt: skip
        listed = self._listing(key)
        state = listed.state(record.used_at), self._is_off_peak(record.used_at)
        lane = self._moments.get((key[1:], state))
        if lane is None:
            asked, edges = listed.draft.question, listed.thresholds
            lane = self._moments[key[1:], state] = Lane(
                asked.model, asked.channel, asked.access, asked.region, key[-1], edges, [record.used_at], [0], {}, self
            )  # fmt: skip
        if self.by_affiliate:
            _of_affiliate(self.contract.as_of(record.used_at), record.account)
        return lane

    def cards_over(self, record: UsageRecord, end: datetime, band: int, tier: int) -> list[RateCard]:
        """Every card that may price a bucket from its instant until `end`, also where it runs on past its phase."""
        cards = self.lane(record).cards_over(record.used_at, end, band, tier)
        phase = self.phases[self.phase(record.used_at)]
        if phase.end < end and phase is not self.phases[-1]:
            cards += self.cards_over(replace(record, used_at=phase.end), end, band, tier)
        return cards

    def _compile(self, key: LaneOf) -> Lane:
        index, *_, workload = key
        phase = self.phases[index]
        listed = self._listing(key)
        turns, peaks = {phase.start, *listed.turns(phase)}, self._peaks_of(index)
        starts = sorted(turns | peaks.keys())
        numbers: dict[State, int] = {}
        states: list[int] = []
        seldom: State = ()
        for at in starts:
            if at in turns:
                seldom = listed.state(at)
            is_peak = peaks[at] if at in peaks else self._is_off_peak(at)
            states.append(numbers.setdefault((seldom, is_peak), len(numbers)))
        asked, edges = listed.draft.question, listed.thresholds
        return Lane(asked.model, asked.channel, asked.access, asked.region, workload, edges, starts, states, {}, self)

    def _listing(self, key: LaneOf) -> Listing:
        index, vendor, name, channel, access, region, workload = key
        version = self.contract.version_number(self.phases[index].start)
        by_text = version, vendor, name, channel, access, region, workload
        found = self._listings.get(by_text)
        if found is None:
            terms = self.contract.versions[version].terms
            model = self.catalog.resolve(name, vendor or terms.vendor, access)
            _in_scope(terms, model.id, name, channel, access)
            found = self._listings[by_text] = listing(self.book, terms, model, channel, access, region)
        return found

    def _is_off_peak(self, at: datetime) -> bool:
        clause = self.contract.as_of(at).prices.off_peak
        return clause is not None and off_peak.is_off_peak(clause, at)

    def _peaks_of(self, index: int) -> dict[datetime, bool]:
        """Where off-peak hours may start (True) or end in a phase; every lane shares them."""
        found = self._peaks.get(index)
        if found is None:
            phase = self.phases[index]
            clause = self.contract.as_of(phase.start).prices.off_peak
            edges = off_peak.edges(clause, phase) if clause else ()
            found = self._peaks[index] = {at: self._is_off_peak(at) for at in edges}
        return found


def billing_periods(contract: Contract) -> tuple[Interval, ...]:
    """The billing periods of the whole term."""
    terms = contract.signed
    origin: date = billing_origin(terms.term.from_, terms.billing.anchor)
    return tuple(windows(terms.billing.period, origin, contract.span, contract.zone))


def _phases(contract: Contract) -> Iterator[Interval]:
    periods = billing_periods(contract)
    amended = {version.effective for version in contract.versions if version.effective in contract.span}
    edges = sorted({*amended, *(period.start for period in periods), *(period.end for period in periods)})
    return (Interval(start, end) for start, end in pairwise(edges))


def _start(period: Interval) -> datetime:
    return period.start


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
