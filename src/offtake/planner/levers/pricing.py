"""What a workload costs in a shop: rating's answer. And an amount that may be known only as two ends.

A shop is a contract with its list prices: the public list, the contract in force, an aggregator's rate card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from offtake.planner.rated import Pricing
from offtake.planner.workload import Workload
from offtake.rating.facts import Fact, TopUp
from offtake.rating.rate import rate_records
from offtake.usage.record import UsageRecord
from offtake.values.money import ZERO, Money, total


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """An amount, or the two ends between which it lies."""

    low: Decimal
    high: Decimal

    @property
    def exact(self) -> bool:
        """Whether both ends are one amount."""
        return self.low == self.high

    def plus(self, other: Cost) -> Cost:
        """The sums of the ends."""
        return Cost(self.low + other.low, self.high + other.high)

    def less(self, other: Cost) -> Cost:
        """What is saved against this amount: the least and the most."""
        ends = self.low - other.low, self.high - other.high
        return Cost(min(ends), max(ends))


@dataclass(frozen=True, slots=True)
class Shop:
    """A contract and its list prices, the facts that it needs, and the instant at which its prices are asked for."""

    pricing: Pricing
    at: datetime
    facts: tuple[Fact, ...] = ()

    def cost(self, workload: Workload, outcome: str = "ok") -> Decimal:
        """The contracted cost of the usage. CatalogError or UnpricedError where nothing prices it.

        Without fees, commitments and tiers on spend, which depend on everything else that is bought.
        """
        return self.pricing.cost(replace(self.record(workload), outcome=outcome)).contracted

    def invoice(self, workloads: Sequence[Workload], top_up: Decimal | None = None) -> Decimal:
        """The exact sum of the invoices of a month of these workloads: usage, fees, tiers, top-ups with their bonus."""
        contract = self.pricing.contract
        records = [self.record(workload) for workload in workloads]
        cash = Money(top_up, contract.signed.term.currency) if top_up else None
        paid = (TopUp(at=self.at, id="month", amount=cash),) if cash else ()
        rated = rate_records(records, contract, self.pricing.catalog, (*self.facts, *paid))
        return total(invoice.total + invoice.residual for invoice in rated.invoices)

    def record(self, workload: Workload) -> UsageRecord:
        """The workload as one row of usage. Where no context is known, it lies below every threshold."""
        return workload.record(self.at, context_tokens=workload.context_tokens or 0)


NOTHING = Cost(ZERO, ZERO)


def sum_of(costs: Sequence[Cost]) -> Cost:
    """The sums of the ends."""
    return Cost(total(cost.low for cost in costs), total(cost.high for cost in costs))
