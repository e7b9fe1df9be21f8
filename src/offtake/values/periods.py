"""Half-open intervals and the windows of a contract: billing periods, quarters, contract years.

A window boundary is a local midnight in the contract's time zone, kept as a UTC instant, so that a month with a
change to summer time is an hour short and its days still add up. Windows count from an origin date; a month that
has no such day ends on its last day (an anchor of 31 gives 30 April), always from the origin and never from the
clipped day before.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


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
    """The start of a local day as a UTC instant."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def add_months(instant: datetime, months: int) -> datetime:
    """The same wall clock so many months on; a day that the month lacks becomes its last day."""
    return instant.combine(shift_months(instant.date(), months), instant.timetz())


def shift_months(day: date, months: int, anchor: int | None = None) -> date:
    """A date so many months on, on `anchor` (the day's own number by default) or the month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(anchor or day.day, calendar.monthrange(year, month + 1)[1]))


MONTHS = {"month": 1, "quarter": 3, "year": 12}


def windows(every: str, origin: date, span: Interval, zone: ZoneInfo) -> Iterator[Interval]:
    """The windows of `every` (hour | day | week | month | quarter | year) from `origin` that meet `span`, clipped to it."""
    for boundary in whole_windows(every, origin, span, zone):
        part = boundary.overlap(span)
        if part:
            yield part


def whole_windows(every: str, origin: date, span: Interval, zone: ZoneInfo) -> Iterator[Interval]:
    """As `windows`, but not clipped: what a prorated first month is a part of."""
    if every == "hour":
        start = span.start.replace(minute=0, second=0, microsecond=0)
        while start < span.end:
            yield Interval(start, start + timedelta(hours=1))
            start += timedelta(hours=1)
        return
    index = _index_at(every, origin, span.start.astimezone(zone).date())
    while True:
        start = midnight(_boundary(every, origin, index), zone)
        if start >= span.end:
            return
        end = midnight(_boundary(every, origin, index + 1), zone)
        if end > span.start:
            yield Interval(start, end)
        index += 1


def _boundary(every: str, origin: date, index: int) -> date:
    if every in MONTHS:
        return shift_months(origin, index * MONTHS[every])
    return origin + timedelta(days=index * (7 if every == "week" else 1))


def _index_at(every: str, origin: date, day: date) -> int:
    """An index at or one before the window that holds `day`."""
    if every in MONTHS:
        months = (day.year - origin.year) * 12 + day.month - origin.month
        return months // MONTHS[every] - 1
    return (day - origin).days // (7 if every == "week" else 1) - 1


def billing_origin(start: date, anchor: int | str) -> date:
    """The origin of billing periods: day `anchor` of the month of `start`, or `start` itself for an anniversary.

    An anchor of 31 starts from a month with 31 days, so that later months clip from 31 and not from a clipped 28.
    """
    if anchor == "anniversary":
        return start
    january = date(start.year, 1, int(anchor))
    return january
