"""Windows of a term and hours of a day, counted by the calendar, day by day."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Window = tuple[date, date]
"""[first day, day after the last), local days."""

MONTHS = {"month": 1, "quarter": 3, "year": 12, "contract_year": 12}


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a local day starts."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def months_on(day: date, months: int) -> date:
    """The same day so many months later, or the last day of a shorter month."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def origin_of(deal: dict[str, Any], every: str) -> date:
    """What windows count from: months from the anchor of the invoices, longer ones from the start of the term."""
    first, anchor = date.fromisoformat(deal["term"]["from"]), deal["billing"]["anchor"]
    return first if every != "month" or anchor == "anniversary" else date(first.year, 1, anchor)


def whole_windows(every: str, origin: date, first: date, until: date) -> list[Window]:
    """The windows counted from `origin` that meet [first, until), not clipped."""
    found = []
    index = -40
    while months_on(origin, index * MONTHS[every]) < until:
        start, end = (months_on(origin, k * MONTHS[every]) for k in (index, index + 1))
        if end > first:
            found.append((start, end))
        index += 1
    return found


def windows(every: str, origin: date, first: date, until: date) -> list[Window]:
    """As `whole_windows`, clipped to the term."""
    return [(max(start, first), min(end, until)) for start, end in whole_windows(every, origin, first, until)]


def off_peak(clause: dict[str, object], at: datetime) -> bool:
    """Whether the wall clock shows an off-peak hour; a window across midnight belongs to the day that it starts on."""
    local = at.astimezone(ZoneInfo(str(clause["time_zone"])))
    if clause.get("weekends") and local.strftime("%a") in ("Sat", "Sun"):
        return True
    start, end = str(clause["hours"]).split("-")
    now = local.strftime("%H:%M:%S.%f")
    today, yesterday = (
        clause.get("days", "all") == "all" or day.strftime("%a") not in ("Sat", "Sun")
        for day in (local.date(), local.date() - timedelta(days=1))
    )
    if start < end:
        return today and start <= now < end
    return (today and now >= start) or (yesterday and now < end)
