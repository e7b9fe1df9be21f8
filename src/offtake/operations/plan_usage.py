"""Usage files → the month that a plan is about: parts that move, how they grew, and how steep the load is."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from offtake.operations.usage_input import FileProgress, UsageInput, open_usage
from offtake.planner.demand.forecast import growth_history
from offtake.planner.demand.series import Series
from offtake.planner.offers.parts import Part, Slicer, parts_of
from offtake.planner.profile.traffic import Batchable, Traffic, observe, records_of
from offtake.usage.reading import ReadOptions
from offtake.values.errors import InputError
from offtake.values.money import divide

MONTH_SECONDS = Decimal(2_629_800)  # 365.25 days ÷ 12
EDGE_DAYS = 2
ROWS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Observed:
    """A month of the usage in parts, and what was seen of it. `per_month` × what was observed is a month.

    `histories` are volumes by workload for growth; `halves` each workload's volume in the first and second half of the
    usage as multiples of its mean; None where the usage is too short to be judged on its own last part.
    """

    parts: tuple[Part, ...]
    per_month: Decimal
    days: Decimal
    histories: dict[str, tuple[float, ...]]
    halves: dict[str, tuple[float, float]] | None
    peak: float
    warnings: tuple[str, ...]


def observed(
    paths: Sequence[str | Path],
    options: ReadOptions,
    rules: Sequence[Batchable],
    thresholds: tuple[int, ...],
    months: Decimal | None,
    progress: FileProgress | None,
) -> Observed:
    """The usage of files; `thresholds` are contexts above which some model costs more.

    InputError P663 where it is empty, or at one instant and nobody says how long that is.
    """
    slicer = Slicer(thresholds)
    with open_usage(paths, options, progress) as usage:
        traffic = observe(slicer.passing(records_of(usage.source)))
        warnings = _left_out(usage)
    if not traffic or not any(each.quantities for each in traffic):
        why = warnings[0] if warnings else ""
        raise InputError("P663", "there is no usage to plan for", why=why, hint="give the usage of at least one month")
    first, last = min(each.first for each in traffic), max(each.last for each in traffic)
    per_month, days = _month(first, last, months, daily=any(each.daily for each in traffic))
    parts = parts_of([(each.workload(rules), each.form) for each in traffic], slicer, per_month)
    by_day = _by_day(traffic)
    return Observed(
        parts, per_month, days,
        {name: _history(name, volumes) for name, volumes in by_day.items()},
        _halves(by_day), _peak(traffic), warnings,
    )  # fmt: skip


def _left_out(usage: UsageInput) -> tuple[str, ...]:
    """What the plan is not about, named by file and line."""
    rows = [f"{len(usage.rejected):,} rows could not be read"] if usage.rejected else []
    rows += [f"{each.where}: {each.error}" for each in usage.rejected[:ROWS_SHOWN]]
    if usage.conflict_count:
        rows.append(f"{usage.conflict_count:,} rows conflict: {usage.conflicts[0]}")
    return tuple(rows)


def _month(first: datetime, last: datetime, months: Decimal | None, *, daily: bool) -> tuple[Decimal, Decimal]:
    """What the usage times makes a month, and the days that it covers.

    Usage that begins and ends with calendar months is so many months; other usage of days counts its days, and a trace
    of hours the time from its first row to its last.
    """
    days = Decimal((last.date() - first.date()).days + 1)
    if months is not None:
        return divide(Decimal(1), months), days
    if first.day <= 1 + EDGE_DAYS and _days_to_month_end(last.date()) <= EDGE_DAYS:
        return divide(Decimal(1), (last.year - first.year) * 12 + last.month - first.month + 1), days
    seconds = days * 86_400
    if days <= 2 and not daily:
        seconds = Decimal(int((last - first).total_seconds()))
        if seconds <= 0:
            raise InputError(
                "P663", "all of the usage is at one instant, so a month of it is not known",
                hint="say how many months it stands for: --months 1",
            )  # fmt: skip
    return divide(MONTH_SECONDS, seconds), divide(seconds, 86_400)


def _days_to_month_end(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1] - day.day


def _by_day(traffic: Sequence[Traffic]) -> dict[str, list[int]]:
    """Tokens by workload and day, with the days on which nothing ran."""
    hours = [hour for each in traffic for hour in each.hours]
    first, last = min(hours) // 24, max(hours) // 24
    found: dict[str, list[int]] = {}
    for each in traffic:
        volumes = found.setdefault(each.form.workload, [0] * (last - first + 1))
        for hour, tokens in each.hours.items():
            volumes[hour // 24 - first] += tokens
    return found


def _history(name: str, volumes: Sequence[int]) -> tuple[float, ...]:
    series = Series(name, tuple(str(day) for day in range(len(volumes))), tuple(map(Decimal, volumes)), "day")
    return growth_history(series)


def _halves(by_day: dict[str, list[int]], days_min: int = 14) -> dict[str, tuple[float, float]] | None:
    days = max(len(volumes) for volumes in by_day.values())
    if days < days_min:
        return None
    middle = days // 2
    found = {}
    for name, volumes in by_day.items():
        mean = sum(volumes) / days or 1.0
        found[name] = (sum(volumes[:middle]) / middle / mean, sum(volumes[middle:]) / (days - middle) / mean)
    return found


def _peak(traffic: Sequence[Traffic]) -> float:
    """The busiest hour over the mean hour; 1 where rows are days, which say nothing of hours."""
    if any(each.daily for each in traffic):
        return 1.0
    hours: dict[int, int] = {}
    for each in traffic:
        for hour, tokens in each.hours.items():
            hours[hour] = hours.get(hour, 0) + tokens
    span = max(hours) - min(hours) + 1
    return max(hours.values()) * span / (sum(hours.values()) or 1)
