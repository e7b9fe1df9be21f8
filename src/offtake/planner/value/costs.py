"""What a contract costs on each of many futures, by the one engine, re-rated only where something can differ.

Every contract that is compared is priced on the same futures. Records are priced once for each set of price terms and
each distinct history of list prices; a run of the window clauses is shared by contracts whose window terms and prices
agree on that path. What is shared is decided by value, never by name: a clause that changes nothing costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from functools import cached_property

from offtake.catalog.list_price import ListPrices
from offtake.contract.contract import Contract
from offtake.contract.schema.prices import OffPeak
from offtake.contract.schema.terms import Terms
from offtake.planner.value.price_path import PricePath
from offtake.rating.clauses.off_peak import is_off_peak
from offtake.rating.clauses.reserved import SERVED
from offtake.rating.compiled import CompiledTerms
from offtake.rating.facts import Fact, Spend
from offtake.rating.totals import Bundle, Futures
from offtake.usage.record import UsageRecord
from offtake.values.money import EXACT, ZERO, from_pico, total
from offtake.values.periods import Interval, add_months

HOUR, HOURS_IN_A_WEEK = timedelta(hours=1), 168
Billed = Sequence[Decimal]
"""What each billing period of a term bills, exactly."""
Sections = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Basket:
    """Records that grow together, for a count of one; a count is what rating multiplies them by."""

    name: str
    records: tuple[UsageRecord, ...]
    off_peak: bool = False
    """Whether they happen in the contract's cheaper hours; such baskets come last."""

    def under(self, contract: Contract) -> tuple[UsageRecord, ...]:
        """The records as they run under a contract: what a reservation served pays the rate card of one without."""
        if any(version.terms.capacity and version.terms.capacity.reserved for version in contract.versions):
            return self.records
        return tuple(replace(each, tier_served="") if each.tier_served == SERVED else each for each in self.records)


@dataclass(frozen=True)
class Outlook:
    """The futures: `counts[path][month]` multiply the baskets, `prices[price_of[path]]` are the list prices."""

    baskets: tuple[Basket, ...]
    months: tuple[Interval, ...]
    counts: Sequence[Sequence[Sequence[int]]]
    prices: Sequence[PricePath]
    price_of: Sequence[int]
    cheaper: OffPeak | None = None
    """The hours that baskets are told apart by."""

    @property
    def paths(self) -> int:
        """How many futures."""
        return len(self.counts)

    def used_at(self, month: int, off_peak: bool = False) -> datetime:
        """The instant that stands for a month, or for its cheaper hours: near its middle, so that what changes on the
        first is seen. Dear hours come before cheaper ones.
        """
        return self._instants[month][off_peak]

    @cached_property
    def _instants(self) -> tuple[tuple[datetime, datetime], ...]:
        return tuple(self._in_month(month) for month in self.months)

    def _in_month(self, month: Interval) -> tuple[datetime, datetime]:
        at = month.start + (month.end - month.start) // 2
        if self.cheaper is None:
            return at, at
        hours = [at + HOUR * number for number in range(HOURS_IN_A_WEEK)]
        dear = next((hour for hour in hours if not is_off_peak(self.cheaper, hour)), at)
        return dear, next((hour for hour in hours if hour > dear and is_off_peak(self.cheaper, hour)), dear)


