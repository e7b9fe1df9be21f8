"""Possible futures: a level without trend, cases that happen, events that are known, prices that move both ways."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from offtake.planner.demand.draw import draw_paths, level_path
from offtake.planner.demand.events import Event
from offtake.planner.demand.growth import MEASURED, REFERENCE, growth_of, own_growth

CALM: dict[str, Any] = {"switched_off": 0.0, "tenfold": 0.0}


def drawn(seed: int = 1, **options: Any) -> NDArray[np.float64]:
    return draw_paths(np.random.default_rng(seed), {"chat": []}, **{"paths": 4_000, **CALM, **options}).demand


def test_the_level_has_no_trend() -> None:
    assert [1.0] * 12 == pytest.approx(np.median(drawn()[:, 0], axis=0), abs=0.1)


def test_the_first_month_has_the_measured_spread() -> None:
    low, high = np.quantile(drawn()[:, 0, 0], [0.2, 0.8])

    assert MEASURED[0.20] / MEASURED[0.50] == pytest.approx(low, rel=0.1)
    assert np.exp(np.interp(0.8, REFERENCE.shares, np.log(REFERENCE.ratios))) == pytest.approx(high, rel=0.05)


def test_the_spread_widens_with_the_square_root_of_the_months() -> None:
    demand = np.log(drawn()[:, 0])
    spread = np.quantile(demand, 0.8, axis=0) - np.quantile(demand, 0.2, axis=0)

    assert [2.0, 3.0] == pytest.approx([spread[3] / spread[0], spread[8] / spread[0]], rel=1e-6)


def test_eight_periods_of_its_own_are_used_and_seven_are_not() -> None:
    assert REFERENCE == growth_of([100, 110] * 3)
    assert "7 ratios of its own" == growth_of([100, 110] * 4).source


def test_growth_of_its_own_has_no_trend_either() -> None:
    doubling = own_growth([2.0**period for period in range(10)])

    assert {1.0} == set(doubling.ratios)


def test_a_history_without_volume_says_nothing() -> None:
    assert REFERENCE == growth_of([0.0] * 10)


def test_some_path_switches_off_and_some_path_takes_off() -> None:
    demand = drawn(paths=200, switched_off=0.05, tenfold=0.01)[:, 0]
    calm = drawn(paths=200)[:, 0]

    assert 10 == (demand[:, -1] == 0).sum()
    assert 2 == (demand[:, -1] > calm[:, -1] * 9.99).sum()


def test_workloads_share_a_part_of_their_luck() -> None:
    def correlation(together: float) -> float:
        generator = np.random.default_rng(2)
        demand = draw_paths(generator, {"a": [], "b": []}, paths=4_000, together=together, **CALM).demand
        return float(np.corrcoef(np.log(demand[:, :, 0]).T)[0, 1])

    assert 0.0 == pytest.approx(correlation(0.0), abs=0.05)
    assert 1.0 == pytest.approx(correlation(1.0))
    assert 0.2 < correlation(0.3) < 0.35


def test_one_seed_gives_one_set_of_paths() -> None:
    assert np.array_equal(drawn(7), drawn(7))
    assert not np.array_equal(drawn(7), drawn(8))


def test_prices_move_both_ways() -> None:
    prices = draw_paths(np.random.default_rng(1), {"chat": []}, ["openai", "anthropic"], paths=500).list_price

    assert (500, 2, 12) == prices.shape
    assert (prices > 1).any()
    assert (prices < 1).any()
    assert 1.0 == np.median(prices[:, :, 0])


def test_a_launch_arrives_in_equal_steps() -> None:
    launch = Event(kind="launch", workload="chat", month=2, factor=3, over_months=2)
    paths = level_path(["chat"], months=4, events=[launch])

    assert [1.0, 2.0, 3.0, 3.0] == paths.demand[0, 0].tolist()


def test_a_migration_moves_volume_and_loses_none() -> None:
    volumes = {"old": 50.0, "new": 100.0}
    event = Event(kind="migration", workload="old", month=2, share=0.5, to="new")
    paths = level_path(["old", "new"], months=3, events=[event], volumes=volumes)

    assert [1.0, 0.5, 0.5] == paths.demand[0, 0].tolist()
    assert [1.0, 1.25, 1.25] == paths.demand[0, 1].tolist()


def test_a_retirement_ends_a_workload() -> None:
    paths = level_path(["chat"], months=3, events=[Event(kind="retirement", workload="chat", month=3)])

    assert [1.0, 1.0, 0.0] == paths.demand[0, 0].tolist()


def test_an_event_that_may_happen_happens_in_its_share_of_paths() -> None:
    event = Event(kind="retirement", workload="chat", month=1, probability=0.25)

    assert 0.25 == pytest.approx((drawn(events=[event])[:, 0, 0] == 0).mean(), abs=0.03)


def test_weights_sum_to_one_and_names_stay() -> None:
    paths = draw_paths(np.random.default_rng(1), {"chat": [], "code": []}, ["openai"], paths=30, months=6)

    assert 1.0 == pytest.approx(paths.weights.sum())
    assert (("chat", "code"), ("openai",), 6) == (paths.workloads, paths.vendors, paths.months)
