"""Where an aggregator stops being the cheaper way: a surface over spend, vendors, direct discount and top-up bonus.

An aggregator sells every vendor's models below list and asks for no promise; a top-up bonus b makes each dollar buy
1 + b. A direct deal gives a discount d on one vendor, and a vendor negotiates only from a certain spend on: split over
more vendors, the same money opens fewer doors.

    aggregator discount a   break-even direct discount  1 − (1 − a) / (1 + b)
    15%, bonus 6%           1 − 0.85 / 1.06 = 19.81%: a direct 20% on $150,000 wins by $283.02
    65%, bonus 6%           66.98%: no direct deal gets there

Costs are rating's: the usage whose list price is the spend, rated under the list, under the aggregator's contract
with the top-up that pays for it, and under a direct deal with its discount.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_UP, Decimal
from typing import Literal

from offtake.catalog.list_price import ListPrices
from offtake.contract.contract import Contract
from offtake.contract.schema.commitments import TopUps
from offtake.contract.schema.prices import Discount
from offtake.contract.schema.terms import Terms
from offtake.planner.levers.facts import Gate
from offtake.planner.rated import Pricing
from offtake.rating.facts import TopUp
from offtake.rating.rate import rate_records
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError
from offtake.values.money import EXACT, ZERO, Money, divide, quantize, total

MILLION = 1_000_000
MONTHS = 12
SHARE_PLACES, MULTIPLE_PLACES = 6, 3
ONE = Decimal(1)
Opens = Literal["no", "perhaps", "yes"]
"""Whether a vendor negotiates at this spend; between the two ends of a gate the answer is to ask."""
OPENS: tuple[Opens, ...] = ("no", "perhaps", "yes")


@dataclass(frozen=True, slots=True)
class Mix:
    """Input and output tokens in this proportion."""

    input: int = 1
    output: int = 3


@dataclass(frozen=True, slots=True)
class Axes:
    """What the surface is drawn over: list spend a month over all vendors, direct discounts, bonuses.

    The first k of `models` are bought where there are k vendors; the spend is split evenly among them.
    """

    models: tuple[str, ...]
    spends: tuple[Decimal, ...]
    discounts: tuple[Decimal, ...]
    bonuses: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The direct discount at which a direct deal on a model costs what the aggregator asks."""

    model: str
    aggregator_discount: Decimal
    bonus: Decimal
    discount: Decimal


@dataclass(frozen=True, slots=True)
class Turn:
    """From where on direct deals on all of so many vendors are the cheaper: a discount above this, at this spend."""

    vendors: int
    bonus: Decimal
    discount: Decimal
    spend: Decimal


@dataclass(frozen=True, slots=True)
class Opening:
    """How many times its spend a vendor must see until it negotiates, at the low and the high end of its gate."""

    spend: Decimal
    vendors: int
    model: str
    opens: Opens
    multiple_low: Decimal
    multiple_high: Decimal


@dataclass(frozen=True, slots=True)
class Cell:
    """One point of the surface; amounts are of a month, to the cent.

    `direct` has list prices where a vendor does not negotiate; `mixed` takes each model the cheaper way.
    """

    spend: Decimal
    vendors: int
    discount: Decimal
    bonus: Decimal
    opens: Opens
    list: Decimal
    aggregator: Decimal
    direct: Decimal
    mixed: Decimal

    @property
    def difference(self) -> Decimal:
        """What direct saves against the aggregator."""
        return EXACT.subtract(self.aggregator, self.direct)

    @property
    def cheapest(self) -> str:
        """The aggregator, direct, or mixed where neither alone is the cheapest."""
        if self.mixed < min(self.aggregator, self.direct):
            return "mixed"
        return "direct" if self.direct < self.aggregator else "aggregator"


@dataclass(frozen=True, slots=True)
class Shops:
    """The list, and the aggregator's contract; `gates` says from which spend the maker of each model negotiates."""

    public: Contract
    aggregator: Contract
    catalog: ListPrices
    gates: Mapping[str, Gate]
    at: datetime
    mix: Mix


@dataclass(frozen=True, slots=True)
class Crossover:
    """The surface, with what explains it."""

    break_evens: tuple[BreakEven, ...]
    turns: tuple[Turn, ...]
    openings: tuple[Opening, ...]
    cells: tuple[Cell, ...]


