"""Rows of other people's Parquet files, as the readers take them: a mapping of column names to plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from offtake.store.engine import Engine, text
from offtake.store.usage_files import columns_of


def column_names(run: Engine, path: Path) -> tuple[str, ...]:
    """The file's columns. InputError where it is not Parquet."""
    return tuple(columns_of(run, path))


def parquet_rows(run: Engine, path: Path) -> Iterator[Mapping[str, Any]]:
    """The rows in the order of the file. Times are ISO 8601 text, as in CSV, with a zone where they have one."""
    columns = columns_of(run, path)
    chosen = ", ".join(_plain(_quoted(name), kind) for name, kind in columns.items())
    for values in run.stream(f"SELECT {chosen} FROM read_parquet({text(path)})"):
        yield dict(zip(columns, values, strict=True))


def _plain(name: str, kind: str) -> str:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.%fZ')"  # the engine's zone is UTC
    return f"{name}::VARCHAR" if kind.startswith(("TIMESTAMP", "DATE", "TIME", "UUID")) else name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
