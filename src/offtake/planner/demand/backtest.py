"""Back-tests: a rule is fitted on the first rows of a history and judged on the last, which it has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from offtake.planner.demand.series import Series
from offtake.values.counting import counted
from offtake.values.errors import InputError


@dataclass(frozen=True, slots=True)
class Holdout:
    """One history in two: what a rule may see, and what it is judged on."""

    fitted: Series
    judged: Series


def holdout(series: Series, judged_rows: int | None = None) -> Holdout:
    """The last `judged_rows` rows apart; half of them (rounded down) where nothing is said."""
    rows = len(series.quantities)
    count = rows // 2 if judged_rows is None else judged_rows
    if not 0 < count < rows:
        raise InputError(
            "P647", f"of {counted(rows, 'row')}, {count} cannot be kept to judge by",
            hint=f"--judge takes 1 to {rows - 1} rows; half of them when it is left out",
        )  # fmt: skip
    return Holdout(_rows(series, 0, rows - count), _rows(series, rows - count, rows))


def _rows(series: Series, start: int, end: int) -> Series:
    return replace(series, periods=series.periods[start:end], quantities=series.quantities[start:end])
