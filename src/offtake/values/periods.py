"""Half-open intervals and the windows of a contract: billing periods, quarters, contract years.

A window boundary is a local midnight in the contract's time zone, kept as a UTC instant, so that a month with a
change to summer time is an hour short and its days still add up. Windows count from an origin date; in a month that
lacks its day the window starts on the last day (an anchor of 31 gives 30 April), always from the origin and never
from the clipped day before. Hours are sixty minutes each, counted from the origin's midnight.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

Period = Literal["hour", "day", "week", "month", "quarter", "year"]
PERIODS: tuple[Period, ...] = get_args(Period)

MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "year": 12}
DAYS: dict[str, int] = {"day": 1, "week": 7}


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """[start, end) in UTC."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def overlap(self, other: Interval) -> Interval | None:
        """The common part, or None where there is none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None

    def days(self, zone: ZoneInfo) -> int:
        """Calendar days from the start's local date to the end's: Σ days of the months is the days of the year."""
        return (self.end.astimezone(zone).date() - self.start.astimezone(zone).date()).days


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC.

    Where the clock skips midnight, the day starts when the clock jumps; where it shows midnight twice, at the first.
    Both are what zoneinfo gives for `fold=0`, because clocks that skip midnight jump at midnight.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def add_months(instant: datetime, months: int) -> datetime:
    """The same wall clock so many months on; a day that the month lacks becomes its last day."""
    return _shown(datetime.combine(shift_months(instant.date(), months), instant.timetz()))


def add_days(instant: datetime, days: int) -> datetime:
    """The same wall clock so many days on."""
    return _shown(instant + timedelta(days=days))


def shift_months(day: date, months: int) -> date:
    """The same day of the month so many months on, or that month's last day where it lacks the day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def windows(every: Period, origin: date, span: Interval, zone: ZoneInfo) -> Iterator[Interval]:
    """The windows of `every`, counted from `origin`, that meet `span`, clipped to it.

    They are in time order, contiguous, and cover the span exactly.
    """
    for whole in whole_windows(every, origin, span, zone):
        part = whole.overlap(span)
        if part:
            yield part


def whole_windows(every: Period, origin: date, span: Interval, zone: ZoneInfo) -> Iterator[Interval]:
    """As `windows`, but not clipped: what a prorated first month is a part of."""
    if every == "hour":
        yield from _hours(midnight(origin, zone), span)
        return
    index = _index_before(every, origin, span.start.astimezone(zone).date())
    start = midnight(_boundary(every, origin, index), zone)
    while start < span.end:
        index += 1
        end = midnight(_boundary(every, origin, index), zone)
        if start < end and span.start < end:  # a zone that crosses the date line skips a day: that window is empty
            yield Interval(start, end)
        start = end


def _hours(origin: datetime, span: Interval) -> Iterator[Interval]:
    """Hours of sixty minutes from an instant on; a change of the clock does not move them."""
    hour = timedelta(hours=1)
    start = origin + (span.start - origin) // hour * hour
    while start < span.end:
        yield Interval(start, start + hour)
        start += hour


def _boundary(every: Period, origin: date, index: int) -> date:
    if every in MONTHS:
        return shift_months(origin, index * MONTHS[every])
    return origin + timedelta(days=index * DAYS[every])


def _index_before(every: Period, origin: date, day: date) -> int:
    """The index of the window that holds `day`, or of the one before it."""
    if every in MONTHS:
        months = (day.year - origin.year) * 12 + day.month - origin.month
        return months // MONTHS[every] - 1
    return (day - origin).days // DAYS[every] - 1


def _shown(local: datetime) -> datetime:
    """The instant with the wall clock that its zone really shows then: 02:30 in a skipped hour becomes 03:30."""
    return local.astimezone(UTC).astimezone(local.tzinfo)


def billing_origin(start: date, anchor: int | Literal["anniversary"]) -> date:
    """The origin that billing periods count from: a day of January, or `start` itself for an anniversary.

    January has 31 days, so an anchor of 31 clips in each month from 31 and never from a clipped 28; and quarters and
    years that are not anniversaries are those of the calendar. Raises ValueError for an anchor beyond 1 to 31.
    """
    return start if anchor == "anniversary" else date(start.year, 1, anchor)
