"""What a window still draws: the level of its days where nothing moves, wider with time, none where it is retired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from offtake.planner.commitment.draws import MONTH, PERMILLE, Rest, still_drawn
from offtake.planner.demand.draw import SWITCHED_OFF
from offtake.planner.demand.events import Event
from offtake.planner.demand.series import Series
from offtake.values.periods import Interval

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def rests(days: int, *events: Event, ahead: timedelta = timedelta(days=45), places: int = 3) -> tuple[Rest, ...]:
    """Of so many days of 10 each."""
    series = Series("spend", tuple(map(str, range(days))), (Decimal(10),) * days, "day")
    found, _ = still_drawn(series, Interval(NOW, NOW + ahead), np.random.default_rng(0), events, places=places)
    return found


def test_a_level_demand_draws_its_level_until_the_end() -> None:
    found = rests(
        300
    )  # ten months that are all alike: no growth of its own, so only the two cases are beside the level

    middle = [rest.amounts[PERMILLE.index(500)] for rest in found]

    assert [NOW, NOW + MONTH] == [rest.at for rest in found]
    assert [Decimal("450.000"), Decimal("145.625")] == middle
    assert found[1].amounts[0] == 0 < found[1].amounts[PERMILLE.index(round(1_000 * SWITCHED_OFF) + 50)]


@pytest.mark.parametrize("days", [1, 6, 20, 400])
def test_amounts_rise_with_the_share_and_fall_with_time(days: int) -> None:
    found = rests(days, ahead=timedelta(days=300))

    assert 10 == len(found)
    assert all(list(rest.amounts) == sorted(rest.amounts) for rest in found)
    assert all(list(at) == sorted(at, reverse=True) for at in zip(*(rest.amounts for rest in found), strict=True))


def test_a_retirement_draws_nothing_more_and_a_last_second_next_to_nothing() -> None:
    retired = Event(kind="retirement", workload="demand", month=1)

    assert {Decimal(0)} == set(rests(30, retired)[0].amounts)
    assert max(rests(30, ahead=timedelta(seconds=1), places=2)[0].amounts) <= Decimal("0.01")
