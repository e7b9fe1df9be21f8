"""Reading the fixtures: small files in the documented shapes, made for these tests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from offtake.usage.reading import ReadOptions, read
from offtake.usage.record import UsageRecord
from offtake.usage.rows import NotUsage, Rejected, TextSource

Row = UsageRecord | Rejected | NotUsage
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "usage"
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def reading(kind: str, file: str, options: ReadOptions | None = None) -> list[Row]:
    return reading_text(kind, (FIXTURES / file).read_text(), options, file)


def reading_text(kind: str, text: str, options: ReadOptions | None = None, file: str = "u") -> list[Row]:
    source = TextSource(file, text.splitlines(keepends=True))
    return list(read(kind, source, options or ReadOptions()))


def records(read_rows: list[Row]) -> list[UsageRecord]:
    return [row for row in read_rows if isinstance(row, UsageRecord)]


def rejected(read_rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(str(row.where), row.code, row.error) for row in read_rows if isinstance(row, Rejected)]