@dataclass
class Costs:
    """The costs of contracts on one outlook. Keeps what was priced, so that related contracts share it."""

    outlook: Outlook
    catalog: ListPrices
    facts: tuple[Fact, ...] = ()
    runs: int = 0
    """How many runs were made, of those that were asked for."""
    asked: int = 0
    _bundles: dict[tuple[object, ...], tuple[Bundle, ...]] = field(default_factory=dict)
    _compiled: dict[tuple[object, ...], CompiledTerms] = field(default_factory=dict)
    _totals: dict[tuple[object, ...], list[Decimal]] = field(default_factory=dict)

    def totals(self, contract: Contract) -> list[Decimal]:
        """What the whole term bills, path by path. UnpricedError where a basket has no price."""
        with localcontext(EXACT):
            found: dict[int, Decimal] = {}
            for futures, months, group, key in self._shared(contract):
                self.asked += len(group)
                if key not in self._totals:
                    self.runs += len(group)
                    self._totals[key] = [total(self._run(futures, months, path)) for path in group]
                found.update(zip(group, self._totals[key], strict=True))
            return [found[path] for path in range(self.outlook.paths)]

    def billed(self, contract: Contract) -> list[Billed]:
        """What each billing period bills, path by path; nothing of it is kept."""
        with localcontext(EXACT):
            found: dict[int, Billed] = {}
            for futures, months, group, _ in self._shared(contract):
                self.asked, self.runs = self.asked + len(group), self.runs + len(group)
                found.update((path, self._run(futures, months, path)) for path in group)
            return [found[path] for path in range(self.outlook.paths)]

    def contracted(self, contract: Contract) -> list[list[Decimal]]:
        """What each month's usage costs by its unit prices, path by path: before tiers, commitments and fees."""
        with localcontext(EXACT):
            found: dict[int, list[Decimal]] = {}
            for _, months, group, _ in self._shared(contract):
                for path in group:
                    counts = self.outlook.counts[path][: len(months)]
                    found[path] = [_contracted(*each) for each in zip(months, counts, strict=True)]
            return [found[path] for path in range(self.outlook.paths)]

    def of_paths(self, paths: Sequence[int]) -> Costs:
        """The costs on some of the futures only."""
        outlook = self.outlook
        counts, price_of = [outlook.counts[path] for path in paths], [outlook.price_of[path] for path in paths]
        return Costs(replace(outlook, counts=counts, price_of=price_of), self.catalog, self.facts)

    def _run(self, futures: Futures, months: Sequence[tuple[Bundle, ...]], path: int) -> Billed:
        return futures.billed(months, self.outlook.counts[path][: len(months)])

    def _shared(
        self, contract: Contract
    ) -> Iterable[tuple[Futures, Sequence[tuple[Bundle, ...]], list[int], tuple[object, ...]]]:
        """(window clauses, priced months, the paths that share them, what the cost depends on besides the paths)."""
        outlook = self.outlook
        terms = CompiledTerms(contract, self.catalog, self.facts)
        models = {self.catalog.resolve(each.model, each.vendor, each.access).id for each in self._records}
        futures = Futures(terms, models)
        ahead = sum(outlook.used_at(month) in contract.span for month in range(len(outlook.months)))
        price_text, window_text = _price_text(contract), _window_text(contract)
        by_price: dict[int, list[int]] = {}
        for path, price in enumerate(outlook.price_of):
            by_price.setdefault(price, []).append(path)
        for price, paths in by_price.items():
            for met, group in self._by_steps_met(contract, price_text, price, paths):
                months = [self._priced(contract, price_text, price, met, month) for month in range(ahead)]
                key = (window_text, tuple(group), tuple(each.key for month in months for each in month))
                yield futures, months, group, key

    @property
    def _records(self) -> Iterable[UsageRecord]:
        return (record for basket in self.outlook.baskets for record in basket.records)

    def _priced(
        self, contract: Contract, price_text: str, price: int, met: tuple[int, ...], month: int
    ) -> tuple[Bundle, ...]:
        path = self.outlook.prices[price]
        key = (price_text, met, month, path.until(month))
        found = self._bundles.get(key)
        if found is None:
            terms = self._terms(contract, price_text, price, met)
            found = tuple(
                Bundle(terms, self.outlook.used_at(month, basket.off_peak), basket.under(contract))
                for basket in self.outlook.baskets
            )
            self._bundles[key] = found
        return found

    def _terms(self, contract: Contract, price_text: str, price: int, met: tuple[int, ...]) -> CompiledTerms:
        key = (price_text, price, met)
        if key not in self._compiled:
            steps = dict.fromkeys(met, True)
            self._compiled[key] = CompiledTerms(contract, self.outlook.prices[price], self.facts, steps)
        return self._compiled[key]

    def _by_steps_met(
        self, contract: Contract, price_text: str, price: int, paths: Sequence[int]
    ) -> list[tuple[tuple[int, ...], list[int]]]:
        """The paths by the conditional steps that their own spend has met, as `rating/clauses/steps.py` reads it."""
        groups: dict[tuple[int, ...], list[int]] = {(): list(paths)}
        for index, step in enumerate(contract.versions[-1].terms.prices.steps):
            if step.when is None:
                continue
            begins = contract.instant(step.from_)
            stated = [fact for fact in self.facts if isinstance(fact, Spend) and fact.at == begins]
            twelve = add_months(begins.astimezone(contract.zone), -12)
            window = Interval(min(max(contract.span.start, twelve), begins), begins)
            floor = step.when.spend_last_12_months.amount
            split: dict[tuple[int, ...], list[int]] = {}
            for met, group in groups.items():
                for path in group:
                    spend = stated[-1].amount.amount if stated else self._spend(
                        contract, price_text, price, met, path, window
                    )  # fmt: skip
                    split.setdefault((*met, index) if spend >= floor else met, []).append(path)
            groups = split
        return list(groups.items())

    def _spend(
        self, contract: Contract, price_text: str, price: int, met: tuple[int, ...], path: int, window: Interval
    ) -> Decimal:
        spend = ZERO
        for month, counts in enumerate(self.outlook.counts[path]):
            if self.outlook.used_at(month) in window:
                spend += _contracted(self._priced(contract, price_text, price, met, month), counts)
        return spend


def _contracted(bundles: Sequence[Bundle], counts: Sequence[int]) -> Decimal:
    return from_pico(sum(each.contracted * count for each, count in zip(bundles, counts, strict=True)))


def _price_text(contract: Contract) -> str:
    """Everything that a unit price is made of, as text: equal texts price alike."""
    return _text(contract, _price_terms)


def _window_text(contract: Contract) -> str:
    """Everything that the window clauses read, as text."""
    return _text(contract, _window_terms)


def _text(contract: Contract, sections: Callable[[Terms], Sections]) -> str:
    return repr([(version.effective, version.prorate, sections(version.terms)) for version in contract.versions])


def _price_terms(terms: Terms) -> Sections:
    tiers = terms.prices.tiers
    in_price = tiers is not None and tiers.measure.amount == "tokens"
    prices = terms.prices if in_price else terms.prices.model_copy(update={"tiers": None})
    prepaid = [(each.id, each.prepaid) for each in terms.commitments if each.prepaid]
    return {
        "prices": prices, "term": terms.term, "billing": terms.billing, "scope": terms.scope, "vendor": terms.vendor,
        "failed_requests": terms.failed_requests, "capacity": terms.capacity, "prepaid": prepaid,
    }  # fmt: skip


def _window_terms(terms: Terms) -> Sections:
    return {
        "tiers": terms.prices.tiers, "term": terms.term, "billing": terms.billing, "fees": terms.fees,
        "commitments": terms.commitments, "credits": terms.credits, "top_ups": terms.top_ups,
        "reserved": terms.capacity.reserved if terms.capacity else None, "scope": terms.scope,
    }  # fmt: skip
