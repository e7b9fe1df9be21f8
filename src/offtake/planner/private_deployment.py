"""A private deployment against a price a token: from which volume on, and how full its machines must be.

A licence, hardware and people cost the same whether a token is served or not. So the cost of a million tokens falls
with utilisation, and each further model that is needed brings instances of its own.

    licence 400,000 a year, 7 instances at 6,000 a month, operations 20,000 a month     95,333.33 a month
    Opus 4.7, one token in for three out, at list                                       $20.00 a million
    pays from 95,333.33 / 20 = 4,766.67 million tokens a month on; 4 instances of 1,000 tokens a second serve
    10,512 million: 45.35% full

Fees are the licence and the platform fee of the contract as rating charges them over its whole term, spread evenly.
What per-token use would cost is rated too; hardware, operations and throughput are the caller's figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from offtake.catalog.list_price import ListPrices
from offtake.contract.contract import Contract
from offtake.contract.schema.terms import Terms
from offtake.planner.rated import Pricing
from offtake.rating.rate import rate_records
from offtake.usage.record import UsageRecord
from offtake.values.errors import ContractError, InputError, Place
from offtake.values.money import EXACT, divide, quantize, total
from offtake.values.periods import windows

MILLION = 1_000_000
SECONDS_A_MONTH = 730 * 3_600
SHARE_PLACES, PRICE_PLACES = 4, 4


@dataclass(frozen=True, slots=True)
class Running:
    """What running it takes. Dollars a month; tokens (input and output) a second of one instance that is never idle.

    `peak_to_mean`: the busiest hour against the mean one, where known; instances must stand for the peak.
    """

    hardware: Decimal
    operations: Decimal
    tokens_per_second: Decimal
    license_per_model: bool = False
    peak_to_mean: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the contract says: fees of a month, instances that are paid for, and those of them that serve."""

    fees: Decimal
    paid: int
    serving: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is served: models (the first k where k are needed, in equal parts), and input to output tokens."""

    models: tuple[str, ...]
    input: int
    output: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Point:
    """A month at a utilisation: tokens, what they cost here and by the token, a million and in all."""

    utilisation: Decimal
    tokens: int
    private: Decimal
    per_token: Decimal
    private_mtok: Decimal
    per_token_mtok: Decimal

    @property
    def saving(self) -> Decimal:
        """Above zero where the private deployment is the cheaper."""
        return EXACT.subtract(self.per_token, self.private)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The deployment for so many models. `break_even_utilisation` may be above 1: then these instances are too few.

    `usable` is the utilisation that peaks leave; None where they are not known.
    """

    models: tuple[str, ...]
    fees: Decimal
    hardware: Decimal
    operations: Decimal
    capacity_tokens: int
    break_even_tokens: int
    break_even_utilisation: Decimal
    usable: Decimal | None
    points: tuple[Point, ...]
    volume: Point | None = None

    @property
    def monthly(self) -> Decimal:
        """What it costs a month, used or not."""
        return total((self.fees, self.hardware, self.operations))

    @property
    def pays(self) -> bool:
        """Whether it can be the cheaper with these instances, peaks included."""
        return self.break_even_utilisation <= (Decimal(1) if self.usable is None else self.usable)


def deployment(contract: Contract, catalog: ListPrices, at: datetime) -> Deployment:
    """The licence and platform fee over the whole term, as a month's part, and the instances.

    ContractError P606 without a licence, P607 without instances in production.
    """
    terms = contract.as_of(at)
    if terms.fees is None or terms.fees.license is None:
        raise ContractError(
            "P606", "the contract has no licence to weigh", where=Place(contract.file),
            hint="add `fees: {license: {amount: 400_000 USD / year, deployment: private}}`",
        )  # fmt: skip
    instances = (terms.deployment.instances if terms.deployment else None) or {}
    if not instances.get("production"):
        raise ContractError(
            "P607", "the contract does not say how many instances serve production", where=Place(contract.file),
            hint="add `deployment: {kind: private, instances: {production: 4}}`",
        )  # fmt: skip
    rated = rate_records([], _fees_only(contract), catalog, span=contract.span)
    owed = total(line.amounts.billed for each in rated.invoices for line in each.lines if line.kind == "fee")
    months = sum(1 for _ in windows("month", contract.signed.term.from_, contract.span, contract.zone))
    return Deployment(quantize(divide(owed, months), 2), sum(instances.values()), instances["production"])


