"""Which model is the cheapest at which in:out ratio, and what each would cost on this traffic.

A model's cost for each output token is a line over the ratio r of input to output: a_in × r + a_out. Two models cost
the same where their lines cross; the cheapest model over all ratios is the lower envelope of the lines.

    grok 3/6 against gemini 2/12: 3r + 6 = 2r + 12 gives r = 6; below it grok is the cheaper
    grok 3/6 against opus 5/25: r = −9.5, which no traffic has: grok always

Same tokens for each model: what a tokenizer or a wordier answer changes is a question for evaluations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations

from offtake.planner.rated import Pricing
from offtake.usage.record import UsageRecord
from offtake.values.money import divide, quantize

MTOK = 1_000_000
RATIO_PLACES = 3


@dataclass(frozen=True, slots=True)
class ModelCost:
    """What a million input and a million output tokens cost, and what this traffic would."""

    model: str
    input_mtok: Decimal
    output_mtok: Decimal
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Flip:
    """The in:out ratio at which two models cost the same; `below` is the cheaper for ratios below it.

    At a ratio at or below zero, which no traffic has, and at None (equal input prices) `below` is the cheaper always.
    """

    models: tuple[str, str]
    ratio: Decimal | None
    below: str


@dataclass(frozen=True, slots=True)
class Range:
    """The cheapest model for ratios from `start` up to `end` (None: without end)."""

    start: Decimal
    end: Decimal | None
    model: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The models from the cheapest on this traffic to the dearest; the flip of each pair; who is the cheapest where."""

    models: tuple[ModelCost, ...]
    flips: tuple[Flip, ...]
    ranges: tuple[Range, ...]


def choose(records: Sequence[UsageRecord], models: Sequence[str], pricing: Pricing) -> Choice:
    """The choice among models for one workload's traffic (at least one row). CatalogError where one has no price."""
    found = [_cost(records, model, pricing) for model in dict.fromkeys(models)]
    flips = tuple(flip(one, two) for one, two in combinations(found, 2))
    return Choice(tuple(sorted(found, key=lambda each: each.cost)), flips, cheapest_by_ratio(found))


def flip(one: ModelCost, two: ModelCost) -> Flip:
    """Where two models cost the same."""
    names = (one.model, two.model)
    cheaper_below = min(one, two, key=lambda each: (each.output_mtok, each.input_mtok))
    ratio = _crossing(one, two)
    return Flip(names, None if ratio is None else quantize(ratio, RATIO_PLACES), cheaper_below.model)


def cheapest_by_ratio(models: Sequence[ModelCost]) -> tuple[Range, ...]:
    """The lower envelope from ratio 0 on."""
    if not models:
        return ()
    at = Decimal(0)
    current = min(models, key=lambda each: (each.output_mtok, each.input_mtok))
    ranges: list[Range] = []
    while True:
        crossings = [
            (crossing, each.input_mtok, each)
            for each in models
            if each.input_mtok < current.input_mtok and (crossing := _crossing(current, each)) is not None
        ]
        if not crossings:
            return (*ranges, Range(quantize(at, RATIO_PLACES), None, current.model))
        end, _, follower = min(crossings, key=lambda found: found[:2])
        ranges.append(Range(quantize(at, RATIO_PLACES), quantize(end, RATIO_PLACES), current.model))
        at, current = end, follower


def _crossing(one: ModelCost, two: ModelCost) -> Decimal | None:
    steeper = one.input_mtok - two.input_mtok
    return divide(two.output_mtok - one.output_mtok, steeper) if steeper else None


def _cost(records: Sequence[UsageRecord], model: str, pricing: Pricing) -> ModelCost:
    """Unit prices are those at the context where most of the tokens lie: above a threshold where these are."""
    as_model = [replace(record, model=model, vendor="") for record in records]
    typical = max(as_model, key=lambda record: sum(record.quantities.values()))
    unit = [
        pricing.cost(replace(typical, quantities={meter: MTOK})).contracted
        for meter in ("input_tokens", "output_tokens")
    ]
    return ModelCost(model, unit[0], unit[1], pricing.sum(as_model).contracted)
