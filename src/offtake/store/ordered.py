"""Rows one by one in (used_at, id) order, for the clauses that cut a running total."""

from __future__ import annotations

from collections.abc import Iterator

from offtake.store.duplicates import COLUMNS_READ, Duplicates
from offtake.store.engine import Engine
from offtake.store.microseconds import of_instant, timestamp
from offtake.store.usage_files import PLACED
from offtake.usage.record import UsageRecord
from offtake.usage.schema import from_row
from offtake.values.periods import Interval


def read_ordered(run: Engine, interval: Interval, left_out: Duplicates) -> Iterator[UsageRecord]:
    """The rows of [start, end) but those left out. The engine sorts, and spills what its memory does not hold."""
    start, end = timestamp(of_instant(interval.start)), timestamp(of_instant(interval.end))
    rows = run.stream(
        f"SELECT {COLUMNS_READ} FROM {left_out.kept(PLACED)} AS kept "
        f"WHERE used_at >= {start} AND used_at < {end} ORDER BY kept.used_at, kept.id"
    )
    return map(from_row, rows)
