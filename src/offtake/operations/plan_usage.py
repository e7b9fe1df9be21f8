"""Usage files → the month that a plan is about: parts that move, how they grew, and how steep the load is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from offtake.operations.usage_input import FileProgress, Usage, UsageInput, open_usage
from offtake.planner.demand.forecast import growth_history
from offtake.planner.demand.series import Series
from offtake.planner.offers.parts import Part, Slicer, parts_of
from offtake.planner.profile.stretch import Stretch, stretch_of
from offtake.planner.profile.traffic import Batchable, Traffic, observe, records_of
from offtake.usage.reading import ReadOptions
from offtake.values.counting import counted
from offtake.values.errors import InputError

ROWS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Observed:
    """A month of the usage in parts, and what was seen of it.

    `histories` are volumes by workload for growth; `halves` each workload's volume in the first and second half of the
    usage as multiples of its mean; None where the usage is too short to be judged on its own last part.
    """

    parts: tuple[Part, ...]
    stretch: Stretch
    histories: dict[str, tuple[float, ...]]
    halves: dict[str, tuple[float, float]] | None
    peak: float
    warnings: tuple[str, ...]


def observed(
    paths: Usage,
    options: ReadOptions,
    rules: Sequence[Batchable],
    thresholds: tuple[int, ...],
    months: Fraction | None,
    progress: FileProgress | None,
) -> Observed:
    """The usage of files; `thresholds` are contexts above which some model costs more.

    InputError P663 where it is empty, or at one instant and nobody says how long that is.
    """
    slicer = Slicer(thresholds)
    with open_usage(paths, options, progress) as usage:
        traffic = observe(slicer.passing(records_of(usage.source)))
        survey, warnings = usage.source.survey(False), _left_out(usage)
    if not traffic or not any(each.quantities for each in traffic):
        why = warnings[0] if warnings else ""
        raise InputError("P663", "there is no usage to plan for", why=why, hint="give the usage of at least one month")
    stretch = stretch_of(survey, months)
    parts = parts_of([(each.workload(rules), each.form) for each in traffic], slicer, stretch.per_month)
    by_day = _by_day(traffic)
    return Observed(
        parts, stretch,
        {name: _history(name, volumes) for name, volumes in by_day.items()},
        _halves(by_day), _peak(traffic), warnings,
    )  # fmt: skip


def _left_out(usage: UsageInput) -> tuple[str, ...]:
    """What the plan is not about, named by file and line."""
    rows = [f"{counted(len(usage.rejected), 'row')} could not be read"] if usage.rejected else []
    rows += [f"{each.where}: {each.error}" for each in usage.rejected[:ROWS_SHOWN]]
    if usage.conflict_count:
        rows.append(f"{counted(usage.conflict_count, 'row')} in conflict: {usage.conflicts[0]}")
    return tuple(rows)


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
