"""A demand series: one quantity a period, read from a plain CSV of `period,quantity`.

A row is one period of equal length. Periods that are dates, months, weeks, hours or numbers must follow each other
without a gap: a month that is left out is not a month without demand. Names have no order; their rows stand in the
order of the file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Literal, TypeVar

from offtake.usage.rows import Rejected, Row, TextSource, csv_rows
from offtake.values.errors import InputError, Place
from offtake.values.money import quantize, total
from offtake.values.periods import shift_months

Grain = Literal["hour", "day", "week", "month", "quarter", "year"]

ROWS_PER_YEAR: dict[Grain, int] = {"hour": 8_760, "day": 365, "week": 52, "month": 12, "quarter": 4, "year": 1}
ROWS_MIN = 2
PLACES_MAX = 12
"""Quantities are kept to so many places: what a program wrote beyond is the noise of its floats."""
_QUANTITY_MAX = Decimal(10) ** 18


def _months_on(at: datetime, months: int) -> datetime:
    return datetime.combine(shift_months(at.date(), months), at.time())


_Start = TypeVar("_Start", datetime, int)
_Step = Callable[[datetime], datetime]
_STEPS: dict[Grain, _Step] = {
    "hour": lambda at: at + timedelta(hours=1),
    "day": lambda at: at + timedelta(days=1),
    "week": lambda at: at + timedelta(days=7),
    "month": lambda at: _months_on(at, 1),
    "quarter": lambda at: _months_on(at, 3),
    "year": lambda at: _months_on(at, 12),
}
_NUMBER = re.compile(r"[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Series:
    """Quantities by period, oldest first; `grain` is None where the periods have no calendar."""

    name: str
    periods: tuple[str, ...]
    quantities: tuple[Decimal, ...]
    grain: Grain | None

    def windows(self, rows: int) -> tuple[Decimal, ...]:
        """Sums of `rows` rows each, the last of them ending with the last row; what is left at the start is dropped."""
        first = len(self.quantities) % rows
        return tuple(total(self.quantities[at : at + rows]) for at in range(first, len(self.quantities), rows))

    @property
    def places(self) -> int:
        """The most decimal places of any quantity."""
        return max(max(0, -int(quantity.as_tuple().exponent)) for quantity in self.quantities)


def read_series(source: TextSource, columns: Sequence[str] = ()) -> tuple[Series, ...]:
    """The series of each column; of `quantity` (or of the second of two columns) where none is named.

    InputError with file:line for a quantity that is missing, negative or no number, for a period that is missing or
    stands twice, and for fewer than two rows.
    """
    rows = [_whole(row) for row in csv_rows(source)]
    if not rows:
        raise _too_few(source.file, 0)
    header = list(rows[0].values)
    names = columns or (_quantity_column(header, source.file),)
    for name in names:
        if name not in header:
            raise _no_column(name, header, source.file)
    if len(rows) < ROWS_MIN:
        raise _too_few(source.file, len(rows))
    period = next((name for name in header if name.lower() == "period"), header[0])
    periods = tuple(str(row.values[period]).strip() for row in rows)
    grain = _checked_periods(periods, [row.where for row in rows])
    found = tuple(Series(name, periods, tuple(_quantity(row, name) for row in rows), grain) for name in names)
    for series in found:
        if not any(series.quantities):
            raise InputError("P645", f"no period has any demand in {series.name!r}", where=Place(source.file))
    return found


def pooled(series: Sequence[Series]) -> Series:
    """The sum of several series of one file, period by period."""
    if len(series) == 1:
        return series[0]
    sums = tuple(total(row) for row in zip(*(each.quantities for each in series), strict=True))
    return Series(" + ".join(each.name for each in series), series[0].periods, sums, series[0].grain)


def grain_of(periods: Sequence[str]) -> tuple[Grain | None, tuple[datetime, ...]]:
    """The calendar that all periods follow, with their starts; None where some period has none."""
    for read in (_written, _timestamp):
        starts = [read(period) for period in periods]
        known = [start for start in starts if start is not None]
        if len(known) == len(periods):
            grains = {grain for grain, _ in known if grain}
            at = tuple(start for _, start in known)
            named = next(iter(grains)) if len(grains) == 1 else None
            return (named if named and named != "day" else _by_distance(at)), at
    return None, ()


def _whole(row: Row | Rejected) -> Row:
    if isinstance(row, Rejected):
        raise InputError("P642", row.error, where=row.where)
    return row


def _quantity_column(header: Sequence[str], file: str) -> str:
    named = [name for name in header if name.lower() == "quantity"]
    if named:
        return named[0]
    if len(header) == 2 and not any(_NUMBER.fullmatch(name) for name in header):
        return header[1]
    raise _no_column("quantity", header, file)


def _no_column(name: str, header: Sequence[str], file: str) -> InputError:
    return InputError(
        "P641", f"no column {name!r}", where=Place(file, 1),
        why=f"the columns are {', '.join(map(repr, header))}",
        hint="the first line is period,quantity; --column NAME takes the quantities of another column",
    )  # fmt: skip


def _too_few(file: str, rows: int) -> InputError:
    what = "one row of demand" if rows else "a header, and no row of demand"
    return InputError(
        "P645", f"{what}: too little to say how demand varies", where=Place(file),
        hint="give one row for each of the last periods; twelve months, or two weeks of hours, are a start",
    )  # fmt: skip


def _quantity(row: Row, column: str) -> Decimal:
    text = str(row.values[column]).strip()
    if not text:
        raise InputError(
            "P642", f"{column or 'quantity'} is missing", where=row.where,
            why="a period that was not measured is not a period without demand",
            hint="write 0 where there was none; else begin with the first period that was measured",
        )  # fmt: skip
    if text.startswith("-") and _NUMBER.fullmatch(text[1:]):
        raise InputError("P643", f"the quantity {text} is negative", where=row.where, hint="demand is zero or more")
    if not _NUMBER.fullmatch(text) or len(text) > 40:
        raise InputError(
            "P642", f"{text[:40]!r} is no quantity", where=row.where, hint="a plain number, such as 125000.50"
        )
    found = Decimal(text.replace("_", ""))
    if found >= _QUANTITY_MAX:
        raise InputError("P642", f"the quantity {text} is beyond what can be added up exactly", where=row.where)
    return quantize(found, PLACES_MAX) if int(found.as_tuple().exponent) < -PLACES_MAX else found


def _checked_periods(periods: Sequence[str], places: Sequence[Place]) -> Grain | None:
    seen: dict[str, Place] = {}
    for period, place in zip(periods, places, strict=True):
        if period in seen:
            raise InputError("P644", f"the period {period!r} stands twice", where=place, why=f"first at {seen[period]}")
        seen[period] = place
    grain, starts = grain_of(periods)
    if grain is not None:
        follows = _STEPS[grain]
        gap = _first_gap(starts, follows)
    elif all(re.fullmatch(r"[0-9]{1,15}", period) for period in periods):
        numbers = [int(period) for period in periods]
        step = numbers[1] - numbers[0]
        gap = 1 if step <= 0 else _first_gap(numbers, lambda at: at + step)
    else:
        return None
    if gap:
        raise InputError(
            "P644", f"{periods[gap]} does not follow {periods[gap - 1]}", where=places[gap],
            why=f"the periods are {grain or 'number'}s, and one that is left out is not one without demand",
            hint="one row for each period, oldest first, with 0 where there was no demand",
        )  # fmt: skip
    return grain


def _first_gap(starts: Sequence[_Start], follows: Callable[[_Start], _Start]) -> int:
    """The index of the first start that does not follow the one before it; 0 where each does."""
    pairs = pairwise(starts)
    return next((index for index, (before, after) in enumerate(pairs, 1) if after != follows(before)), 0)


def _written(period: str) -> tuple[Grain | None, datetime] | None:
    """A period whose grain shows: 2026-01, 2026-W05, 2026-Q1, 2026-01-31."""
    try:
        if match := re.fullmatch(r"(\d{4})-?W(\d\d)", period):
            return "week", datetime.fromisocalendar(int(match[1]), int(match[2]), 1)
        if match := re.fullmatch(r"(\d{4})[-/]?Q([1-4])", period):
            return "quarter", datetime(int(match[1]), 3 * int(match[2]) - 2, 1)  # noqa: DTZ001 (periods have no zone)
        if match := re.fullmatch(r"(\d{4})[-/](\d\d?)", period):
            return "month", datetime(int(match[1]), int(match[2]), 1)  # noqa: DTZ001
        if re.fullmatch(r"\d{4}-\d\d-\d\d", period):
            return "day", datetime.fromisoformat(period)
    except ValueError:
        return None
    return None


def _timestamp(period: str) -> tuple[Grain | None, datetime] | None:
    """An instant, as the clock of its zone shows it."""
    if not re.match(r"\d{4}-\d\d-\d\d[T ]", period):
        return None
    try:
        return None, datetime.fromisoformat(period).replace(tzinfo=None)
    except ValueError:
        return None


def _by_distance(starts: Sequence[datetime]) -> Grain | None:
    """The grain whose step leads from the first start to the second most often."""
    fits: Iterable[tuple[int, Grain]] = (
        (sum(step(before) == after for before, after in pairwise(starts)), grain) for grain, step in _STEPS.items()
    )
    count, grain = max(fits, key=lambda fit: fit[0])
    return grain if count else None
