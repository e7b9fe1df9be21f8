"""Around the optimum: what cannot be bought is named before any solver runs, and a search can be stopped."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from offtake.planner.offers.optimum import Method, optimise
from offtake.planner.offers.problem import Capacity, Level, Problem, Risk, Tier, Watch
from offtake.planner.offers.ready import ready
from offtake.values.errors import InputError
from tests.unit.planner.offers.small_problems import small_problem

SOLVERS: tuple[Method, ...] = ("exact", "benders", "enumerate")


def plain(**changes: object) -> Problem:
    return replace(small_problem(3, paths=4, plain=True), **changes)  # type: ignore[arg-type]


def without(problem: Problem, item: int, pools: list[int]) -> Problem:
    unit_cost = problem.unit_cost.copy()
    unit_cost[item, pools] = np.nan
    return replace(problem, unit_cost=unit_cost)


def refused(problem: Problem, method: Method = "auto") -> InputError:
    with pytest.raises(InputError) as caught:
        optimise(problem, method=method)
    return caught.value


def test_negative_demand_is_refused() -> None:
    assert "P650" == refused(plain(demand=-plain().demand)).code


def test_weights_that_do_not_add_to_one_are_refused() -> None:
    assert "P650" == refused(plain(weights=np.ones(4))).code


@pytest.mark.parametrize("method", SOLVERS)
def test_an_item_that_no_pool_may_serve_is_named(method: Method) -> None:
    error = refused(without(plain(), 2, list(range(6))), method)

    assert "P651" == error.code
    assert "item 2" in str(error)


def test_an_item_that_only_a_closed_level_may_serve_is_named_with_the_gate() -> None:
    problem = without(plain(), 1, [0, 1, 2])
    levels = tuple(replace(level, gate=1e12) for level in problem.levels)
    error = refused(replace(problem, levels=levels))

    assert "P651" == error.code
    assert "opens at 1,000,000,000,000 dollars" in str(error)


@pytest.mark.parametrize("method", SOLVERS)
def test_an_item_without_a_free_pool_is_signed_for(method: Method) -> None:
    problem = without(plain(levels=plain().levels[:2]), 0, [0, 1, 2, 4, 5])
    problem.unit_cost[0, 3] = 1_000.0
    problem = replace(problem, levels=tuple(replace(level, overage=1.1) for level in problem.levels))
    solution = optimise(problem, method=method).solution

    assert 1 == len(solution.sign)
    assert 1.0 == pytest.approx(solution.share[0, 3].max())


@pytest.mark.parametrize("method", SOLVERS)
def test_a_limit_that_leaves_an_item_unserved_is_named(method: Method) -> None:
    problem = without(plain(levels=plain().levels[:1]), 0, [0, 1, 2, 4, 5])
    problem.unit_cost[0, 3] = 1_000.0
    error = refused(replace(problem, levels=(Level("small", "direct", 3, 10.0, overage=np.inf),)), method)

    assert "P652" == error.code
    assert "only small may serve it" in str(error)


def test_items_that_need_two_levels_of_one_offer_are_named() -> None:
    problem = without(without(plain(), 0, [0, 1, 2, 4, 5]), 1, [0, 1, 2, 3, 5])
    problem.unit_cost[[0, 1], [3, 4]] = 100.0
    levels = (Level("low", "direct", 3), Level("high", "direct", 4))

    assert {"P654"} == {refused(replace(problem, levels=levels), method).code for method in SOLVERS}


def test_too_many_ways_to_try_are_refused_where_a_table_is_asked_for() -> None:
    levels = tuple(Level(f"direct {n}", f"direct {n}", 3) for n in range(4))

    assert "P653" == refused(plain(levels=levels), "enumerate").code


def test_a_gate_out_of_reach_closes_a_level_and_says_so() -> None:
    levels = tuple(replace(level, gate=1e12) for level in plain().levels)
    solution = optimise(plain(levels=levels)).solution

    assert () == solution.sign
    assert {level.name for level in levels} == set(solution.closed)


def test_indices_of_what_is_signed_are_those_of_the_problem_though_levels_are_closed() -> None:
    cheap = Level("cheap", "direct", 5, multiplier=0.01)
    levels = (Level("shut", "other", 3, gate=1e12), cheap)
    problem = plain(levels=levels)
    problem.unit_cost[:, 5] = 100.0

    assert [(1,)] * 3 == [optimise(problem, method=method).solution.sign for method in SOLVERS]


@pytest.mark.parametrize("method", SOLVERS)
def test_a_stopped_search_gives_a_plan_with_its_gap(method: Method) -> None:
    solution = optimise(plain(), watch=Watch(stop=lambda: True), method=method).solution

    assert solution.stopped
    assert solution.cost >= solution.bound
    assert np.isfinite(solution.cost)


def test_progress_is_told_in_dollars_and_seconds() -> None:
    told: list[tuple[float, float, float]] = []
    watch = Watch(progress=lambda *values: told.append(values), seconds=lambda: 2.5)
    solution = optimise(plain(), watch=watch, method="benders").solution

    assert 2.5 == told[-1][2]
    assert solution.cost == pytest.approx(told[-1][0])
    assert all(bound <= best * (1 + 1e-9) for best, bound, _ in told)


def test_ctrl_c_inside_the_solver_comes_out_as_ctrl_c() -> None:
    def stop() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimise(small_problem(4, paths=3), watch=Watch(stop=stop), method="exact")


def test_falling_tiers_are_never_left_to_cuts() -> None:
    tiers = (Tier(10_000, 1.0), Tier(np.inf, 0.5))
    problem = plain(levels=(Level("tiered", "direct", 3, tiers=tiers),))

    assert "exact" == optimise(problem, method="benders").method


@pytest.mark.parametrize("method", SOLVERS)
@pytest.mark.parametrize("seed", range(4))
def test_a_plan_routes_all_demand_and_its_paths_make_its_cost(seed: int, method: Method) -> None:
    problem = small_problem(40 + seed, paths=3, offers=2)
    solution = optimise(problem, Risk(0.0), method=method).solution
    served = solution.share.sum(axis=1)

    assert served[problem.demand.sum(axis=0) > 0] == pytest.approx(1.0)
    assert solution.cost == pytest.approx(problem.weights @ solution.path_costs)
    assert solution.share.shape == (len(problem.items), len(problem.pools), problem.months)


def test_every_offer_has_words_for_what_holds_it() -> None:
    problem = small_problem(1, paths=3)
    solution = optimise(problem).solution
    offers = {level.offer for level in problem.levels} | {capacity.offer for capacity in problem.capacities}

    assert offers == set(solution.binding)
    assert all(solution.binding.values())


def test_a_problem_without_offers_goes_to_the_cheapest_free_pool() -> None:
    problem = plain(levels=())
    solution = optimise(problem).solution
    # The pools of the levels that were taken away are free now.
    dollars = np.stack([[problem.cost(s, p) for p in range(6)] for s in range(4)])

    assert solution.cost == pytest.approx(problem.weights @ np.nanmin(dollars, axis=1).sum(axis=(1, 2)))


def test_capacity_is_bought_in_whole_units() -> None:
    capacity = Capacity("reserved", "direct 0", 3, 10.0, 5.0, np.ones(4), 7)
    problem = plain(levels=(), capacities=(capacity,))
    problem.unit_cost[:, 3] = 0.0

    assert (7,) == optimise(problem).solution.units
    assert () == ready(problem).problem.levels
