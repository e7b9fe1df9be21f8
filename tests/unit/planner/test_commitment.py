"""How much to commit: closed forms against simulation, and the rules against each other."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import lognorm

from offtake.planner.commitment.curve import point
from offtake.planner.commitment.fractile import Deal, quantile
from offtake.planner.commitment.futures import Futures, futures
from offtake.planner.commitment.levels import choose
from offtake.planner.commitment.offer import Level, RatedOffer
from offtake.planner.commitment.pooling import pooling
from offtake.planner.commitment.prepay import break_even_discount, discount_of_bonus, prepayment
from offtake.planner.commitment.sizing import size
from offtake.planner.demand.series import Series

LOGNORMAL = {"mean": 1_500_000, "log_sd": 0.35}


def D(text: str) -> Decimal:  # noqa: N802 (reads like the literal that it stands for)
    return Decimal(text)


def series(*quantities: int | str | Decimal) -> Series:
    return Series("q", tuple(map(str, range(len(quantities)))), tuple(map(Decimal, quantities)), None)


def lognormal(count: int) -> list[Decimal]:
    """Evenly spread over the distribution, to a cent: no luck in it."""
    scale = LOGNORMAL["mean"] * np.exp(-(LOGNORMAL["log_sd"] ** 2) / 2)
    spread = lognorm.ppf((np.arange(count) + 0.5) / count, LOGNORMAL["log_sd"], scale=scale)
    return [Decimal(repr(float(each))).quantize(D("0.01")) for each in spread]


@pytest.mark.parametrize(
    ("discount", "beyond", "expected"),
    [("0.3", "0", "0.3"), ("0.2", "0", "0.2"), ("0.3", "0.1", "0.2222"), ("0.3", "0.3", "0"), ("0.1", "0.3", "0")],
)
def test_the_fractile(discount: str, beyond: str, expected: str) -> None:
    assert D(expected) == Deal(D(discount), D(beyond)).fractile.quantize(D("0.0001")).normalize()


@pytest.mark.parametrize(("discount", "beyond"), [("0.3", "0"), ("0.3", "0.1"), ("0.2", "0"), ("0.45", "0.05")])
def test_the_fractile_is_the_cheapest_on_a_simulated_year(discount: str, beyond: str) -> None:
    deal = Deal(D(discount), D(beyond))
    drawn = np.random.default_rng(5).lognormal(0.0, 0.5, 20_000)
    paid = 1 - float(deal.discount)
    grid = np.linspace(0.2, 2.0, 361)
    costs = [
        paid * q + (1 - float(deal.overage_discount)) * np.maximum(0, drawn - q).mean() for q in grid
    ]  # fmt: skip
    closed = lognorm.ppf(float(deal.fractile), 0.5)

    assert closed == pytest.approx(grid[int(np.argmin(costs))], abs=0.02)


def test_the_samples_best_is_the_populations_within_sampling_error() -> None:
    deal, count = Deal(D("0.3")), 4_000
    drawn = [Decimal(repr(each)) for each in np.random.default_rng(9).lognormal(0.0, 0.5, count).tolist()]
    true = lognorm.ppf(0.3, 0.5)
    sampling_error = np.sqrt(0.3 * 0.7 / count) / lognorm.pdf(true, 0.5)

    assert true == pytest.approx(float(deal.best(drawn)), abs=3 * sampling_error)


def test_a_quantile_is_the_smallest_demand_that_enough_periods_stay_at_or_below() -> None:
    demand = [Decimal(each) for each in (40, 10, 30, 20)]

    assert [0, 10, 10, 20, 40] == [int(quantile(demand, D(share))) for share in ("0", "0.01", "0.25", "0.26", "1")]


def test_the_cost_of_a_commitment() -> None:
    deal = Deal(D("0.3"), D("0.1"))

    assert D("0.7") * 200 + D("0.9") * 50 == deal.cost(Decimal(100), [Decimal(80), Decimal(150)])


def test_no_commitment_costs_one() -> None:
    assert 1 == Deal(D("0.3"), D("0.1")).relative_cost(Decimal(0), [Decimal(80), Decimal(150)])


def test_reserved_throughput_is_a_discount_that_ends_at_the_units() -> None:
    deal = Deal.reserved(Decimal(35), Decimal(50))

    assert D("0.3") == deal.fractile
    assert 200 == deal.best_in_units([Decimal(each) for each in (190, 230, 260, 410)], Decimal(100))


def test_coverage_and_utilisation() -> None:
    found = point(Deal(D("0.5")), [Decimal(50), Decimal(150)], Decimal(100))

    assert (D("0.75"), D("0.75"), D("0.5")) == (found.coverage, found.utilisation, found.share)
    assert D("0.75") == found.relative_cost  # (0.5 × 100 × 2 + 50) ÷ 200


def test_what_two_teams_leave_and_lack_evens_out() -> None:
    found = pooling([series(100, 0, 100, 0), series(0, 100, 0, 100)], Deal(D("0.2")))

    assert (D("1"), D("0.8"), D("0.2")) == (found.apart, found.together, found.gain)


def test_prepaying_a_year_of_even_use_at_ten_percent() -> None:
    assert D("0.049959") == break_even_discount(D("0.1"))
    assert D("0.0566") == discount_of_bonus(D("0.06")).quantize(D("0.0001"))


@pytest.mark.parametrize(("discount", "pays", "months"), [("0.05", True, 12), ("0.04", False, 9), ("0", False, 0)])
def test_prepaying_pays_above_the_break_even(discount: str, pays: bool, months: int) -> None:
    found = prepayment(D(discount), D("0.1"))

    assert (pays, months) == (found.pays, found.months_max)


@pytest.mark.parametrize(
    ("applies", "demand", "expected"),
    [
        ("all", 1_400_000, "1200500.00"),  # 20% off is 1.12 M: the floor holds, and the fee
        ("all", 1_600_000, "1280500.00"),
        ("all", 0, "1200500.00"),
        ("committed", 1_400_000, "1200500.00"),
        ("committed", 1_600_000, "1300500.00"),  # 1.2 M pays for 1.5 M at list, 0.1 M is at list
    ],
)
def test_a_level_is_rated(applies: str, demand: int, expected: str) -> None:
    offer = RatedOffer(Level(D("0.2"), Decimal(1_200_000), Decimal(500)), applies)  # type: ignore[arg-type]

    assert Decimal(expected) == offer.cost(Decimal(demand))


@pytest.mark.parametrize(("discount", "commitment"), [(0.1, 600_000), (0.2, 1_200_000), (0.3, 2_000_000)])
def test_the_expected_cost_of_a_level_is_the_integral(discount: float, commitment: float) -> None:
    level = Level(Decimal(str(discount)), Decimal(commitment))
    found = choose([level], "all", Futures(tuple(lognormal(400)), "")).levels[1]
    sd = LOGNORMAL["log_sd"]
    scale = LOGNORMAL["mean"] * np.exp(-(sd**2) / 2)
    floor_ends = commitment / (1 - discount)
    above, _ = quad(lambda x: (1 - discount) * x * lognorm.pdf(x, sd, scale=scale), floor_ends, 20 * scale)
    integral = commitment * lognorm.cdf(floor_ends, sd, scale=scale) + above

    assert integral == pytest.approx(float(found.expected), rel=1e-3)
    assert lognorm.cdf(floor_ends, sd, scale=scale) == pytest.approx(float(found.shortfall_share), abs=0.003)


def test_the_smaller_promise_wins_on_wide_demand() -> None:
    levels = [Level(D("0.18"), Decimal(900_000)), Level(D("0.2"), Decimal(1_500_000))]

    assert levels[0] == choose(levels, "all", Futures(tuple(lognormal(100)), "")).chosen.level


def test_no_commitment_is_among_the_choices() -> None:
    levels = [Level(D("0.1"), Decimal(3_000_000))]

    assert 0 == choose(levels, "all", Futures(tuple(lognormal(50)), "")).chosen.level.commitment


def test_a_long_history_speaks_for_itself_and_a_short_one_is_drawn() -> None:
    generator = np.random.default_rng(1)
    eight = futures(series(*range(1, 9)), 1, generator)
    seven = futures(series(*range(1, 8)), 1, generator)

    assert tuple(map(Decimal, range(1, 9))) == eight.demand
    assert "500 paths" in seven.source
    assert 500 == len(seven.demand)


def test_a_long_history_is_thinned_evenly() -> None:
    found = futures(series(*range(1_000)), 1, np.random.default_rng(1), paths=4)

    assert [125, 375, 625, 875] == [int(each) for each in found.demand]


def test_a_steady_history_is_committed_in_full() -> None:
    found = size(series(*[100] * 10), Deal(D("0.1")))

    assert ("fractile", Decimal(100)) == (found.rule, found.commitment)
    assert D("0.9") == found.backtest.trial("fractile").relative_cost


def test_what_would_have_lost_money_is_not_advised() -> None:
    falling = size(series(*[1_000] * 10, *[100] * 10), Deal(D("0.1")))

    assert ("none", Decimal(0)) == (falling.rule, falling.commitment)
    assert falling.backtest.trial("fractile").lost_money
    assert falling.backtest.trial("hedged").lost_money


def test_a_falling_level_is_hedged() -> None:
    found = size(series(*[100] * 10, *[60] * 10), Deal(D("0.15")))

    assert "hedged" == found.rule
    assert found.backtest.trial("fractile").lost_money
    assert found.commitment < found.backtest.trial("fractile").commitment
