"""How many months usage stands for: the one rule by which a month is made of what was seen.

Whole calendar months count as such; other usage counts its days, and up to two days of it, as a trace has, the time
from its first row to the end of its last. Who knows better says how many months it is.

    2 January to 30 March       three months
    1 to 10 June                10 days of 30.4375: 0.3285 months
    14:00 to 14:59, by minute   one hour of 730.5
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from offtake.rating.source import Survey
from offtake.values.errors import InputError
from offtake.values.money import divide

MONTH = timedelta(days=30, hours=10, minutes=30)  # 365.25 days ÷ 12
ROW_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
DAY, TRACE_DAYS_MAX, EDGE_DAYS = ROW_LENGTHS["day"], 2, 2
INSTANT, MICROSECOND = timedelta(0), timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Usage from `first` to `last`, UTC, the time that it covers, and the months that it stands for."""

    first: datetime
    last: datetime
    covers: timedelta
    months: Fraction

    @property
    def per_month(self) -> Decimal:
        """What was seen × this is a month."""
        return divide(Decimal(self.months.denominator), self.months.numerator)

    @property
    def words(self) -> str:
        """As it is said: `(31 days) × 1.0000 is a month`."""
        return f"({_long(self.covers)}) × {self.per_month:,.4f} is a month"


def stretch_of(survey: Survey, months: Fraction | None = None) -> Stretch:
    """The stretch of usage that is not empty; `months` is how many it stands for, where that is said.

    InputError P663 where all of it is at one instant and nobody says how long that is.
    """
    first, last = survey.first, survey.last
    if first is None or last is None:
        raise ValueError("usage without a row covers nothing")
    days = (last.date() - first.date()).days + 1
    longest = max((ROW_LENGTHS.get(lane.grain, INSTANT) for lane in survey.lanes), default=INSTANT)
    covers = days * DAY if days > TRACE_DAYS_MAX else last - first + longest
    if months is None and _begins_and_ends_with_months(first, last):
        months = Fraction((last.year - first.year) * 12 + last.month - first.month + 1)
    if months is None and not covers:
        raise InputError(
            "P663", "all of the usage is at one instant, so a month of it is not known",
            hint="say how many months it stands for: --months 1",
        )  # fmt: skip
    return Stretch(first, last, covers, months or Fraction(covers // MICROSECOND, MONTH // MICROSECOND))


def _begins_and_ends_with_months(first: datetime, last: datetime) -> bool:
    left = monthrange(last.year, last.month)[1] - last.day
    return first.day <= 1 + EDGE_DAYS and left <= EDGE_DAYS


def _long(covers: timedelta) -> str:
    """How long, in the unit that fits."""
    if not covers:
        return "one instant"
    hours = divide(Decimal(covers // MICROSECOND), ROW_LENGTHS["hour"] // MICROSECOND)
    if hours >= 48:
        return f"{covers // DAY:,} days"
    return f"{hours:,.1f} hours" if hours >= 2 else f"{hours * 60:,.0f} minutes"
