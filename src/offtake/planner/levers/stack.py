"""The levers that need no contract: each alone, and stacked.

Every way to run every workload is rated once; a step then allows one lever more and takes the cheapest way. First what
changes the usage (batch, cache), then which model does it (routing, whose answer depends on the two before), then who
sells it (aggregator), then how it is paid (bonus). A choice is made on the upper end of a cost, so that a declared
range never makes a lever look good by its better half.

    opus 500M in, 1.5B out: 40,000 → batch 20,000 → cache, 70% read 19,212.50 → aggregator 16,330.625 → bonus 15,406.25
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_UP, Decimal
from itertools import product

from offtake.planner.levers.pricing import NOTHING, Cost, Shop, sum_of
from offtake.planner.levers.rules import Bar, Rules
from offtake.planner.levers.running import CacheShares, Model, Way, run, seller
from offtake.planner.workload import Workload
from offtake.values.errors import CatalogError, InputError, UnpricedError
from offtake.values.money import divide, quantize, total

ORDER = ("batch", "cache", "route", "aggregator")
BONUS = "bonus"


@dataclass(frozen=True, slots=True)
class Job:
    """A month of a workload, the cache shares declared for it, and the models that may do it besides its own.

    `largest_prompt` is in tokens of its own model; None where no row of the usage is one request.
    """

    workload: Workload
    cache: CacheShares | None = None
    models: tuple[Model, ...] = ()
    largest_prompt: int | None = None

    @property
    def own(self) -> Model:
        """The model that does it now."""
        return Model(self.workload.model, self.workload.vendor)


@dataclass(frozen=True, slots=True)
class Step:
    """A lever, what is paid once it is pulled, and what that saves against the row before (of a stack) or against now.

    `workloads` counts those that it moves.
    """

    lever: str
    cost: Cost
    saving: Cost
    workloads: int


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A way to run a job that no price is known for, and why."""

    way: Way
    why: str


@dataclass(frozen=True, slots=True)
class Priced:
    """The cost of every way to run every job that has a price; jobs by number."""

    jobs: tuple[Job, ...]
    shops: tuple[Shop, ...]
    rules: Rules
    costs: Mapping[tuple[int, Way], Cost]
    unpriced: tuple[Unpriced, ...]
    bars: tuple[Bar, ...]

    def parts(self, chosen: Mapping[int, Way], shop: int, *, best: bool) -> list[Workload]:
        """What is bought in a shop under a choice of ways."""
        return [
            part
            for number, way in chosen.items()
            if way.shop == shop
            for part in _parts(self.jobs[number], way, self.rules, best=best)
        ]

    def cost(self, chosen: Mapping[int, Way]) -> Cost:
        """What a choice of ways costs: the usage, and for an aggregator its whole invoice."""
        usage = sum_of([self.costs[item] for item in chosen.items() if not item[1].shop])
        for index in sorted({way.shop for way in chosen.values()} - {0}):
            usage = usage.plus(self.invoiced(chosen, index))
        return usage

    def invoiced(self, chosen: Mapping[int, Way], shop: int, bonus: Decimal | None = None) -> Cost:
        """The invoices of a shop; with a bonus, of a wallet that was topped up with just what the month needs."""
        ends = []
        for best in (True, False):
            parts = self.parts(chosen, shop, best=best)
            amount = self.shops[shop].invoice(parts)
            if bonus:
                cash = quantize(divide(amount, 1 + bonus), 2, ROUND_UP)
                amount = self.shops[shop].invoice(parts, cash)
            ends.append(amount)
        return Cost(min(ends), max(ends))


def priced(jobs: Sequence[Job], shops: Sequence[Shop], rules: Rules) -> Priced:
    """Rate every way to run every job. InputError P623 where a job has no price as it runs now."""
    bars: dict[Bar, None] = {}
    aggregator = rules.seller(shops[1].pricing.contract) if len(shops) > 1 else None
    if aggregator:
        bars[aggregator] = None
    costs: dict[tuple[int, Way], Cost] = {}
    unpriced: dict[Unpriced, None] = {}
    for number, job in enumerate(jobs):
        for way in _ways(job, range(1 if aggregator else len(shops)), rules, bars):
            try:
                costs[number, way] = _cost(job, way, shops[way.shop], rules)
            except (CatalogError, UnpricedError) as error:
                reason = error.findings[0]
                if way == Way(job.own):
                    raise InputError(
                        "P623", f"{job.workload.name or job.workload.model} has no price as it runs: {reason.what}",
                        why=reason.why, hint=reason.hint or "add the price with --catalog FILE, or drop --region",
                    ) from error  # fmt: skip
                unpriced[Unpriced(way, reason.what)] = None
    return Priced(tuple(jobs), tuple(shops), rules, costs, tuple(unpriced), tuple(bars))


