"""Opening usage for rating: our Parquet files go to the engine as they are, everything else is sniffed and read.

What does not reach rating is counted here, so that the control totals hold: rows = rated + duplicates + conflicts +
rejected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from offtake.rating.groups import Grouped, GroupPlan
from offtake.rating.lines import Control
from offtake.rating.source import LaneKey, Records, Source, Survey
from offtake.store.engine import engine
from offtake.store.files import temporary_folder
from offtake.store.lake import Lake, open_lake
from offtake.store.ledger.history import usage_of
from offtake.store.ledger.ledger import open_ledger
from offtake.store.parquet_rows import column_names, parquet_rows
from offtake.store.sources import found_files, head_of, is_parquet, is_sqlite, text_source
from offtake.store.usage_files import PLACED, is_usage_file
from offtake.store.write import usage_writer
from offtake.usage.duplicates import distinct
from offtake.usage.reading import Reading, ReadOptions, kind_of, read
from offtake.usage.record import UsageRecord
from offtake.usage.rows import NotUsage, Rejected, TextSource
from offtake.values.errors import InputError
from offtake.values.periods import Interval

if TYPE_CHECKING:
    from offtake.planner.profile.traffic import Traffic

IN_MEMORY_ROWS = 20_000  # some 40 MB of records
REJECTED_MAX = 100_000
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


Usage = Sequence[str | Path] | UsageInput
"""Files, or usage that is open already: several questions about it read it once."""


@contextmanager
def open_usage(
    paths: Usage, options: ReadOptions | None = None, progress: FileProgress | None = None, contract: str = ""
) -> Iterator[UsageInput]:
    """Usage files of any kind that is recognised. InputError names the file that is not.

    A gateway's ledger is one of them: what it has settled, under the named contract where one is named.
    Up to `IN_MEMORY_ROWS` rows of other people's files stay in memory. More, or such rows beside usage files of ours,
    go through a temporary usage file, so that memory is bounded and an id that stands in two files is found.
    """
    if isinstance(paths, UsageInput):
        yield paths
        return
    files = found_files(paths)
    ours = _usage_files(files)
    others = [path for path in files if path not in ours]
    rows = chain.from_iterable(_rows(path, options or ReadOptions(), progress, contract) for path in others)
    first = list(islice(rows, IN_MEMORY_ROWS))
    if not ours and len(first) < IN_MEMORY_ROWS:
        yield in_memory(first)
    elif not first:
        with open_lake(ours) as lake:
            yield _of_lake(lake, _LeftOut())
    else:
        with temporary_folder() as folder:
            left_out = _write_temporary(chain(first, rows), folder / "usage.parquet")
            first.clear()
            with open_lake([*ours, folder / "usage.parquet"]) as lake:
                yield _of_lake(lake, left_out)


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


def _usage_files(files: Sequence[Path]) -> list[Path]:
    """Those that are usage files of ours. InputError for one that says it is Parquet and cannot be read."""
    columnar = [path for path in files if is_parquet(path)]
    if not columnar:
        return []
    with engine() as run:
        return [path for path in columnar if is_usage_file(run, path)]


def _rows(path: Path, options: ReadOptions, progress: FileProgress | None, contract: str) -> Reading:
    """The rows of another's file, whose kind is sniffed."""
    with _hint_at_import(path):
        if is_sqlite(path):
            with closing(open_ledger(path)) as ledger:
                yield from usage_of(ledger, contract)
        elif is_parquet(path):
            with engine() as run:
                kind = kind_of(b"", str(path), options, column_names(run, path))
                yield from read(kind, TextSource(str(path), rows=parquet_rows(run, path)), options)
        else:
            kind = kind_of(head_of(path), str(path), options)
            yield from read(kind, text_source(path, partial(progress, path) if progress else None), options)


@contextmanager
def _hint_at_import(path: Path) -> Iterator[None]:
    """What only the flags of `offtake import` can say is missing: the message names them."""
    try:
        yield
    except InputError as error:
        if error.code not in ("U111", "U112", "U120", "U122"):
            raise
        found = error.findings[0]
        mapping = found.hint.rpartition(": ")[2] if "--map " in found.hint else ""
        flags = mapping or "with --from KIND, --map, --model, --vendor or --start"
        hint = f"offtake import {path.name} --out usage.parquet {flags}"
        raise InputError(error.code, found.what, where=found.where, why=found.why, hint=hint) from error


@dataclass(slots=True)
class _LeftOut:
    """What a reading holds beside its records."""

    rejected: list[Rejected] = field(default_factory=list)
    not_usage: int = 0


def _write_temporary(reading: Iterable[UsageRecord | Rejected | NotUsage], path: Path) -> _LeftOut:
    """Write the records of a reading to a usage file; gives the rest. InputError where too many rows are rejected."""
    left_out = _LeftOut()
    with usage_writer() as writer:
        for row in reading:
            if isinstance(row, UsageRecord):
                writer.add(row)
            elif isinstance(row, NotUsage):
                left_out.not_usage += 1
            elif len(left_out.rejected) < REJECTED_MAX:
                left_out.rejected.append(row)
            else:
                raise InputError(
                    "U150", f"more than {REJECTED_MAX:,} rows cannot be read, the last: {row.error}", where=row.where,
                    why="rejected rows are held in memory until they are reported",
                    hint="offtake import FILE --out usage.parquet keeps any number of them in a rejects file",
                )  # fmt: skip
        writer.finish_whole(path)
    return left_out


def _of_lake(lake: Lake, foreign: _LeftOut) -> UsageInput:
    left_out = lake.duplicates
    return UsageInput(
        LakeSource(lake),
        left_out.duplicates,
        left_out.conflicts,
        tuple(str(conflict) for conflict in left_out.reported),
        tuple(foreign.rejected),
        foreign.not_usage,
    )


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

    def traffic(self, thresholds: Sequence[int]) -> tuple[Traffic, ...]:
        """What a profile is made of, of the rows that stay."""
        from offtake.store.traffic import observe_usage

        return observe_usage(self.lake.run, self.lake.duplicates.kept(PLACED), thresholds)

    def ordered(self, interval: Interval) -> Iterator[UsageRecord]:
        """The rows of an interval that stay, in (used_at, id) order."""
        return self.lake.ordered(interval)
