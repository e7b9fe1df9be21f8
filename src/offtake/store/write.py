"""Writing usage files: records in, one Parquet file out, in time order, without duplicates, whole or not at all.

Rows reach DuckDB by its appender: 11 µs a row, against 14 for JSON and 10 for CSV through a temporary file (and the
care that their quoting needs), 38 for lists and 1,500 for `executemany`. They wait in a table that spills to disk; rows
of usage files stay where they are until the file is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offtake.store.duplicates import Duplicates, find_duplicates
from offtake.store.engine import Engine, Limits, engine, explained, text
from offtake.store.files import replacing_path
from offtake.store.survey import draw_card
from offtake.store.usage_files import CARD_KEY, METER_NAMES, PLACE, PLACED, ROW, open_usage_files
from offtake.usage.record import UsageRecord
from offtake.usage.schema import COLUMNS, NAMES, to_row
from offtake.values.errors import OutsideError

STAGED = "staged"
GIVEN = "given"
"""The view of all rows that a writer was given, numbered (`ROW`): those that it staged, and those of usage files."""
BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Written:
    """Of `records` rows given, `rows` were written; the others were left out as `duplicates` says."""

    records: int
    rows: int
    duplicates: Duplicates


@dataclass(slots=True)
class UsageWriter:
    """Takes records one by one, and usage files whole; `finish` writes the file. No row waits in Python's memory."""

    run: Engine
    records: int = 0
    _batch: list[tuple[Any, ...]] = field(default_factory=list)
    _files: list[Path] = field(default_factory=list)

    def add(self, record: UsageRecord) -> None:
        """Take a validated record."""
        where = record.where
        self._batch.append((*to_row(record), where.file if where else None, where.line if where else None))
        self.records += 1
        if len(self._batch) >= BATCH_ROWS:
            self._flush()

    def add_file(self, path: Path) -> None:
        """Take all rows of a usage file of ours. InputError where it is damaged or of other columns."""
        self.records += open_usage_files(self.run, [path]).rows
        self._files.append(path)

    def finish(self, path: Path) -> Written:
        """Write the file in place of what was there, without duplicates and conflicts."""
        self._flush()
        self._open()
        duplicates = find_duplicates(self.run, GIVEN, self.records)
        rows = write_relation(self.run, duplicates.kept(GIVEN), path, unique=True)
        if rows != self.records - duplicates.dropped:
            raise OutsideError("O513", f"{self.records:,} rows came in, {rows:,} went out", why="the engine lost rows")
        return Written(self.records, rows, duplicates)

    def finish_whole(self, path: Path) -> int:
        """Write every row, with where it was read from, for a lake that finds its duplicates among other files too."""
        self._flush()
        return write_relation(self.run, STAGED, path, unique=False, columns=(*NAMES, *PLACE))

    def _open(self) -> None:
        staged = f"SELECT *, rowid + {1 << 60} AS {ROW} FROM {STAGED}"  # beyond the rows of any file
        filed = f" UNION ALL BY NAME SELECT * EXCLUDE (file_row_number) FROM {PLACED}" if self._files else ""
        if self._files:
            open_usage_files(self.run, self._files)
        self.run.run(f"CREATE OR REPLACE VIEW {GIVEN} AS {staged}{filed}")

    def _flush(self) -> None:
        self.run.append(STAGED, self._batch)
        self._batch.clear()


@contextmanager
def usage_writer(limits: Limits | None = None) -> Iterator[UsageWriter]:
    """A writer; nothing is left of it where `finish` was not reached."""
    with engine(limits) as run:
        columns = ", ".join(column.ddl for column in COLUMNS)
        run.run(f"CREATE TABLE {STAGED} ({columns}, {PLACE[0]} VARCHAR, {PLACE[1]} BIGINT)")
        yield UsageWriter(run)


def write_usage(
    records: Iterable[UsageRecord],
    path: Path,
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
) -> Written:
    """Write validated records to a usage file. `progress` is called with the records taken so far."""
    with usage_writer(limits) as writer:
        for record in records:
            writer.add(record)
            if progress and writer.records % BATCH_ROWS == 0:
                progress(writer.records)
        return writer.finish(path)


def write_relation(run: Engine, relation: str, path: Path, unique: bool, columns: Sequence[str] = NAMES) -> int:
    """Write a relation of usage rows in time order, with its card; gives the number of rows.

    `unique` says that no id stands twice in it.
    """
    sums = ", ".join(f"sum({meter})" for meter in METER_NAMES)
    rows, *totals = run.rows(f"SELECT count(*), {sums} FROM {relation} AS kept")[0]
    quantities = {meter: int(total) for meter, total in zip(METER_NAMES, totals, strict=True) if total}
    card = draw_card(run, f"{relation} AS kept", rows, quantities, unique)
    with explained(), replacing_path(path) as beside:
        run.run(
            f"COPY (SELECT {', '.join(columns)} FROM {relation} AS kept ORDER BY kept.used_at, kept.id) "
            f"TO {text(beside)} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{CARD_KEY}: {text(card.dumps())}}})"
        )
    return int(rows)
