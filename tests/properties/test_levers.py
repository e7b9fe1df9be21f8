"""Laws of the levers: tokens are moved and never made, a stack never rises, and it finds the cheapest way there is.

They are laws of the search, so shops price by a table of their own here and not by rating, which is slower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from offtake.planner.levers.pricing import Shop
from offtake.planner.levers.running import PROMPT, CacheShares, Model, Way, run
from offtake.planner.levers.stack import ORDER, Job, priced, stacked
from offtake.planner.workload import Workload
from offtake.values.errors import UnpricedError
from offtake.values.money import total
from tests.scenarios.planner.test_levers import AGGREGATOR, LIST, RULES, workload

PRICES = {
    "claude-opus-4.7": dict(zip((*PROMPT, "output_tokens"), (50, 5, 62, 100, 250), strict=True)),
    "gpt-5.4": dict(zip((*PROMPT, "output_tokens"), (25, 2, 25, 25, 150), strict=True)),
    "grok-4.1": dict(zip((*PROMPT, "output_tokens"), (30, 7, 30, 30, 60), strict=True)),
    "claude-haiku-4-5": dict(zip((*PROMPT, "output_tokens"), (10, 1, 12, 20, 50), strict=True)),
}
"""Dollars for ten million tokens."""


class Table(Shop):
    """A shop whose prices are those of the table, 15% less at the aggregator, half of it in batch but for grok."""

    def cost(self, workload: Workload, outcome: str = "ok") -> Decimal:
        if workload.channel == "batch" and workload.model == "grok-4.1":
            raise UnpricedError("R401", "no batch price")
        half = 5 if workload.channel == "batch" else 10
        off = 85 if self.pricing is AGGREGATOR.pricing else 100
        prices = PRICES[workload.model]
        tokens = sum(quantity * prices.get(meter, 0) for meter, quantity in workload.quantities.items())
        return Decimal(tokens * half * off).scaleb(-10)

    def invoice(self, workloads: Sequence[Workload], top_up: Decimal | None = None) -> Decimal:
        usage = total(map(self.cost, workloads))
        return usage if top_up is None else top_up + max(Decimal(0), usage - top_up * Decimal("1.06"))


OURS, THEIRS = Table(LIST.pricing, LIST.at), Table(AGGREGATOR.pricing, AGGREGATOR.at)
TOKENS = st.integers(0, 10**10)
PERCENT = st.integers(0, 100).map(lambda hundredths: Decimal(hundredths).scaleb(-2))


@st.composite
def cache_shares(draw: st.DrawFn) -> CacheShares:
    read = sorted((draw(PERCENT), draw(PERCENT)))
    most = int((1 - read[1]) * 100)
    written = sorted(Decimal(draw(st.integers(0, most))).scaleb(-2) for _ in range(2))
    return CacheShares((read[1], read[0]), (written[0], written[1]), draw(st.sampled_from(("5m", "1h"))))


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    quantities = {meter: draw(TOKENS) for meter in ("input_tokens", "output_tokens", *PROMPT[1:])}
    quantities["reasoning_tokens"] = draw(st.integers(0, quantities["output_tokens"]))
    model = draw(st.sampled_from(("claude-opus-4.7", "gpt-5.4", "grok-4.1")))
    return replace(workload((0, 0), model=model), quantities=quantities, batchable=draw(PERCENT))


@given(workloads(), cache_shares(), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_a_way_moves_tokens_and_makes_none(
    given_workload: Workload, shares: CacheShares, batch: bool, cache: bool, best: bool, in_batch: bool
) -> None:
    way = Way(Model(given_workload.model, given_workload.vendor), batch=batch, cache=cache)
    parts = run(given_workload, way, shares, best=best, caches_in_batch=in_batch)

    def tokens(workload: Workload, *meters: str) -> int:
        return sum(workload.quantities.get(meter, 0) for meter in meters)

    for meters in (PROMPT, ("output_tokens",), ("reasoning_tokens",)):
        assert tokens(given_workload, *meters) == sum(tokens(part, *meters) for part in parts)
    for part in parts:
        assert part.quantities.get("reasoning_tokens", 0) <= part.quantities.get("output_tokens", 0)


@given(st.lists(st.tuples(workloads(), cache_shares()), min_size=1, max_size=3), st.booleans())
def test_a_stack_never_rises_and_ends_at_the_cheapest_ways(
    drawn: list[tuple[Workload, CacheShares]], through_aggregator: bool
) -> None:
    models = (Model("gpt-5.4", "openai"), Model("claude-haiku-4-5", "anthropic", Decimal("1.2")))
    jobs = [Job(each, shares, tuple(model for model in models if model.name != each.model)) for each, shares in drawn]
    found = priced(jobs, [OURS, THEIRS] if through_aggregator else [OURS], RULES)
    steps, ways = stacked(found)
    now = total(found.costs[number, Way(job.own)].high for number, job in enumerate(jobs))
    dearer_ends = [now, *(step.cost.high for step in steps)]

    assert sorted(dearer_ends, reverse=True) == dearer_ends
    cheapest = total(
        min(cost.high for (number, _), cost in found.costs.items() if number == index) for index in range(len(jobs))
    )
    assert cheapest == steps[len(ORDER) - 1].cost.high
    assert set(range(len(jobs))) == set(ways)


@given(workloads(), cache_shares())
def test_every_way_is_priced_once(given_workload: Workload, shares: CacheShares) -> None:
    found = priced([Job(given_workload, shares)], [OURS, THEIRS], RULES)
    model = Model(given_workload.model, given_workload.vendor)
    may_wait = (False, True) if given_workload.batchable else (False,)
    every = {Way(model, *each) for each in product(may_wait, (False, True), (0, 1))}

    assert every == {way for _, way in found.costs} | {each.way for each in found.unpriced}
