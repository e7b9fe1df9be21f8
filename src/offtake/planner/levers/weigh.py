"""All that can be said of a month of usage: what is in use, each lever, the stack, gates, asks and their worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from offtake.planner.levers.break_even import BreakEven, break_even
from offtake.planner.levers.declared import ONE, ZERO, Declared, cache_shares, models_for
from offtake.planner.levers.facts import Ask, Gate
from offtake.planner.levers.gate import Position, Standing, positions, standings
from offtake.planner.levers.pricing import Cost, Shop, sum_of
from offtake.planner.levers.rules import Bar, Rules
from offtake.planner.levers.running import CacheShares, Way, cached, caches
from offtake.planner.levers.stack import ORDER, Job, Priced, Step, alone, direct, priced, stacked
from offtake.planner.levers.worth import Failed, InUse, Worth, failed_requests, in_use, rate_card, region
from offtake.planner.workload import Workload
from offtake.values.errors import CatalogError, UnpricedError
from offtake.values.money import total

REGION = "region"


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a workload; what share of its output failed or was cut short; its largest prompt, where known."""

    workload: Workload
    failed: Failed = ()
    largest_prompt: int | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A workload's month: what it costs now, and how it would be run at the end of the stack."""

    workload: Workload
    now: Decimal
    way: Way


@dataclass(frozen=True, slots=True)
class Caching:
    """Where caching begins to pay for a model. `bounds` is what all of its traffic would cost with everything read, and
    with everything written and nothing read: no more can be said where no share is known.
    """

    point: BreakEven
    now: Decimal
    bounds: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """Amounts are of one month, exact, in the shop's currency."""

    now: Decimal
    running: tuple[Running, ...]
    in_use: tuple[InUse, ...]
    alone: Mapping[str, Step]
    stack: tuple[Step, ...]
    direct: Mapping[str, Cost]
    bars: tuple[Bar, ...]
    unpriced: tuple[tuple[str, str], ...]
    caching: tuple[Caching, ...]
    positions: tuple[Position, ...]
    standings: Mapping[str, tuple[Standing, ...]]
    worths: tuple[Worth, ...]

    @property
    def left(self) -> Cost:
        """What is paid once the whole stack is in place."""
        return self.stack[-1].cost

    @property
    def tokens(self) -> int:
        """All tokens of the month."""
        return sum(tokens_of(each.workload) for each in self.running)


@dataclass(frozen=True, slots=True)
class Tables:
    """The fact tables beside this module, gates of the user's own after them."""

    gates: Sequence[Gate]
    asks: Sequence[Ask]


def weigh(
    observed: Sequence[Month], declared: Declared, shops: Sequence[Shop], rules: Rules, tables: Tables
) -> Weighed:
    """Weigh the levers for a month of each workload.

    The first shop is what is in force now, the second an aggregator. InputError P623 where a workload has no price.
    """
    shop = shops[0]
    months = [each.workload for each in observed]
    pinned = [replace(each, region=declared.region) if declared.region else each for each in months]
    jobs = [
        Job(each, cache_shares(declared, each), models_for(declared, each, rules.catalog), month.largest_prompt)
        for each, month in zip(pinned, observed, strict=True)
    ]
    found = priced(jobs, shops, rules)
    costs = [shop.cost(each) for each in months]
    now = total(costs)
    steps, ways = stacked(found)
    first = sum_of([found.costs[number, Way(job.own)] for number, job in enumerate(jobs)])
    pinning = (Step(REGION, first, Cost(now, now).less(first), len(jobs)),) if declared.region else ()
    sold = direct(found)
    held = positions(sold, tables.gates, rules.day, declared.executives)
    return Weighed(
        now=now,
        running=tuple(Running(each, costs[number], ways[number]) for number, each in enumerate(months)),
        in_use=in_use(months, shop),
        alone={lever: step for lever in ORDER if (step := alone(found, lever))},
        stack=(*pinning, *steps),
        direct=sold,
        bars=_bars(found, rules),
        unpriced=tuple((_words(each.way), each.why) for each in found.unpriced),
        caching=_caching(pinned, declared, shop),
        positions=held,
        standings={vendor: standings(tables.asks, [p for p in held if p.vendor == vendor]) for vendor in sold},
        worths=(
            *failed_requests(months, [each.failed for each in observed], shop),
            *rate_card(found),
            *region(months, pinned, shop),
        ),
    )


def tokens_of(workload: Workload) -> int:
    """All tokens of a workload, each once."""
    return sum(
        quantity
        for meter, quantity in workload.quantities.items()
        if meter.endswith("_tokens") and meter != "reasoning_tokens"
    )


def _bars(found: Priced, rules: Rules) -> tuple[Bar, ...]:
    """What is barred to the usage, and then what it does not use but might think of (files, longer caches)."""
    places = dict.fromkeys((job.own.vendor, job.workload.access) for job in found.jobs)
    return tuple(dict.fromkeys((*found.bars, *rules.notes(list(places)))))


def _caching(workloads: Sequence[Workload], declared: Declared, shop: Shop) -> tuple[Caching, ...]:
    """For each model that is not cached yet."""
    found = []
    plain = [each for each in workloads if not caches(each) and each.quantities.get("input_tokens")]
    for model in dict.fromkeys(each.model for each in plain):
        own = [each for each in plain if each.model == model]
        ends = CacheShares((ONE, ZERO), (ZERO, ONE), declared.ttl)
        try:
            point = break_even(own[0], shop, declared.ttl)
            costs = [total(shop.cost(cached(each, ends, best=best)) for each in own) for best in (True, False)]
        except (CatalogError, UnpricedError):
            continue  # a model without a cache price has no point from which caching pays
        found.append(Caching(point, total(shop.cost(each) for each in own), Cost(min(costs), max(costs))))
    return tuple(found)


def _words(way: Way) -> str:
    marks = [way.model.name, *(["batch"] if way.batch else []), *(["cache"] if way.cache else [])]
    return " + ".join([*marks, *(["aggregator"] if way.shop else [])])