def crossover(axes: Axes, shops: Shops) -> Crossover:
    """The surface. CatalogError or UnpricedError where a model has no price at the list or at the aggregator's."""
    break_evens = tuple(break_even(shops, model, bonus) for bonus in axes.bonuses for model in axes.models)
    surface = _Surface(axes, shops)
    return Crossover(
        break_evens,
        tuple(_turns(break_evens, axes, shops)),
        tuple(surface.openings()),
        tuple(surface.cells()),
    )


def break_even(shops: Shops, model: str, bonus: Decimal) -> BreakEven:
    """1 − (1 − a) / (1 + b), with a the discount that rating gives the aggregator's price of the mix."""
    record = _record(model, MILLION, shops)
    cost = Pricing(shops.aggregator, shops.catalog).cost(record)
    if not cost.list:
        raise InputError("P608", f"{model} costs nothing by the token", hint="leave it out: nothing is cheaper")
    ratio = divide(cost.contracted, cost.list)
    return BreakEven(
        model,
        quantize(ONE - ratio, SHARE_PLACES),
        bonus,
        quantize(ONE - divide(ratio, ONE + bonus), SHARE_PLACES),
    )


def _turns(break_evens: Sequence[BreakEven], axes: Axes, shops: Shops) -> Iterator[Turn]:
    """With the spend split evenly, the discount that all deals must beat is the mean of their break-evens."""
    for bonus in axes.bonuses:
        own = [each.discount for each in break_evens if each.bonus == bonus]
        for vendors in range(1, len(axes.models) + 1):
            needed = max(monthly(shops.gates[model])[0] for model in axes.models[:vendors]) * vendors
            yield Turn(vendors, bonus, quantize(divide(total(own[:vendors]), vendors), SHARE_PLACES), needed)


def usage_multiple(spend: Decimal, threshold: Decimal) -> Decimal:
    """How many times its spend a buyer is from a threshold: 50,000 at 23,750 is 2.105."""
    return quantize(divide(threshold, spend), MULTIPLE_PLACES)


def monthly(gate: Gate) -> tuple[Decimal, Decimal]:
    """The two ends of a gate as spend a month, to the cent."""
    return _cents(divide(gate.low, MONTHS)), _cents(divide(gate.high, MONTHS))


class _Surface:
    def __init__(self, axes: Axes, shops: Shops) -> None:
        self.axes, self.shops = axes, shops
        self.public = Pricing(shops.public, shops.catalog)
        self.directs = {
            share: Pricing(discounted(shops.public, {"*": share}), shops.catalog) for share in axes.discounts
        }
        self.aggregators = {
            bonus: Pricing(with_bonus(shops.aggregator, bonus), shops.catalog) for bonus in axes.bonuses
        }

    def openings(self) -> Iterator[Opening]:
        for spend in self.axes.spends:
            for vendors in range(1, len(self.axes.models) + 1):
                part = divide(spend, vendors)
                for model in self.axes.models[:vendors]:
                    low, high = self._gate(model)
                    opens = _opens(part, low, high)
                    multiples = usage_multiple(part, low), usage_multiple(part, high)
                    yield Opening(spend, vendors, model, opens, *multiples)

    def cells(self) -> Iterator[Cell]:
        for spend in self.axes.spends:
            for vendors in range(1, len(self.axes.models) + 1):
                records = [self._worth(model, divide(spend, vendors)) for model in self.axes.models[:vendors]]
                for bonus in self.axes.bonuses:
                    yield from self._row(spend, bonus, records)

    def _row(self, spend: Decimal, bonus: Decimal, records: Sequence[UsageRecord]) -> Iterator[Cell]:
        aggregator = self.aggregators[bonus]
        aggregated = _bill(aggregator, records, self.shops)
        listed = [self.public.cost(record).contracted for record in records]
        sold = [divide(aggregator.cost(record).contracted, ONE + bonus) for record in records]
        opens = [_opens(cost, *self._gate(record.model)) for cost, record in zip(listed, records, strict=True)]
        for share, pricing in self.directs.items():
            direct = [
                cost if opened == "no" else pricing.cost(record).contracted
                for cost, opened, record in zip(listed, opens, records, strict=True)
            ]
            through = [record for record, one, two in zip(records, sold, direct, strict=True) if one <= two]
            rest = total(two for one, two in zip(sold, direct, strict=True) if one > two)
            mixed = aggregated if len(through) == len(records) else _bill(aggregator, through, self.shops) + rest
            amounts = map(_cents, (total(listed), aggregated, total(direct), mixed))
            yield Cell(spend, len(records), share, bonus, min(opens, key=OPENS.index), *amounts)

    def _worth(self, model: str, spend: Decimal) -> UsageRecord:
        """Usage in the mix whose list price is the spend: whole tokens, so up to a hundredth of a cent less."""
        price = self.public.cost(_record(model, MILLION, self.shops)).contracted
        return _record(model, int(divide(EXACT.multiply(spend, Decimal(MILLION)), price)), self.shops)

    def _gate(self, model: str) -> tuple[Decimal, Decimal]:
        return monthly(self.shops.gates[model])


