"""A situation: a contract, its demand, and everything that no contract says, each with a stated default.

Changing one of them and asking again is what a sensitivity is: the same clause, in a situation that differs in one
thing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

from offtake.catalog.list_price import ListPrices
from offtake.contract.contract import Contract
from offtake.planner.value.costs import Costs
from offtake.planner.value.demand import Demand
from offtake.planner.value.futures import Luck, outlook_of, uptimes_of
from offtake.planner.value.outcome import Assumed
from offtake.planner.value.valuation import Figure, Row, Valuation
from offtake.rating.clauses.reserved import serves
from offtake.rating.committed import windows_of
from offtake.rating.facts import BurstNotice, Fact, OverageNotice, in_order
from offtake.values.money import ZERO

SENSITIVITY_PATHS = 200
NOTICE_GIVEN_BEFORE = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """`notices`: each warning and notice that a clause asks for is given, for every window."""

    contract: Contract
    demand: Demand
    catalog: ListPrices
    facts: tuple[Fact, ...] = ()
    luck: Luck = field(default_factory=Luck)
    cost_of_capital: Decimal = ZERO
    renewal_increase: Decimal = Decimal("0.20")
    notices: bool = True

    def valuation(self) -> Valuation:
        """The contract on the futures of this situation. UnpricedError where it does not have what served the usage."""
        contract = self.contract
        for record in (record for basket in self.demand.baskets for record in basket.records):
            model = self.catalog.resolve(record.model, record.vendor, record.access)
            serves(contract.versions[-1].terms, record, model.id)
        months = tuple(windows_of(contract, "month"))
        outlook = outlook_of(self.demand, months, self.catalog, self.luck, contract.versions[-1].terms.prices.off_peak)
        uptimes = uptimes_of(self.luck.paths, len(months), self.luck)
        facts = in_order([*self.facts, *_notices(contract)]) if self.notices else self.facts
        assumed = Assumed(uptimes, self.cost_of_capital, self.renewal_increase)
        return Valuation(contract, Costs(outlook, self.catalog, facts), assumed)


@dataclass(frozen=True, slots=True)
class Case:
    """What a clause is worth where one assumption is another."""

    assumption: str
    value: str
    worth: Figure


def _varied(situation: Situation, assumption: str) -> Iterator[tuple[str, Situation]]:
    """The situation with other values of one assumption, and how each is said."""
    luck = replace(situation.luck, paths=min(situation.luck.paths, SENSITIVITY_PATHS))
    situation = replace(situation, luck=luck)
    if assumption == "price-changes":
        for text in ("0", "0.5", "1"):
            yield f"{text} a year", replace(situation, luck=replace(luck, price_changes=Decimal(text)))
    elif assumption == "uptime":
        for text in ("0.995", "0.998", "0.9995"):
            yield f"{Decimal(text):.2%}", replace(situation, luck=replace(luck, uptime=Decimal(text)))
    elif assumption == "cost-of-capital":
        for text in ("0", "0.05", "0.10"):
            yield f"{Decimal(text):.0%}", replace(situation, cost_of_capital=Decimal(text))
    elif assumption == "renewal-increase":
        for text in ("0.10", "0.20", "0.30"):
            yield f"{Decimal(text):.0%}", replace(situation, renewal_increase=Decimal(text))
    elif assumption == "notices":
        yield "given", replace(situation, notices=True)
        yield "not given", replace(situation, notices=False)


def sensitivities(situation: Situation, rows: Sequence[Row]) -> dict[str, list[Case]]:
    """For each clause that hangs on an assumption, its worth at other values, on the first paths only."""
    found: dict[str, list[Case]] = {}
    asking = {row.clause.path: assumption_of(row) for row in rows if row.value and assumption_of(row)}
    for assumption in dict.fromkeys(asking.values()):
        for words, other in _varied(situation, assumption):
            valuation = other.valuation()
            for row in rows:
                if asking.get(row.clause.path) == assumption and (worth := valuation.row(row.clause).value):
                    found.setdefault(row.clause.path, []).append(Case(assumption, words, worth))
    return found


def assumption_of(row: Row) -> str:
    """The assumption that a clause's worth hangs on besides demand."""
    if row.clause.path == "renewal.price_cap":
        return "renewal-increase"
    return row.clause.counterfactual.assumes if row.clause.counterfactual else ""


def _notices(contract: Contract) -> Iterator[Fact]:
    """Every notice that a commitment's clauses ask for, in time for every window."""
    for commitment in contract.versions[-1].terms.commitments:
        if commitment.overage and commitment.overage.notice:
            for month in windows_of(contract, "month"):  # so that a window of any length has one
                by = commitment.overage.notice.by
                yield OverageNotice(at=month.start, by=by, commitment=commitment.id)
        if commitment.burst:
            for month in windows_of(contract, "month"):
                at, name = month.start - NOTICE_GIVEN_BEFORE, contract.day(month.start)[:7]
                yield BurstNotice(at=at, window=name, commitment=commitment.id)