def _ways(job: Job, shops: Sequence[int], rules: Rules, bars: dict[Bar, None]) -> Iterator[Way]:
    workload = job.workload
    for model in (job.own, *job.models):
        batch = rules.feature("batch", model.vendor, workload.access)
        cache = rules.cache(workload, model, job.largest_prompt) if job.cache else None
        may_wait = workload.channel == "realtime" and bool(workload.batchable)
        together = rules.cache_in_batch(model.vendor, workload.access) if may_wait and job.cache and not batch else None
        bars |= dict.fromkeys(bar for bar in (batch if may_wait else None, cache, together) if bar)
        in_batch = (False, True) if may_wait and not batch else (False,)
        in_cache = (False, True) if job.cache and not cache else (False,)
        yield from (Way(model, *each) for each in product(in_batch, in_cache, shops))


def _cost(job: Job, way: Way, shop: Shop, rules: Rules) -> Cost:
    """Its better end and its worse one; they differ where cache shares are a range."""
    ends = [
        total(shop.cost(part) for part in _parts(job, way, rules, best=best))
        for best in ((True, False) if way.cache else (True,))
    ]
    return Cost(min(ends), max(ends))


def _parts(job: Job, way: Way, rules: Rules, *, best: bool) -> tuple[Workload, ...]:
    in_batch = rules.cache_in_batch(way.model.vendor, job.workload.access) is None
    return run(job.workload, way, job.cache, best=best, caches_in_batch=in_batch)


def chosen(found: Priced, levers: Sequence[str]) -> dict[int, Way]:
    """For each job the cheapest way that these levers allow; of equals, the one that changes least."""
    best: dict[int, Way] = {}
    for (number, way), cost in found.costs.items():
        if not _pulled(way, found.jobs[number]) <= set(levers):
            continue
        if number not in best or (cost.high, cost.low) < _ends(found.costs[number, best[number]]):
            best[number] = way
    return best


def alone(found: Priced, lever: str) -> Step | None:
    """One lever for every job that can pull it, also where it does not pay (but routing). None: it moves nothing."""
    now = chosen(found, ())
    ways = chosen(found, (lever,)) if lever == "route" else dict(now)
    if lever != "route":
        ways |= {n: way for n, way in found.costs if _pulled(way, found.jobs[n]) == {lever}}
    moved = sum(ways[number] != now[number] for number in now)
    if not moved:
        return None
    cost = found.cost(ways)
    return Step(lever, cost, found.cost(now).less(cost), moved)


def stacked(found: Priced) -> tuple[tuple[Step, ...], dict[int, Way]]:
    """Lever on lever, in order, and the last choice; one that does not pay on top of those before it moves nothing."""
    ways = chosen(found, ())
    before = found.cost(ways)
    steps = []
    for index, lever in enumerate(ORDER):
        tried = chosen(found, ORDER[: index + 1])
        cost = found.cost(tried)
        if _ends(cost) >= _ends(before):  # an aggregator's fees may eat what its prices save
            tried, cost = ways, before
        moved = sum(tried[number] != ways[number] for number in ways)
        steps.append(Step(lever, cost, before.less(cost), moved))
        ways, before = tried, cost
    return (*steps, *_bonus(found, ways, before)), ways


def _bonus(found: Priced, ways: Mapping[int, Way], before: Cost) -> Iterator[Step]:
    """A top-up is in whole cents, so for less than that the wallet costs more than it brings."""
    for index in sorted({way.shop for way in ways.values()} - {0}):
        shop = found.shops[index]
        terms = shop.pricing.contract.as_of(shop.at).top_ups
        if terms and terms.bonus:
            saving = found.invoiced(ways, index).less(found.invoiced(ways, index, terms.bonus))
            ends = before.low - saving.low, before.high - saving.high
            cost = Cost(min(ends), max(ends))
            moved = sum(way.shop == index for way in ways.values())
            pays = _ends(cost) < _ends(before)
            yield Step(BONUS, cost, saving, moved) if pays else Step(BONUS, before, NOTHING, 0)


def direct(found: Priced) -> dict[str, Cost]:
    """What is left to buy of each seller after batch, cache and routing: what could be committed."""
    ways = chosen(found, ORDER[:3])
    left: dict[str, list[Cost]] = {seller(job.workload): [] for job in found.jobs}
    for number, way in ways.items():
        bought = replace(found.jobs[number].workload, vendor=way.model.vendor)
        left.setdefault(seller(bought), []).append(found.costs[number, way])
    return {name: sum_of(costs) for name, costs in left.items()}


def _pulled(way: Way, job: Job) -> set[str]:
    marks = ((way.batch, "batch"), (way.cache, "cache"), (way.model != job.own, "route"), (way.shop > 0, "aggregator"))
    return {lever for holds, lever in marks if holds}


def _ends(cost: Cost) -> tuple[Decimal, Decimal]:
    return cost.high, cost.low
