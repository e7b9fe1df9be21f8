"""Where theory knows the answer, the optimisers must give it."""

from __future__ import annotations

import numpy as np
import pytest

from offtake.planner.offers.optimum import optimise
from offtake.planner.offers.problem import Capacity, Floats, Item, Level, Pool, Problem

POOLS = (Pool("list", "list"), Pool("direct", "direct"))


def one_item(demand: Floats, levels: tuple[Level, ...] = (), capacities: tuple[Capacity, ...] = ()) -> Problem:
    """One item at a dollar a unit everywhere; `demand[s, t]`."""
    paths = len(demand)
    return Problem(
        (Item("work"),), POOLS, np.ones((1, 2)), demand[:, None, :], np.ones((paths, 1, demand.shape[1])),
        np.full(paths, 1 / paths), levels, capacities,
    )  # fmt: skip


@pytest.mark.parametrize(("discount", "beyond"), [(0.2, 0.0), (0.3, 0.0), (0.3, 0.1)])
def test_where_the_discount_ends_at_the_commitment_commit_the_newsvendors_fractile(
    discount: float, beyond: float
) -> None:
    demand = np.sort(np.random.default_rng(7).lognormal(0, 0.5, 400)) * 1_000_000
    grid = np.quantile(demand, np.linspace(0.05, 0.65, 31))  # in list dollars; the commitment is what is paid for them
    levels = tuple(
        Level(
            f"commit {q:,.0f}", "direct", 1, q * (1 - discount),
            multiplier=1 - discount, overage=(1 - beyond) / (1 - discount),
        )
        for q in grid
    )  # fmt: skip
    best = optimise(one_item(demand[:, None], levels), gap=1e-6, method="benders").solution
    fractile = float((demand <= grid[best.sign[0]]).mean())
    expected = (discount - beyond) / (1 - beyond)

    assert expected == pytest.approx(fractile, abs=0.01 + 3 / 400)  # half a step of the grid, and a few draws


def test_an_inf_overage_spills_to_list_as_an_overage_at_list_price_does() -> None:
    demand = np.random.default_rng(8).lognormal(0, 0.5, (40, 3)) * 1_000
    costs = [
        optimise(
            one_item(demand, (Level("direct", "direct", 1, 2_000, multiplier=0.8, overage=overage),))
        ).solution.cost
        for overage in (1 / 0.8, np.inf)
    ]

    assert costs[0] == pytest.approx(costs[1], rel=1e-9)


def test_where_the_rate_card_covers_all_usage_a_level_costs_the_larger_of_promise_and_use() -> None:
    demand = np.random.default_rng(9).lognormal(0, 0.5, (300, 1)) * 1_000
    offered = {200.0: 0.1, 700.0: 0.2, 1_500.0: 0.3}
    levels = tuple(Level(f"{c}", "direct", 1, c, multiplier=1 - d) for c, d in offered.items())
    choices = optimise(one_item(demand, levels), method="enumerate").choices
    by_level = {choice.sign: choice.mean for choice in choices}

    for index, (commitment, discount) in enumerate(offered.items()):
        usual = np.maximum(commitment, np.minimum((1 - discount) * demand, commitment + demand)).mean()
        assert usual == pytest.approx(by_level[index,], rel=1e-9)
    assert demand.mean() == pytest.approx(by_level[()], rel=1e-9)


@pytest.mark.parametrize("hourly", [0.3, 0.5, 0.7])
def test_reserve_up_to_the_load_quantile_of_one_minus_price_over_price(hourly: float) -> None:
    load = np.random.default_rng(10).lognormal(3, 0.6, (1, 400))  # 400 periods: the load curve
    problem = one_item(load, capacities=(Capacity("reserved", "direct", 1, hourly * 400, 1.0, np.ones(1), 150),))
    problem.unit_cost[0, 1] = 0.0  # what is reserved has no price by use
    units = optimise(problem, gap=1e-9, method="exact").solution.units[0]

    # Units are whole: the fractile lies between the loads of one unit less and one more.
    assert (load <= units - 1).mean() <= 1 - hourly <= (load <= units + 1).mean()
