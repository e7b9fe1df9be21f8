"""From what is on the table to what to sign and where to send what, with the best other answers beside it.

The search is `optimum`'s. An offer that brings a reservation is a yes or no of its own: each yes and no is solved, and
the cheapest answer wins. The alternatives (sign nothing, sign one offer alone) are settled by the
same programs, so that "why not?" has a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations

import numpy as np

from offtake.planner.demand.paths import Paths
from offtake.planner.offers.assemble import Assembled, Table, assembled, group_of
from offtake.planner.offers.optimum import WHOLE_MAX, optimise
from offtake.planner.offers.oracle import oracle_of
from offtake.planner.offers.outcome import solution
from offtake.planner.offers.problem import Floats, Level, Problem, Risk, Solution, Watch
from offtake.planner.offers.programs import convex
from offtake.planner.offers.ready import ready
from offtake.planner.offers.rerate import Cloud, Route
from offtake.values.errors import InputError
from offtake.values.money import quantize

RESERVATIONS_MAX = 4
SHARE_PLACES = 6
LEAST_SHARE = 5e-7


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """A signing and what follows from it. `cost` is the objective of the search, over all that was solved `bound`."""

    assembled: Assembled
    solution: Solution
    cost: float
    bound: float
    method: str = ""

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels that are signed."""
        return tuple(self.assembled.problem.levels[index] for index in self.solution.sign)

    @property
    def signed(self) -> tuple[int, ...]:
        """The offers that are signed."""
        channels = self.assembled.channels
        return tuple(sorted({channels[level.pool].offer for level in self.levels} | self.assembled.forced))


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is decided about: the table, the futures, and what is known besides."""

    table: Table
    paths: Paths
    risk: Risk
    clouds: Sequence[Cloud] = ()
    peak: float = 1.0


def decide(question: Question, watch: Watch) -> Settled:
    """The cheapest signing, with a bound over all of them. `stopped` is said by its solution."""
    found: list[Settled] = []
    bounds: list[float] = []
    for forced in _reservations(question.table):
        best = min((each.cost for each in found), default=np.inf)
        posed = _posed(question, forced)
        bounds.append(at_least(posed))
        if found and (watch.stop() or bounds[-1] >= best):
            continue
        try:
            found.append(_solved(question, posed, _after(watch, best)))
        except InputError:
            if forced or not _has_reservation(question.table):
                raise
            continue
        bounds[-1] = max(bounds[-1], found[-1].bound)
    if not found:
        return _solved(question, _posed(question, frozenset()), watch)
    best_found = min(found, key=lambda each: each.cost)
    return replace(best_found, bound=min(best_found.cost, *bounds))


def _has_reservation(table: Table) -> bool:
    return any(each.reserved for each in table.openings)


def _after(watch: Watch, best: float) -> Watch:
    """Progress never shows a dearer plan than one that is there already."""
    return replace(watch, progress=lambda cost, bound, seconds: watch.progress(min(cost, best), bound, seconds))


def _reservations(table: Table) -> Iterator[frozenset[int]]:
    """Which offers with a reservation are signed: none, then every set of them with one for each vendor."""
    with_one = [number for number, each in enumerate(table.openings) if each.reserved][:RESERVATIONS_MAX]
    for size in range(len(with_one) + 1):
        for chosen in combinations(with_one, size):
            if len({group_of(table.offers[number]) for number in chosen}) == size:
                yield frozenset(chosen)


def _posed(question: Question, forced: frozenset[int]) -> Assembled:
    posed = assembled(question.table, question.paths, question.clouds, forced, question.peak)
    if posed.problem.paths > WHOLE_MAX and not convex(posed.problem):
        return replace(posed, problem=_without_tiers(posed.problem))
    return posed


def at_least(posed: Assembled) -> float:
    """What no plan of a problem costs less than, seen at once: each item at its cheapest, and fees but no promise."""
    problem = posed.problem
    factors = np.ones(len(problem.pools))
    for pool in {level.pool for level in problem.levels}:
        factors[pool] = min(_cheapest_dollar(level) for level in problem.levels if level.pool == pool)
    mean = sum(
        float(weight) * float(np.nansum(_least(problem, path, factors))) for path, weight in enumerate(problem.weights)
    )
    return posed.fixed + mean


def _least(problem: Problem, path: int, factors: Floats) -> Floats:
    """`[j, t]`: the cheapest that any pool would serve it at."""
    dollars = [factor * problem.cost(path, pool) for pool, factor in enumerate(factors)]
    least: Floats = np.fmin.reduce(dollars)
    return least


def _cheapest_dollar(level: Level) -> float:
    return min((level.multiplier, *(tier.multiplier for tier in level.tiers)))


def _solved(question: Question, posed: Assembled, watch: Watch) -> Settled:
    found = optimise(posed.problem, question.risk, watch)
    return replace(_settled(question, posed, found.solution), method=found.method)


def _settled(question: Question, posed: Assembled, found: Solution) -> Settled:
    """With what a forced contract costs beside the search: its fees, and what of its commitment stays unused. Nothing
    costs less than those fees and all that is promised.
    """
    fixed, promised = posed.fixed, 0.0
    for number in posed.forced:
        pools = [pool for pool, channel in enumerate(posed.channels) if channel.offer == number]
        spent = sum(
            float(weight) * float(np.nansum(posed.problem.cost(path, pool) * found.share[:, pool, :]))
            for path, weight in enumerate(posed.problem.weights)
            for pool in pools
        )
        committed = float(question.table.openings[number].committed)
        fixed, promised = fixed + max(0.0, committed - spent), promised + committed
    return Settled(posed, found, found.cost + fixed, max(found.bound, promised) + posed.fixed)


def _without_tiers(problem: Problem) -> Problem:
    """Falling tiers at their mean multiplier over what the pool may serve: cuts over many paths need that."""
    return replace(problem, levels=tuple(_flat(problem, level) for level in problem.levels))


def _flat(problem: Problem, level: Level) -> Level:
    if not level.tiers:
        return level
    volume = sum(
        float(weight) * float(np.nansum(problem.cost(path, level.pool))) for path, weight in enumerate(problem.weights)
    )
    paid, start = 0.0, 0.0
    for tier in level.tiers:
        part = max(0.0, min(volume, tier.up_to) - start)
        paid, start = paid + part * tier.multiplier, tier.up_to
    return replace(level, tiers=(), multiplier=paid / volume if volume else level.tiers[0].multiplier)


def settle(question: Question, names: frozenset[str], forced: frozenset[int]) -> Settled | None:
    """What follows if exactly the levels of these names are signed; None where that leaves something unserved."""
    posed = assembled(question.table, question.paths, question.clouds, forced, question.peak)
    prepared = ready(posed.problem)
    levels, capacities = prepared.problem.levels, prepared.problem.capacities
    if not names <= {level.name for level in levels}:
        return None
    signing = np.array(
        [float(level.name in names) for level in levels] + [float(each.units_max) for each in capacities]
    )
    try:
        found = solution(prepared, question.risk, oracle_of(prepared.problem), signing, -np.inf)
    except InputError:
        return None
    return _settled(question, posed, found)


def alternatives(question: Question, chosen: Settled) -> Iterator[tuple[str, Settled]]:
    """Sign nothing, each level or reservation alone, and do without each rate card: what was not chosen, one by one."""
    open_table = _posed(question, frozenset()).problem
    names = frozenset(level.name for level in chosen.levels)
    others: list[tuple[str, frozenset[str], frozenset[int]]] = [("sign nothing", frozenset(), frozenset())]
    others += [(f"sign {each.name}", frozenset({each.name}), frozenset()) for each in open_table.levels]
    others += [
        (f"sign {question.table.offers[next(iter(forced))].name}", frozenset(), forced)
        for forced in _reservations(question.table)
        if len(forced) == 1
    ]
    for label, signed, forced in others:
        if (signed, forced) != (names, chosen.assembled.forced):
            found = settle(question, signed, forced)
            if found:
                yield label, found
    for number in sorted({route.offer for route in routes_of(chosen)} - set(chosen.signed)):
        if not question.table.offers[number].implied:
            found = settle(_without(question, number), names, chosen.assembled.forced)
            if found:
                yield f"without {question.table.offers[number].name}", found


def _without(question: Question, number: int) -> Question:
    """The same question with one offer off the table."""
    ways = {key: found for key, found in question.table.ways.items() if key[1] != number}
    return replace(question, table=replace(question.table, ways=ways))


def routes_of(settled: Settled, demand: Callable[[int, int], float] | None = None) -> list[Route]:
    """Where each part goes, in months of today's traffic. `demand` is the factor of (part, month); 1 where absent."""
    found = []
    posed, share = settled.assembled, settled.solution.share
    months = posed.problem.months
    for (part, pool), priced in sorted(posed.best.items()):
        parts = [float(share[part, pool, month]) for month in range(months)]
        if max(parts) < LEAST_SHARE:
            continue
        volumes = tuple(
            quantize(Decimal(repr(each * (demand(part, month) if demand else 1.0))), SHARE_PLACES)
            for month, each in enumerate(parts)
        )
        channel = posed.channels[pool]
        found.append(Route(part, channel.offer, priced.way, volumes, channel.reserved))
    return found
