"""The optimisers against each other, and against a program that shares no line with them."""

from __future__ import annotations

from itertools import count

import pytest

from offtake.planner.offers.benders import solve_benders
from offtake.planner.offers.enumerate import solve_all
from offtake.planner.offers.milp import solve_exact
from offtake.planner.offers.problem import Risk
from offtake.planner.offers.programs import convex
from offtake.planner.offers.ready import ready
from tests.unit.planner.offers.reference_model import reference_cost
from tests.unit.planner.offers.small_problems import small_problem

CENT = 0.01
AVERSE = Risk(0.5, 0.8)


@pytest.mark.parametrize("seed", range(50))
def test_the_whole_model_costs_what_an_independent_one_costs_to_the_cent(seed: int) -> None:
    problem, risk = small_problem(seed, paths=1 + seed % 3), AVERSE if seed % 2 else Risk()

    assert reference_cost(problem, risk) == pytest.approx(solve_exact(ready(problem), risk).cost, abs=CENT)


@pytest.mark.parametrize("seed", range(10))
def test_cuts_by_sorts_find_the_optimum_of_the_whole_model(seed: int) -> None:
    prepared, risk = ready(small_problem(100 + seed, paths=8, plain=True)), AVERSE if seed % 2 else Risk()

    assert solve_exact(prepared, risk).cost == pytest.approx(solve_benders(prepared, risk, gap=1e-9).cost, abs=CENT)


@pytest.mark.parametrize("seed", range(10))
def test_cuts_by_programs_find_the_optimum_of_the_whole_model(seed: int) -> None:
    problems = (small_problem(200 + seed + 10 * again, paths=5) for again in count())
    prepared = ready(next(problem for problem in problems if convex(problem)))
    risk = AVERSE if seed % 2 else Risk()

    assert solve_exact(prepared, risk).cost == pytest.approx(solve_benders(prepared, risk, gap=1e-9).cost, abs=CENT)


@pytest.mark.parametrize("seed", range(10))
def test_trying_everything_finds_the_same_optimum(seed: int) -> None:
    prepared, risk = ready(small_problem(300 + seed, paths=4, offers=2)), AVERSE if seed % 2 else Risk()
    best, choices = solve_all(prepared, risk)

    assert solve_exact(prepared, risk).cost == pytest.approx(best.cost, abs=CENT)
    assert best.cost == pytest.approx(choices[0].cost, abs=CENT)
