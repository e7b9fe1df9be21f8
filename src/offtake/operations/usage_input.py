"""Opening usage for rating: our Parquet files go to the engine as they are, everything else is sniffed and read.

What does not reach rating is counted here, so that the control totals hold: rows = rated + duplicates + conflicts +
rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from pathlib import Path

from offtake.rating.groups import Grouped, GroupPlan
from offtake.rating.lines import Control
from offtake.rating.source import LaneKey, Records, Source, Survey
from offtake.store.engine import Engine, engine
from offtake.store.lake import Lake, open_lake
from offtake.store.parquet_rows import column_names, parquet_rows
from offtake.store.sources import found_files, head_of, is_parquet, text_source
from offtake.store.usage_files import is_usage_file
from offtake.usage.duplicates import distinct
from offtake.usage.reading import Reading, ReadOptions, read, sniff
from offtake.usage.record import UsageRecord
from offtake.usage.rows import NotUsage, Rejected, TextSource
from offtake.values.errors import InputError
from offtake.values.periods import Interval

EVER = Interval(datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC))
FileProgress = Callable[[Path, int, int], None]
"""Called with (file, bytes read, bytes in all)."""


@dataclass(frozen=True, slots=True)
class UsageInput:
    """Usage to rate, and what was left out of it. `conflicts` has a sentence for the first ones.

    `not_usage` are rows that by their format's own words are none, such as a tax.
    """

    source: Source
    duplicates: int = 0
    conflict_count: int = 0
    conflicts: tuple[str, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    not_usage: int = 0

    def counted(self, control: Control) -> Control:
        """Rating's control totals, with the rows that never reached it."""
        left_out = self.duplicates + self.conflict_count + len(self.rejected)
        return replace(
            control,
            records=control.records + left_out,
            duplicates=control.duplicates + self.duplicates,
            conflicts=control.conflicts + self.conflict_count,
            rejected=control.rejected + len(self.rejected),
            not_usage=control.not_usage + self.not_usage,
        )


@contextmanager
def open_usage(
    paths: Sequence[str | Path], options: ReadOptions | None = None, progress: FileProgress | None = None
) -> Iterator[UsageInput]:
    """Usage files of any kind that is recognised. InputError names the file that is not."""
    files = found_files(paths)
    columnar = [path for path in files if is_parquet(path)]
    if not columnar:
        yield in_memory(chain.from_iterable(_text_rows(path, options, progress) for path in files))
        return
    with engine() as run:
        ours = [path for path in columnar if is_usage_file(run, path)]
        others = [_column_rows(run, path, options) for path in columnar if path not in ours]
        others += [_text_rows(path, options, progress) for path in files if path not in columnar]
        if not ours:
            yield in_memory(chain.from_iterable(others))
            return
        with open_lake(ours) as lake:
            yield _mixed(lake, others) if others else _of_lake(lake)


def _text_rows(path: Path, options: ReadOptions | None, progress: FileProgress | None) -> Reading:
    with _hint_at_import(path):
        kind = sniff(head_of(path), str(path))
        source = text_source(path, partial(progress, path) if progress else None)
        yield from read(kind, source, options or ReadOptions())


def _column_rows(run: Engine, path: Path, options: ReadOptions | None) -> Reading:
    with _hint_at_import(path):
        kind = sniff(b"", str(path), columns=column_names(run, path))
        yield from read(kind, TextSource(str(path), rows=parquet_rows(run, path)), options or ReadOptions())


@contextmanager
def _hint_at_import(path: Path) -> Iterator[None]:
    """What only the flags of `offtake import` can say is missing: the message names them."""
    try:
        yield
    except InputError as error:
        if error.code not in ("U112", "U120", "U122"):
            raise
        found = error.findings[0]
        hint = f"offtake import {path.name} --out usage.parquet, with --from KIND, --map, --model, --vendor or --start"
        raise InputError(error.code, found.what, where=found.where, why=found.why, hint=f"say it to: {hint}") from error


def _mixed(lake: Lake, others: Sequence[Reading]) -> UsageInput:
    """Everything in memory, so that an id that stands in files of two kinds is found."""
    found, left_out = in_memory(chain(lake.ordered(EVER), *others)), lake.duplicates
    return replace(
        found,
        duplicates=found.duplicates + left_out.duplicates,
        conflict_count=found.conflict_count + left_out.conflicts,
    )


def in_memory(reading: Iterable[UsageRecord | Rejected | NotUsage]) -> UsageInput:
    """Usage out of records and rejected rows, without its duplicates and conflicts."""
    found = distinct(reading)
    return UsageInput(
        Records(found.facts),
        found.duplicates,
        found.conflicting,
        tuple(str(conflict) for conflict in found.conflicts),
        tuple(found.rejected),
        found.not_usage,
    )


def _of_lake(lake: Lake) -> UsageInput:
    left_out = lake.duplicates
    said = tuple(f"id {conflict.id} stands in rows that differ" for conflict in left_out.reported)
    return UsageInput(LakeSource(lake), left_out.duplicates, left_out.conflicts, said)


@dataclass(frozen=True, slots=True)
class LakeSource:
    """The engine of Parquet files as rating sees it."""

    lake: Lake

    def survey(self, workloads: bool) -> Survey:
        """Every lane that can occur."""
        found = self.lake.survey()
        lanes = {
            LaneKey(use.vendor, use.model, use.channel, use.access, use.region, grain, workload)
            for use in found.models
            for grain in found.grains
            for workload in (found.workloads if workloads else ("",))
        }
        last = found.span.end - timedelta(microseconds=1) if found.span else None
        return Survey(tuple(sorted(lanes)), found.span.start if found.span else None, last)

    def group(self, plan: GroupPlan) -> Grouped:
        """The groups of the rows that stay."""
        return self.lake.group(plan)

    def ordered(self, interval: Interval) -> Iterator[UsageRecord]:
        """The rows of an interval that stay, in (used_at, id) order."""
        return self.lake.ordered(interval)