def _bill(pricing: Pricing, records: Sequence[UsageRecord], shops: Shops) -> Decimal:
    """What a month of usage costs in cash: the invoice, with the top-up that just pays for it where there are any."""
    if not records:
        return ZERO
    contract, terms = pricing.contract, pricing.contract.as_of(shops.at)
    rated = rate_records(records, contract, shops.catalog)
    if rated.unpriced:
        raise InputError("P603", f"{contract.signed.vendor} does not sell all of this: {rated.unpriced[0]}")
    if terms.top_ups is None:
        return rated.total
    used = total(line.amounts.billed for each in rated.invoices for line in each.lines if line.kind == "usage")
    cash = quantize(divide(used, ONE + terms.top_ups.bonus), 2, ROUND_UP)
    paid = TopUp(at=shops.at, id="crossover", amount=Money(cash, terms.term.currency))
    return rate_records(records, contract, shops.catalog, [paid]).total


def discounted(contract: Contract, shares: Mapping[str, Decimal]) -> Contract:
    """The contract with these shares off the list prices of the models that the patterns name."""
    discounts = [
        Discount.model_validate({"models": models, "share": _percent(share)}) for models, share in shares.items()
    ]
    return _changed(
        contract, lambda terms: {"prices": terms.prices.model_copy(update={"discounts": discounts})}
    )  # fmt: skip


def every_month(contract: Contract) -> Contract:
    """The contract without what no month is like another in, one-off credits and commitments, and without seats."""

    def changes(terms: Terms) -> dict[str, object]:
        fees = terms.fees.model_copy(update={"seats": None, "license": None}) if terms.fees else None
        return {"credits": [], "commitments": [], "fees": fees}

    return _changed(contract, changes)


def with_bonus(contract: Contract, bonus: Decimal) -> Contract:
    """The contract with this bonus on top-ups; at zero, without top-ups, which then only move a payment."""
    data = {"bonus": _percent(bonus), "expires_after": "12 months", "burn_order": ["promotional", "paid"]}
    top_ups = TopUps.model_validate(data) if bonus else None

    def changes(terms: Terms) -> dict[str, object]:
        own = terms.top_ups
        return {"top_ups": own.model_copy(update={"bonus": bonus}) if own and bonus else top_ups}

    return _changed(contract, changes)


def _changed(contract: Contract, changes: Callable[[Terms], dict[str, object]]) -> Contract:
    versions = tuple(
        replace(version, terms=version.terms.model_copy(update=changes(version.terms))) for version in contract.versions
    )
    return replace(contract, versions=versions)


def _record(model: str, millionths: int, shops: Shops) -> UsageRecord:
    """The mix so many times a million-th, below every context threshold."""
    quantities = {"input_tokens": shops.mix.input * millionths, "output_tokens": shops.mix.output * millionths}
    used = {meter: quantity for meter, quantity in quantities.items() if quantity}
    return UsageRecord(id=model, used_at=shops.at, model=model, quantities=used, context_tokens=0)


def _opens(spend: Decimal, low: Decimal, high: Decimal) -> Opens:
    """The spend to the cent: tokens are whole, so a spend that is exactly at the gate comes a hair below it."""
    shown = _cents(spend)
    return "yes" if shown >= high else "perhaps" if shown >= low else "no"


def _cents(amount: Decimal) -> Decimal:
    return quantize(amount, 2)


def _percent(share: Decimal) -> str:
    return f"{EXACT.scaleb(share, 2):f}%"
