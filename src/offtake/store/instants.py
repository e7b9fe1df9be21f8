"""From an instant to its class, in SQL: which rows share prices. One statement classes every row once.

A file that we wrote is in time order, so the class of a row follows from its place in the file: the cuts are looked up
once and no row's time is read. Otherwise, and where cuts are many (off-peak hours), rows join a table of quarter hours.
A bucket of it has one class, or two with a cut between them, so this is a plain equality join and any instant may be a
cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from offtake.rating.groups import GroupPlan
from offtake.store.engine import Engine
from offtake.store.microseconds import of_instant, timestamp
from offtake.store.usage_files import PLACED, Chunk

OUTSIDE = -1
"""The class of instants outside of the plan's span."""

CUTS_BY_PLACE = 16  # beyond, a join costs less than the comparisons
BUCKET_US = 15 * 60 * 1_000_000  # the offsets of all time zones are multiples of it
BUCKET_MIN_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """[start, end) in µs since 1970 is of class `key`."""

    start: int
    end: int
    key: int


@dataclass(frozen=True, slots=True)
class Classing:
    """The class of a row as an expression; the relation to read in place of the usual one; what to join."""

    key: str
    relation: str = ""
    join: str = ""


def classing(run: Engine, plan: GroupPlan, chunks: Sequence[Chunk], placed: bool) -> Classing:
    """How to class rows whose instants lie in `chunks`; `placed` where these are one file in time order."""
    if not chunks:
        return Classing(str(OUTSIDE))
    runs = _runs(plan, min(chunk.first for chunk in chunks), max(chunk.last for chunk in chunks) + 1)
    if len(runs) == 1:
        return Classing(str(runs[0].key))
    if placed and len(runs) <= CUTS_BY_PLACE:
        places = [str(_place(run, chunks, each.end)) for each in runs[:-1]]
        return Classing(_chain("file_row_number", places, runs), relation=PLACED)
    width = _bucket_width(runs)
    if width < BUCKET_MIN_US:
        return Classing(_chain("used_at", [timestamp(each.end) for each in runs[:-1]], runs))
    _fill_buckets(run, runs, width)
    return Classing(
        "CASE WHEN epoch_us(used_at) < bucket.cut THEN bucket.before ELSE bucket.after END",
        join=f"JOIN bucket ON bucket.number = epoch_us(used_at) // {width}",
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


def _chain(column: str, bounds: Sequence[str], runs: Sequence[Run]) -> str:
    steps = " ".join(f"WHEN {column} < {bound} THEN {each.key}" for bound, each in zip(bounds, runs, strict=False))
    return f"CASE {steps} ELSE {runs[-1].key} END"


def _place(run: Engine, chunks: Sequence[Chunk], cut: int) -> int:
    """How many rows of a file in time order lie before an instant: at most one row group is read."""
    before = 0
    for chunk in chunks:
        if chunk.last >= cut:
            inside = f"file_row_number BETWEEN {before} AND {before + chunk.rows - 1}"
            query = f"SELECT count(*) FROM {PLACED} WHERE {inside} AND used_at < {timestamp(cut)}"
            return before + int(run.rows(query)[0][0])
        before += chunk.rows
    return before


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
        last = before.end // width
        rows += [(number, before.end, before.key, before.key) for number in range(first, last)]
        if after and before.end % width:
            rows.append((last, before.end, before.key, after.key))
        elif after is None and first <= last:  # unless the last instants share a bucket with the cut before them
            rows.append((last, before.end, before.key, before.key))
    run.run("CREATE OR REPLACE TABLE bucket (number BIGINT, cut BIGINT, before INTEGER, after INTEGER)")
    run.append("bucket", rows)
