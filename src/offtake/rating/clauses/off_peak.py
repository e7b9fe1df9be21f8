"""Off-peak: a share off at night and at weekends, on the local wall clock.

Clause: `prices.off_peak`. Source: S2 "Negotiate off-peak pricing (e.g., cheaper rates for usage at night/weekends)".

Why it matters: which hour a request falls in depends on the zone, on summer time and on the side of midnight. A
window across midnight belongs to the day on which it starts; `weekends` is all of Saturday and Sunday; for batch
the instant is the batch's creation.

Example: 20% off from 22:00 to 06:00 on weekdays, New York: Saturday 02:00 belongs to Friday's window and is
off-peak; Monday 02:00 belongs to Sunday's, and is not (unless `weekends`, which ends at midnight).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from offtake.contract.schema.prices import OffPeak
from offtake.values.periods import Interval

DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)


@lru_cache(maxsize=64)
def clock(hours: str) -> tuple[time, time]:
    """`22:00-06:00` as two wall-clock times; 24:00 is midnight."""
    start, end = (time.fromisoformat(part.replace("24:00", "00:00")) for part in hours.split("-"))
    return start, end


def is_off_peak(clause: OffPeak, at: datetime) -> bool:
    """Whether an instant lies in the window."""
    local = at.astimezone(ZoneInfo(clause.time_zone))
    if clause.weekends and local.weekday() >= 5:
        return True
    start, end = clock(clause.hours)
    now = local.time()
    if start < end:
        return start <= now < end and _counts(clause, local.weekday())
    if now >= start:
        return _counts(clause, local.weekday())
    return now < end and _counts(clause, (local - DAY).weekday())


def edges(clause: OffPeak, span: Interval) -> Iterator[datetime]:
    """Every instant of `span` at which the answer may change, in UTC; on a day that changes its clock, a few more.

    Such a day shows a time twice or not at all, and the wall clock jumps into or out of a window on a half hour.
    """
    zone = ZoneInfo(clause.time_zone)
    moments = {time(), *clock(clause.hours)}
    day = span.start.astimezone(zone).date() - DAY
    while (midnight := datetime.combine(day, time(), zone).astimezone(UTC)) < span.end:
        next_midnight = datetime.combine(day + DAY, time(), zone).astimezone(UTC)
        shown = [datetime.combine(day, moment, zone).replace(fold=fold) for moment in moments for fold in (0, 1)]
        instants = {moment.astimezone(UTC) for moment in shown}
        if next_midnight - midnight != DAY:
            instants |= {midnight + HALF_HOUR * step for step in range(51)}
        yield from (instant for instant in sorted(instants) if span.start < instant < span.end)
        day += DAY


def _counts(clause: OffPeak, weekday: int) -> bool:
    return clause.days == "all" or weekday < 5
