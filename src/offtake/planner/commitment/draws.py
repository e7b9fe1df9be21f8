"""What a commitment's open window will still draw: paths of demand, from what its days have drawn under the contract.

The same level, growth and events that say how much to commit. The rest of the window is told from now and from each
month ahead, so that whoever reads it later takes the part that is left.

Example: 10 a day, 45 days left, every path level: 450 from now, 145.625 from the second month (of 30.4375 days) on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from offtake.planner.demand.series import Series
from offtake.values.money import quantize
from offtake.values.periods import Interval

if TYPE_CHECKING:
    import numpy as np

    from offtake.planner.demand.events import Event

DAY, MONTH = timedelta(days=1), timedelta(days=30, hours=10, minutes=30)
PERMILLE = tuple(range(50, 1_000, 50))
PATHS = 500


@dataclass(frozen=True, slots=True)
class Rest:
    """From `at` until the window ends, at most `amounts[i]` is drawn in `PERMILLE[i]` of a thousand futures."""

    at: datetime
    amounts: tuple[Decimal, ...]


def still_drawn(
    days: Series, ahead: Interval, generator: np.random.Generator, events: Sequence[Event] = (), *, places: int
) -> tuple[tuple[Rest, ...], str]:
    """The rest of a window (`ahead`: from now until its end) now and from each month on, and what it was made from.

    `days` is what each day has drawn, in the unit of the commitment; amounts have so many decimal places. Events are of
    the workload `demand`, in months from now.
    """
    import numpy as np

    from offtake.planner.commitment.futures import WORKLOAD
    from offtake.planner.demand.bands import quantile
    from offtake.planner.demand.draw import draw_paths
    from offtake.planner.demand.forecast import growth_history, level
    from offtake.planner.demand.growth import growth_of

    starts = [ahead.start + MONTH * month for month in range(max(1, -((ahead.start - ahead.end) // MONTH)))]
    lengths = [min(MONTH, ahead.end - start) / DAY for start in starts]
    daily, known = level(days), growth_history(days)
    drawn = draw_paths(generator, {WORKLOAD: known}, months=len(starts), paths=PATHS, events=events)
    level_days = drawn.demand[:, 0, :] * np.array(lengths)
    rest = np.cumsum(level_days[:, ::-1], axis=1)[:, ::-1]  # [path, month]: days at the level, from then on
    shares = np.array([quantile(rest, drawn.weights, permille / 1_000) for permille in PERMILLE])
    found = tuple(
        Rest(start, tuple(quantize(Decimal(repr(each)) * daily, places) for each in column))
        for start, column in zip(starts, shares.T.tolist(), strict=True)
    )
    return found, f"{PATHS} paths from the level of the last weeks and {growth_of(known).source}"
