"""All that could be signed, one after the other, for up to three offers: the optimum, and a table of regret."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

import numpy as np

from offtake.planner.offers.milp import cheapest_signing
from offtake.planner.offers.oracle import oracle_of
from offtake.planner.offers.outcome import fixed_costs, solution
from offtake.planner.offers.problem import Floats, Problem, Risk, Solution, Watch
from offtake.planner.offers.ready import Ready
from offtake.planner.offers.regret import Choice, table
from offtake.values.errors import InputError

OFFERS_MAX = 3
WAYS_MAX = 1_000


def few(problem: Problem) -> bool:
    """Whether all that could be signed can be tried."""
    offers = {level.offer for level in problem.levels} | {capacity.offer for capacity in problem.capacities}
    return len(offers) <= OFFERS_MAX and ways(problem) <= WAYS_MAX


def solve_all(
    prepared: Ready, risk: Risk | None = None, watch: Watch | None = None
) -> tuple[Solution, tuple[Choice, ...]]:
    """The best plan and every choice, cheapest first. Raises InputError (P653) where there are too many to try."""
    risk, watch, problem = risk or Risk(), watch or Watch(), prepared.problem
    if not few(problem):
        raise InputError(
            "P653", f"{ways(problem):,} ways to sign are too many to try one by one",
            why=f"a table of regret is made for up to {OFFERS_MAX} offers and {WAYS_MAX:,} ways",
            hint="give fewer offers, or ask for the optimum without a table",
        )  # fmt: skip
    oracle = oracle_of(problem)
    cheapest_signing(prepared)  # refuses where nothing serves all
    fixed, complete = fixed_costs(problem), True
    tried: list[Floats] = []
    costs: list[Floats] = []
    for signing in _signings(prepared):
        reply = oracle.reply(signing, watch if tried else Watch(), cuts=False)
        if reply is None:
            complete = False
            break
        tried.append(signing)
        costs.append(reply.costs + fixed @ signing)
        if len(tried) % 10 == 0:
            watch.progress(min(float(problem.weights @ row) for row in costs), -np.inf, watch.seconds())
    count = len(problem.levels)
    named = [
        (tuple(prepared.kept[index] for index in np.flatnonzero(z[:count])), tuple(int(n) for n in z[count:]))
        for z in tried
    ]
    choices = table(risk, problem.weights, named, np.array(costs))
    best = tried[named.index((choices[0].sign, choices[0].units))]
    bound = choices[0].cost if complete else 0.0
    reply = oracle.reply(best, Watch()) if complete else None
    return solution(prepared, risk, oracle, best, bound, not complete, reply), choices


def ways(problem: Problem) -> int:
    """How many ways to sign there are."""
    levels = [len(indices) + 1 for indices in problem.offers.values()]
    return prod([*levels, *(capacity.units_max + 1 for capacity in problem.capacities)])


def _signings(prepared: Ready) -> Iterator[Floats]:
    """Every signing that serves all: at most one level an offer, any number of units; first what signs nothing."""
    problem = prepared.problem
    count = len(problem.levels)
    levels = [(None, *indices) for indices in problem.offers.values()]
    units = [range(capacity.units_max + 1) for capacity in problem.capacities]
    for chosen in product(*levels):
        for bought in product(*units):
            signing = np.zeros(count + len(bought))
            signing[[index for index in chosen if index is not None]] = 1.0
            signing[count:] = bought
            if all(
                signing[list(covering)].any() or signing[[count + index for index in capacities]].any()
                for covering, capacities in prepared.cover
            ):
                yield signing
