"""What a row of usage costs, as the planner asks it: the lines of the one pricing engine, summed.

A plan weighs many variants of one workload (in batch, with a cache, with another model). Terms compile once, and each
variant is priced by the code that prices a request; nothing here knows a price.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from offtake.catalog.list_price import ListPrices
from offtake.contract.contract import Contract
from offtake.rating.compiled import CompiledTerms
from offtake.rating.request import price_request
from offtake.usage.meters import BY_NAME
from offtake.usage.record import UsageRecord
from offtake.values.money import ZERO, total


@dataclass(frozen=True, slots=True)
class Cost:
    """Exact, in the contract's currency. `input` and `output` are parts of `contracted`; calls are in neither."""

    list: Decimal = ZERO
    contracted: Decimal = ZERO
    input: Decimal = ZERO
    output: Decimal = ZERO


def prices_only(contract: Contract) -> Contract:
    """The contract without what is owed or granted beside usage, so that no fact about it (seats, say) is asked for."""
    nothing: dict[str, object] = {"fees": None, "commitments": [], "credits": [], "top_ups": None}
    versions = (replace(each, terms=each.terms.model_copy(update=nothing)) for each in contract.versions)
    return replace(contract, versions=tuple(versions))


@dataclass(slots=True)
class Pricing:
    """A contract with its list prices, ready to price variants of a workload.

    A cost is the contracted cost of the usage itself, as at the start of the term: without commitments, fees and tiers
    on spend, which depend on everything else that runs.
    """

    contract: Contract
    catalog: ListPrices
    terms: CompiledTerms = field(init=False)

    def __post_init__(self) -> None:
        self.terms = CompiledTerms(prices_only(self.contract), self.catalog)

    def sum(self, records: Iterable[UsageRecord]) -> Cost:
        """What several records cost together, each by itself as at the start of the term."""
        costs = [self.cost(record) for record in records]
        return Cost(*(total(getattr(cost, name) for cost in costs) for name in Cost.__slots__))

    def thresholds(self, record: UsageRecord) -> tuple[int, ...]:
        """The contexts above which the record's model costs more. CatalogError where the model is not known."""
        return self.terms.lane(record).thresholds

    def cost(self, record: UsageRecord) -> Cost:
        """What one record costs. CatalogError or UnpricedError where nothing prices it, InputError outside the term."""
        lines, _ = price_request(self.terms, record)
        used = [line for line in lines if line.kind == "usage"]
        parts = {
            way: total(line.amounts.contracted for line in used if line.meter and BY_NAME[line.meter].direction == way)
            for way in ("input", "output")
        }
        return Cost(
            list=total(line.amounts.list for line in used),
            contracted=total(line.amounts.contracted for line in used),
            **parts,
        )
