"""FOCUS rows as files: CSV for people, Parquet for tools. Writing whole or not at all is the caller's business.

CSV: UTF-8, instants as 2026-03-01T00:00:00Z, plain decimals, an empty field for null. Parquet: DECIMAL(38,18) and
TIMESTAMP WITH TIME ZONE, typed even where a column is null throughout. Both come back as the same rows.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TextIO

from offtake.export.focus_columns import BY_NAME, COLUMNS, NAMES, PLACES, Row, Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SQL_TYPES = {
    "decimal": f"DECIMAL(38,{PLACES})",
    "datetime": "TIMESTAMPTZ",
    "string": "VARCHAR",
    "key_value": "VARCHAR",
}


def write_csv(rows: Iterable[Row], file: TextIO) -> int:
    """Write a header and the rows; returns how many. Open the file with `newline=""`."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(NAMES)
    count = 0
    for row in rows:
        writer.writerow([_text(row[name]) for name in NAMES])
        count += 1
    return count


def write_parquet(rows: Iterable[Row], path: Path) -> int:
    """Write the rows to `path` through DuckDB, in constant memory; returns how many."""
    with tempfile.TemporaryDirectory(prefix="offtake-focus-") as folder:
        between = Path(folder, "focus.csv")
        with between.open("w", encoding="utf-8", newline="") as file:
            count = write_csv(rows, file)
        types = ", ".join(f"'{column.name}': '{_SQL_TYPES[column.kind]}'" for column in COLUMNS)
        _query(
            f"COPY (SELECT * FROM read_csv(?, header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
            f"columns = {{{types}}})) TO {_quoted(path)} (FORMAT parquet, COMPRESSION zstd)",
            [str(between)],
        )
    return count


def read_csv(file: TextIO) -> Iterator[dict[str, Value]]:
    """The rows of a CSV, typed by their columns; a field that does not read as its type stays text, for the check."""
    for record in csv.DictReader(file):
        yield {name: _value(name, text) for name, text in record.items() if name is not None}


def read_parquet(path: Path) -> list[dict[str, Value]]:
    """The rows of a Parquet file, instants in UTC."""
    types = parquet_types(path)
    instants = {name for name, of in types.items() if of == "TIMESTAMP WITH TIME ZONE"}
    columns = ", ".join(f'epoch_us("{name}")' if name in instants else f'"{name}"' for name in types)
    records = _query(f"SELECT {columns} FROM read_parquet({_quoted(path)})")
    return [
        {name: _instant(value) if name in instants else value for name, value in zip(types, record, strict=True)}
        for record in records
    ]


def parquet_types(path: Path) -> dict[str, str]:
    """The type of each column of a Parquet file, as DuckDB names it."""
    return {record[0]: record[1] for record in _query(f"DESCRIBE SELECT * FROM read_parquet({_quoted(path)})")}


def _query(sql: str, parameters: list[str] | None = None) -> list[tuple[Any, ...]]:
    import duckdb

    with duckdb.connect() as connection:
        return connection.execute(sql, parameters or []).fetchall()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _instant(microseconds: int | None) -> Value:
    """An instant from its microseconds: DuckDB would want pytz to hand over a zone."""
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _value(name: str, text: str | None) -> Value:
    if not text:
        return None
    kind = BY_NAME[name].kind if name in BY_NAME else "string"
    try:
        if kind == "decimal":
            return Decimal(text)
        return datetime.fromisoformat(text) if kind == "datetime" else text
    except (ValueError, InvalidOperation):
        return text