def compare(
    signed: Deployment,
    running: Running,
    traffic: Traffic,
    pricing: Pricing,
    utilisations: Sequence[Decimal],
    volume: int | None = None,
) -> tuple[Comparison, ...]:
    """One comparison for each number of models needed. `volume` is what is served a month, where known.

    CatalogError or UnpricedError where a model has no price by the token; InputError P608 where one costs nothing.
    """
    return tuple(
        _compared(signed, running, replace(traffic, models=traffic.models[:count]), pricing, utilisations, volume)
        for count in range(1, len(traffic.models) + 1)
    )


def _compared(
    signed: Deployment,
    running: Running,
    traffic: Traffic,
    pricing: Pricing,
    utilisations: Sequence[Decimal],
    volume: int | None,
) -> Comparison:
    models = len(traffic.models)
    fees = EXACT.multiply(signed.fees, Decimal(models if running.license_per_model else 1))
    hardware = EXACT.multiply(running.hardware, Decimal(signed.paid * models))
    monthly = total((fees, hardware, running.operations))
    capacity = int(running.tokens_per_second * SECONDS_A_MONTH * signed.serving * models)
    if not capacity:
        raise InputError("P609", "these instances serve no token in a month", hint="--throughput is tokens a second")
    needed = _tokens_for(monthly, traffic, pricing)

    def point(tokens: int) -> Point:
        used = quantize(divide(Decimal(tokens), capacity), SHARE_PLACES)
        by_token = quantize(_per_token(tokens, traffic, pricing), 2)
        prices = (quantize(divide(cost * MILLION, tokens), PRICE_PLACES) for cost in (monthly, by_token))
        return Point(used, tokens, monthly, by_token, *prices)

    return Comparison(
        models=traffic.models,
        fees=fees,
        hardware=hardware,
        operations=running.operations,
        capacity_tokens=capacity,
        break_even_tokens=needed,
        break_even_utilisation=quantize(divide(Decimal(needed), capacity), SHARE_PLACES, ROUND_CEILING),
        usable=None
        if running.peak_to_mean is None
        else quantize(divide(Decimal(1), running.peak_to_mean), SHARE_PLACES, ROUND_FLOOR),
        points=tuple(point(max(1, int(capacity * share))) for share in utilisations),
        volume=point(volume) if volume else None,
    )


def _tokens_for(monthly: Decimal, traffic: Traffic, pricing: Pricing) -> int:
    """The tokens that cost this much by the token."""
    sample = MILLION * len(traffic.models) * (traffic.input + traffic.output)
    price = _per_token(sample, traffic, pricing)
    if not price:
        names = ", ".join(traffic.models)
        raise InputError("P608", f"by the token this costs nothing: {names}", hint="nothing is cheaper")
    return int(divide(monthly * sample, price).to_integral_value(rounding=ROUND_CEILING))


def _per_token(tokens: int, traffic: Traffic, pricing: Pricing) -> Decimal:
    """What these tokens cost by the token, in equal parts for each model; whole tokens."""
    parts = traffic.input + traffic.output
    each = tokens // len(traffic.models)
    used = {"input_tokens": each * traffic.input // parts}
    used["output_tokens"] = each - used["input_tokens"]
    quantities = {meter: quantity for meter, quantity in used.items() if quantity}
    records = (
        UsageRecord(id=model, used_at=traffic.at, model=model, quantities=quantities, context_tokens=0)
        for model in traffic.models
    )
    return total(pricing.cost(record).contracted for record in records)


def _fees_only(contract: Contract) -> Contract:
    """The contract with nothing but its licence and platform fee: seats and support are owed either way."""
    nothing: dict[str, object] = {"commitments": [], "credits": [], "capacity": None}
    others: dict[str, object] = {"block": None, "seats": None, "support": None}

    def bare(terms: Terms) -> Terms:
        fees = terms.fees.model_copy(update=others) if terms.fees else None
        return terms.model_copy(update={**nothing, "fees": fees})

    return replace(
        contract, versions=tuple(replace(version, terms=bare(version.terms)) for version in contract.versions)
    )
