"""The rules on demand that nobody here made: two production weeks of three models, one to fit and one to judge."""

from __future__ import annotations

import os
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from offtake.planner.commitment.fractile import Deal
from offtake.planner.commitment.sizing import Sizing, size
from offtake.planner.demand.series import Series, read_series
from offtake.usage.rows import TextSource

DATA = Path(os.environ["OFFTAKE_DATA"]) if "OFFTAKE_DATA" in os.environ else None
HOURS_A_WEEK = 168

# Hourly commitment, overage at list. (series, discount): what the rule would have paid in the second week, no
# commitment being 1, for the fractile and for the hedged rule; the advice; what the best one with hindsight pays.
FIGURES = {
    ("m-large", "10%"): ("1.0137", "0.9582", "hedged", "0.9577"),
    ("m-large", "15%"): ("0.9841", "0.9327", "fractile", "0.9327"),
    ("m-large", "20%"): ("0.9522", "0.9043", "fractile", "0.9043"),
    ("m-large", "30%"): ("0.8770", "0.8403", "fractile", "0.8381"),
    ("m-large", "40%"): ("0.7906", "0.7723", "fractile", "0.7641"),
    ("m-mid", "10%"): ("0.9881", "0.9935", "fractile", "0.9880"),
    ("m-mid", "15%"): ("0.9608", "0.9742", "fractile", "0.9557"),
    ("m-mid", "20%"): ("0.9293", "0.9494", "fractile", "0.9180"),
    ("m-mid", "30%"): ("0.8626", "0.8867", "fractile", "0.8311"),
    ("m-mid", "40%"): ("0.7863", "0.8015", "fractile", "0.7341"),
    ("m-small", "10%"): ("0.9561", "0.9708", "fractile", "0.9514"),
    ("m-small", "15%"): ("0.9260", "0.9485", "fractile", "0.9182"),
    ("m-small", "20%"): ("0.8901", "0.9209", "fractile", "0.8813"),
    ("m-small", "30%"): ("0.8182", "0.8491", "fractile", "0.8005"),
    ("m-small", "40%"): ("0.7266", "0.7583", "fractile", "0.7121"),
}
CASES = list(FIGURES)


@cache
def two_weeks() -> dict[str, Series]:
    if DATA is None:
        pytest.skip("OFFTAKE_DATA does not name the folder of the published traces")
    path = DATA / "servegen_hourly_requests.csv"
    names = [f"language/{name}" for name in ("m-large", "m-mid", "m-small")]
    source = TextSource(path.name, path.read_text().splitlines(keepends=True))
    return {series.name.removeprefix("language/"): series for series in read_series(source, names)}


def share(discount: str) -> Decimal:
    return Decimal(discount.rstrip("%")).scaleb(-2)


def sized(name: str, discount: str, window: int = 1) -> Sizing:
    return size(two_weeks()[name], Deal(share(discount)), window=window)


@pytest.mark.parametrize(("name", "discount"), CASES)
def test_the_figures(name: str, discount: str) -> None:
    found = sized(name, discount)
    costs = [str(found.backtest.trial(rule).relative_cost) for rule in ("fractile", "hedged")]

    assert (HOURS_A_WEEK, HOURS_A_WEEK) == (found.backtest.fitted_windows, found.backtest.judged_windows)
    assert FIGURES[name, discount] == (*costs, found.rule, str(found.backtest.best_relative_cost))


@pytest.mark.parametrize(("name", "discount"), CASES)
def test_the_advice_would_not_have_lost_money(name: str, discount: str) -> None:
    found = sized(name, discount)

    assert found.commitment > 0
    assert found.backtest.trial(found.rule).relative_cost <= 1


@pytest.mark.parametrize("window", [1, 24, HOURS_A_WEEK], ids=["hour", "day", "week"])
@pytest.mark.parametrize(("name", "discount"), [case for case in CASES if case[1] != "10%"])
def test_from_fifteen_percent_the_plain_fractile_never_loses_at_any_grain(
    name: str, discount: str, window: int
) -> None:
    assert sized(name, discount, window).backtest.trial("fractile").relative_cost <= 1


@pytest.mark.parametrize("window", [1, 24, HOURS_A_WEEK], ids=["hour", "day", "week"])
@pytest.mark.parametrize(("name", "discount"), [case for case in CASES if case[1] in ("30%", "40%")])
def test_the_fractile_captures_a_third_of_the_saving_of_perfect_knowledge(
    name: str, discount: str, window: int
) -> None:
    assert sized(name, discount, window).backtest.trial("fractile").saving_captured >= Decimal("0.3")


@pytest.mark.parametrize(("name", "discount"), [case for case in CASES if case[1] != "10%"])
def test_one_week_alone_is_enough_to_advise_on_the_next(name: str, discount: str) -> None:
    quantities = two_weeks()[name].quantities
    first = Series(name, tuple(map(str, range(HOURS_A_WEEK))), quantities[:HOURS_A_WEEK], None)
    deal = Deal(share(discount))

    assert deal.relative_cost(size(first, deal).commitment, quantities[HOURS_A_WEEK:]) <= 1


@pytest.mark.parametrize("name", ["m-large"])
def test_committing_the_average_loses_where_the_fractile_does_not(name: str) -> None:
    found = sized(name, "20%").backtest

    assert found.trial("fractile").relative_cost < 1 < found.average_relative_cost
