"""A level forecast: what is still to come if usage goes on as it has, with a range. No trend.

On real demand, growth that is drawn on into the future misses by more than a plain level does, so none is drawn. The
level is the mean of the recent past; the range says how far the rest of a window may lie from it:

    rest = mean × h ± t × s × √(h + h²/n)

with h periods to come, n periods seen, s their spread and t Student's quantile for 80%. The first term under the root
is the chance of the days to come, the second that of the mean itself. Periods are weeks where four or more are whole,
else days. Eight weeks are looked at. The range is honest about chance only: a launch, a migration or a workload that is
switched off is in no history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce

from offtake.values.money import ROUNDING, ZERO, divide, quantize, total

WEEKS_MAX = 8
WEEKS_MIN = 4
DAYS_MIN = 7
STUDENT_80 = {3: Decimal("1.638"), 4: Decimal("1.533"), 5: Decimal("1.476"), 6: Decimal("1.440"), 7: Decimal("1.415")}
"""Two-sided 80% quantiles by degrees of freedom; beyond 7 days that of 6 serves, which is wider."""


@dataclass(frozen=True, slots=True)
class Range:
    """Low, middle and high."""

    low: Decimal
    mid: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Level:
    """What one period of `days` days brings: the mean of `seen` periods, and their spread (None for too few)."""

    days: int
    seen: int
    mean: Decimal
    spread: Decimal | None

    def rest(self, days: Decimal, places: int) -> Range:
        """What so many further days bring, never below zero, at so many decimal places."""
        h = divide(days, self.days)
        mid = ROUNDING.multiply(self.mean, h)
        far = ZERO
        if self.spread is not None:
            chance = ROUNDING.add(h, divide(ROUNDING.multiply(h, h), self.seen))
            far = ROUNDING.multiply(ROUNDING.multiply(self.spread, self._quantile), ROUNDING.sqrt(chance))
        values = (ROUNDING.subtract(mid, far), mid, ROUNDING.add(mid, far))
        low, mid, high = (quantize(max(ZERO, value), places) for value in values)
        return Range(low, mid, high)

    @property
    def _quantile(self) -> Decimal:
        return STUDENT_80[self.seen - 1] if self.days > 1 else STUDENT_80[6]

    def __str__(self) -> str:
        unit = "week" if self.days > 1 else "day"
        return f"the mean of {self.seen} {unit}{'' if self.seen == 1 else 's'}"


def level(by_day: Mapping[date, Decimal], first: date, until: date) -> Level | None:
    """The level of the days from `first` on and before `until`, None for no days. A day that is not named is empty."""
    start = max(first, until - timedelta(weeks=WEEKS_MAX))
    days = [by_day.get(start + timedelta(days=index), ZERO) for index in range((until - start).days)]
    if not days:
        return None
    weeks = len(days) // 7
    if weeks >= WEEKS_MIN:
        recent = days[len(days) - 7 * weeks :]
        return _level(7, [total(recent[index : index + 7]) for index in range(0, len(recent), 7)])
    return _level(1, days)


def _level(days: int, periods: Sequence[Decimal]) -> Level:
    seen = len(periods)
    mean = divide(total(periods), seen)
    if days == 1 and seen < DAYS_MIN:
        return Level(days, seen, mean, None)
    squares = [ROUNDING.power(ROUNDING.subtract(period, mean), 2) for period in periods]
    summed = reduce(ROUNDING.add, squares, ZERO)
    return Level(days, seen, mean, ROUNDING.sqrt(divide(summed, seen - 1)))
