"""An offer on the table: a contract as if it were signed for the months that the plan covers.

A plan compares offers over as many months, so each contract's term is cut to its first ones: a commitment of 1.2 M a
year is 300,000 for a plan of three months, by the contract's own rules of proration. What an offer has besides its
prices (commitments, fees, reservations) is taken off for pricing: it depends on everything else that is bought.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from offtake.contract.contract import Contract
from offtake.contract.schema.commitments import Commitment
from offtake.contract.schema.terms import Terms
from offtake.rating.committed import windows_of
from offtake.rating.facts import BurstNotice, Fact, SeatCount, in_order
from offtake.values.counting import counted
from offtake.values.periods import midnight, shift_months

if TYPE_CHECKING:
    from offtake.catalog.list_price import ListPrices

NOON = timedelta(hours=12)
WEEKEND = 5
LONG_BEFORE = timedelta(days=180)


@dataclass(frozen=True)
class Offer:
    """A contract on the table, with the list prices and facts that it is priced with.

    `contract` runs for the plan's months. `implied` are the list prices that need no paper.
    """

    name: str
    contract: Contract
    catalog: ListPrices
    facts: tuple[Fact, ...] = ()
    implied: bool = False

    @property
    def terms(self) -> Terms:
        """The text at the start of the plan."""
        return self.contract.signed

    @property
    def vendor(self) -> str:
        """Who sells."""
        return self.terms.vendor

    @property
    def needs_signature(self) -> bool:
        """Whether it costs something that no usage causes; a bare rate card does not."""
        terms = self.terms
        return bool(terms.commitments or terms.fees or (terms.capacity and terms.capacity.reserved))

    @property
    def months(self) -> Months:
        """The months of the plan, in the offer's own term."""
        term = self.terms.term
        count = (term.until.year - term.from_.year) * 12 + term.until.month - term.from_.month
        return Months(term.from_, count)

    @property
    def instants(self) -> tuple[datetime, ...]:
        """One instant for each of the months."""
        return self.months.instants(self.contract.zone)

    @property
    def is_wallet(self) -> bool:
        """Whether it is paid by topping up. Beside a commitment a wallet is left alone: prepaid money goes first."""
        return self.terms.top_ups is not None and not self.terms.commitments

    @property
    def is_steady(self) -> bool:
        """Whether one month costs what the next one does: no amendment and no step changes a price in between."""
        return len(self.contract.versions) == 1 and not self.terms.prices.steps

    @cached_property
    def card(self) -> Contract:
        """Its rate card alone: what one row of usage costs at the start of every window."""
        return replace(
            self.contract,
            versions=tuple(replace(each, terms=_card(each.terms)) for each in self.contract.versions),
        )


@dataclass(frozen=True, slots=True)
class Months:
    """The months of a plan under one offer: those of its own term, from its first day on."""

    first: date
    count: int

    @property
    def until(self) -> date:
        """The day after the last month."""
        return shift_months(self.first, self.count)

    def instants(self, zone: ZoneInfo) -> tuple[datetime, ...]:
        """One instant that stands for each month: noon of a weekday in its middle."""
        days = (shift_months(self.first, month) + timedelta(days=14) for month in range(self.count))
        return tuple(midnight(_weekday(day), zone) + NOON for day in days)


def fitted(contract: Contract, months: int) -> Contract:
    """The contract's first months alone. ValueError in words where its term is shorter."""
    start = contract.signed.term.from_
    until = contract.versions[-1].terms.term.until
    end = shift_months(start, months)
    if until < end:
        raise ValueError(f"its term ends on {until}, within the plan’s {counted(months, 'month')}")
    kept = [each for each in contract.versions if each.effective < contract.instant(end)]
    versions = tuple(
        replace(each, terms=each.terms.model_copy(update={"term": each.terms.term.model_copy(update={"until": end})}))
        for each in kept
    )
    return replace(contract, versions=versions)


def expected_facts(contract: Contract, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """The facts, and what a plan expects where nobody wrote them down: seats as contracted, bursts noticed in time."""
    found = list(facts)
    terms = contract.signed
    if terms.fees and terms.fees.seats and not any(isinstance(fact, SeatCount) for fact in facts):
        found.append(SeatCount(at=contract.span.start, count=terms.fees.seats.count))
    if not any(isinstance(fact, BurstNotice) for fact in facts):
        found += [notice for each in terms.commitments for notice in _notices(contract, each)]
    return in_order(found)


def _notices(contract: Contract, commitment: Commitment) -> Iterator[BurstNotice]:
    """A notice of each month's burst, as long before it as the contract asks."""
    if not (commitment.burst and commitment.burst.notice):
        return
    for month in windows_of(contract, commitment.burst.window):
        early = month.start - LONG_BEFORE
        yield BurstNotice(at=early, window=f"{month.start.astimezone(contract.zone):%Y-%m}", commitment=commitment.id)


def _card(terms: Terms) -> Terms:
    nothing: dict[str, object] = {"commitments": [], "top_ups": None, "credits": [], "fees": None, "capacity": None}
    return terms.model_copy(update={**nothing, "prices": terms.prices.model_copy(update={"tiers": None})})


def _weekday(day: date) -> date:
    return day + timedelta(days=7 - day.weekday()) if day.weekday() >= WEEKEND else day
