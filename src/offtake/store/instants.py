"""From an instant to its class, in SQL: which rows share prices.

Where the files are in time order, each slice is a pass of its own that reads only its row groups (a range that covers a
row group costs nothing). Otherwise, and where slices are many (off-peak hours), one pass joins a table of buckets. A
bucket has one class, or two with a cut between them, so it is a plain equality join and any instant may be a cut.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from offtake.rating.groups import GroupPlan
from offtake.store.engine import Engine, explained
from offtake.store.microseconds import of_instant, timestamp
from offtake.store.usage_files import Chunk

OUTSIDE = -1
"""The class of instants outside of the plan's span."""

BUCKET_US = 15 * 60 * 1_000_000  # the offsets of all time zones are multiples of it
BUCKET_MIN_US = 1_000_000
REREAD_MAX = 1.25  # passes over overlapping row groups may read this much of the file before a join is cheaper


@dataclass(frozen=True, slots=True)
class Run:
    """[start, end) in µs since 1970 is of class `key`."""

    start: int
    end: int
    key: int


@dataclass(frozen=True, slots=True)
class Pass:
    """One statement: the class as an expression, and what follows the table (a join or a condition)."""

    key: str
    source: str = ""


def passes(run: Engine, plan: GroupPlan, chunks: Sequence[Chunk]) -> Iterator[Pass]:
    """The passes that class every row once."""
    if not chunks:
        return
    runs = _runs(plan, min(chunk.first for chunk in chunks), max(chunk.last for chunk in chunks) + 1)
    read = sum(chunk.rows for each in runs for chunk in chunks if chunk.first < each.end and chunk.last >= each.start)
    width = _bucket_width(runs)
    if len(runs) == 1 or read <= REREAD_MAX * sum(chunk.rows for chunk in chunks) or width < BUCKET_MIN_US:
        for each in runs:
            yield Pass(str(each.key), _condition(each, runs))
        return
    _fill_buckets(run, runs, width)
    yield Pass(
        "CASE WHEN epoch_us(used_at) < bucket.cut THEN bucket.before ELSE bucket.after END",
        f"JOIN bucket ON bucket.number = epoch_us(used_at) // {width}",
    )


def _runs(plan: GroupPlan, start: int, end: int) -> list[Run]:
    """[start, end) as runs of one class, with what lies outside of the plan's span."""
    cuts = [(of_instant(each.start), each.key) for each in plan.slices]
    cuts = [(start, OUTSIDE), *cuts, (of_instant(plan.span.end), OUTSIDE)]
    runs: list[Run] = []
    for (at, key), (until, _) in zip(cuts, [*cuts[1:], (end, OUTSIDE)], strict=True):
        low, high = max(at, start), min(until, end)
        if low >= high:
            continue
        if runs and runs[-1].key == key:
            runs[-1] = Run(runs[-1].start, high, key)
        else:
            runs.append(Run(low, high, key))
    return runs


def _condition(each: Run, runs: Sequence[Run]) -> str:
    """The range of a run; the first and the last need no bound on their outer side."""
    bounds = []
    if each is not runs[0]:
        bounds.append(f"used_at >= {timestamp(each.start)}")
    if each is not runs[-1]:
        bounds.append(f"used_at < {timestamp(each.end)}")
    return f"WHERE {' AND '.join(bounds)}" if bounds else ""


def _bucket_width(runs: Sequence[Run]) -> int:
    """In µs: a quarter of an hour, halved until no bucket holds two cuts."""
    width = BUCKET_US
    while any(one.end // width == two.end // width for one, two in pairwise(runs[:-1])):
        width //= 2
    return width


def _fill_buckets(run: Engine, runs: Sequence[Run], width: int) -> None:
    """Fill the table `bucket` over all runs."""
    rows = []
    for before, after in zip(runs, [*runs[1:], None], strict=True):
        first = before.start // width + (before is not runs[0] and before.start % width != 0)
        rows += [(number, before.end, before.key, before.key) for number in range(first, before.end // width)]
        if before.end % width or after is None:
            rows.append((before.end // width, before.end, before.key, after.key if after else before.key))
    run.run("CREATE OR REPLACE TABLE bucket (number BIGINT, cut BIGINT, before INTEGER, after INTEGER)")
    with explained():
        appender = run.connection.appender("bucket")
        appender.append_rows(rows)
        appender.flush()
