"""Import: files of any kind we know become one usage file; every row is written, dropped as a duplicate, or kept aside.

Usage files of ours are read where they lie, all others once. Rows that cannot be read, and all rows of a conflicting
id, go to a rejects file beside the output with their place and reason, so that nothing is silently lost.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from offtake.store.duplicates import Duplicates, read_conflicts
from offtake.store.engine import Limits
from offtake.store.files import replacing
from offtake.store.parquet_rows import column_names, parquet_rows
from offtake.store.sources import Progress, found_files, head_of, is_parquet, same_file, text_source
from offtake.store.usage_files import is_usage_file
from offtake.store.write import GIVEN, UsageWriter, usage_writer
from offtake.usage.reading import NotUsage, ReadOptions, Rejected, TextSource, kind_of, read
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError

FileProgress = Callable[[Path, int, int], None]
"""Called with (file, bytes read, bytes in all)."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows: records = written + duplicates + conflicts, and `rejected` could not be read.

    `not_usage` rows are none by their format's own words, such as taxes; they are not among `records`. `kinds` says as
    what each file was read. `rejects` is the file with the rejected and the conflicting rows, None
    where there are none.
    """

    out: Path
    records: int
    written: int
    duplicates: Duplicates
    rejected: int
    not_usage: int
    kinds: Mapping[str, str]
    rejects: Path | None

    @property
    def complete(self) -> bool:
        """Whether every row could be read and believed."""
        return not self.rejected and not self.duplicates.conflicts


def import_usage(
    inputs: Iterable[str | Path],
    out: Path,
    *,
    kind: str = "auto",
    options: ReadOptions | None = None,
    rejects: Path | None = None,
    progress: FileProgress | None = None,
    limits: Limits | None = None,
) -> Imported:
    """Read files or patterns and write one usage file (by default with `<out>.rejects.jsonl` beside it).

    InputError for a file that cannot be opened, decoded or recognised: then nothing is written. An interrupt leaves
    nothing half written either.
    """
    paths = found_files(inputs)
    rejects = rejects or out.with_name(f"{out.name}.rejects.jsonl")
    for path, flag in ((out, "--out"), (rejects, "--rejects")):
        if same_file(path, paths):
            raise InputError("U148", f"{path} is one of the files to read", hint=f"name another file with {flag}")
    kinds: dict[str, str] = {}
    with usage_writer(limits) as writer, _rejects_file(rejects) as aside:
        for path in paths:
            kinds[str(path)] = _read_into(writer, aside, path, kind, options or ReadOptions(), progress)
        written = writer.finish(out)
        for record in read_conflicts(writer.run, GIVEN, written.duplicates):
            aside.conflict(record)
    return Imported(
        out=out,
        records=written.records,
        written=written.rows,
        duplicates=written.duplicates,
        rejected=aside.rejected,
        not_usage=aside.not_usage,
        kinds=kinds,
        rejects=rejects if aside.rows else None,
    )


def _read_into(
    writer: UsageWriter, aside: _Rejects, path: Path, kind: str, options: ReadOptions, progress: FileProgress | None
) -> str:
    """Read one file; gives the kind that it was read as."""
    if is_parquet(path):
        if kind == "auto" and is_usage_file(writer.run, path):
            writer.add_file(path)
            return "usage"
        source = TextSource(str(path), rows=parquet_rows(writer.run, path))
        kind = kind_of(b"", str(path), options, column_names(writer.run, path)) if kind == "auto" else kind
    else:
        kind = kind_of(head_of(path), str(path), options) if kind == "auto" else kind
        source = text_source(path, _of_file(path, progress) if progress else None)
    for row in read(kind, source, options):
        if isinstance(row, UsageRecord):
            writer.add(row)
        elif isinstance(row, NotUsage):
            aside.not_usage += 1
        else:
            aside.add(row)
    return kind


@dataclass(slots=True)
class _Rejects:
    """The rejects file under way: one JSON object a row, with its reason."""

    file: IO[bytes]
    rejected: int = 0
    not_usage: int = 0
    rows: int = 0

    def add(self, row: Rejected) -> None:
        """A row that could not be read."""
        self.rejected += 1
        self._write(file=row.where.file, line=row.where.line, code=row.code, error=row.error, raw=row.raw)

    def conflict(self, record: UsageRecord) -> None:
        """A row of an id that has differing rows."""
        fields = {name: value for name, value in asdict(record).items() if name != "where"}
        place = {"file": record.where.file, "line": record.where.line} if record.where else {}
        self._write(**place, code="U149", error=f"id {record.id} stands in rows that differ", record=fields)

    def _write(self, **values: object) -> None:
        self.rows += 1
        self.file.write(json.dumps(values, ensure_ascii=False, default=str).encode() + b"\n")


@contextmanager
def _rejects_file(path: Path) -> Iterator[_Rejects]:
    """A rejects file that is there in the end only where it has rows; one of an earlier run goes."""
    with replacing(path) as file:
        aside = _Rejects(file)
        yield aside
    if not aside.rows:
        path.unlink()


def _of_file(path: Path, progress: FileProgress) -> Progress:
    return lambda read_bytes, all_bytes: progress(path, read_bytes, all_bytes)
