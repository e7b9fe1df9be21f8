"""What a window of demand may come to: the windows of a long history, else paths drawn from its level and growth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from offtake.planner.demand.bands import Bands, bands
from offtake.planner.demand.draw import draw_paths
from offtake.planner.demand.events import Event
from offtake.planner.demand.forecast import growth_history, level
from offtake.planner.demand.growth import OWN_POINTS_MIN, growth_of
from offtake.planner.demand.series import ROWS_PER_YEAR, Series
from offtake.values.money import divide, quantize

if TYPE_CHECKING:
    import numpy as np

FUTURES_MAX = 500
_CENTS = 2
WORKLOAD = "demand"
"""What events call the demand of a series."""


@dataclass(frozen=True, slots=True)
class Futures:
    """Equally likely amounts of demand in the next window, ascending; `source` says where they come from.

    `months` are the bands of demand month by month, where paths were drawn.
    """

    demand: tuple[Decimal, ...]
    source: str
    months: Bands | None = None

    def at(self, share: Decimal) -> Decimal:
        """The smallest that at least this share of futures stays at or below."""
        rank = int((share * len(self.demand)).to_integral_value(ROUND_CEILING))
        return self.demand[max(rank, 1) - 1]


def futures(
    series: Series, window: int, generator: np.random.Generator, events: Sequence[Event] = (), paths: int = FUTURES_MAX
) -> Futures:
    """The futures of the next `window` rows.

    A history of eight windows or more speaks for itself, thinned evenly by size to at most 500. A shorter one gives its
    level and its growth; without a calendar a window counts as one month. Events (of the workload `demand`, in months
    from now) need paths, so with them paths are drawn in any case.
    """
    history = series.windows(window)
    if len(history) >= OWN_POINTS_MIN and not events:
        return Futures(_thinned(sorted(history), paths), f"{len(history)} windows of the history")
    months = max(1, -(-12 * window // ROWS_PER_YEAR[series.grain])) if series.grain else 1
    known = growth_history(series)
    drawn = draw_paths(generator, {WORKLOAD: known}, months=months, paths=paths, events=events)
    monthly = divide(level(series) * window, months)
    factors = drawn.demand[:, 0, :].sum(axis=1)
    totals = sorted(quantize(Decimal(repr(float(factor))) * monthly, _CENTS) for factor in factors)
    source = f"{paths} paths from the level of the last periods and {growth_of(known).source}"
    return Futures(tuple(totals), source, bands(drawn, [float(monthly)]))


def _thinned(ordered: Sequence[Decimal], most: int) -> tuple[Decimal, ...]:
    if len(ordered) <= most:
        return tuple(ordered)
    return tuple(ordered[(2 * rank + 1) * len(ordered) // (2 * most)] for rank in range(most))
