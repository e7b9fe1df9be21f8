"""The table's columns hold a record whole, in DuckDB and in Arrow."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest

from offtake.usage.identity import Identities, body_hash
from offtake.usage.meters import METERS
from offtake.usage.record import UsageRecord
from offtake.usage.schema import COLUMNS, NAMES, arrow_schema, from_row, to_row

RECORD = UsageRecord(
    id="a",
    used_at=datetime(2026, 3, 1, 12, 0, 0, 7, tzinfo=UTC),
    model="m",
    vendor="v",
    quantities={"input_tokens": 3, "reasoning_tokens": 1, "output_tokens": 2, "web_searches": 4},
    tags={"team": "search", "it's": "a, {b}"},
    outcome=None,
    grain="hour",
    count=0,
    context_tokens=None,
    usage_known=False,
    latency_ms=9,
)


def test_a_record_survives_a_row() -> None:
    assert RECORD == from_row(to_row(RECORD))
    assert len(COLUMNS) == len(to_row(RECORD))


def test_a_record_survives_duckdb() -> None:
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE usage ({', '.join(column.ddl for column in COLUMNS)})")
        connection.execute(f"INSERT INTO usage VALUES ({', '.join('?' * len(COLUMNS))})", to_row(RECORD))
        row = connection.execute("SELECT * REPLACE (epoch_us(used_at) AS used_at) FROM usage").fetchone()

    assert row is not None
    assert RECORD == from_row(row)


def test_a_record_survives_arrow() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.Table.from_pylist([dict(zip(NAMES, to_row(RECORD), strict=True))], schema=arrow_schema(pyarrow))

    assert RECORD == from_row(tuple(table.to_pylist()[0].values()))


def test_every_meter_has_a_column() -> None:
    assert {meter.name for meter in METERS} <= set(NAMES)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"id": "b"}, True),
        ({"quantities": {**RECORD.quantities, "requests": 0}}, True),
        ({"tags": dict(reversed(list(RECORD.tags.items())))}, True),
        ({"quantities": {**RECORD.quantities, "requests": 1}}, False),
        ({"outcome": "ok"}, False),
        ({"tags": {}}, False),
        ({"latency_ms": 10}, False),
        ({"model": "M"}, False),
    ],
)
def test_the_body_is_all_but_the_id(change: dict[str, object], same: bool) -> None:
    assert same is (body_hash(RECORD) == body_hash(replace(RECORD, **change)))  # type: ignore[arg-type]


def test_ids_tell_equal_rows_apart_and_repeat_for_the_same_file() -> None:
    first, second = Identities("csv"), Identities("csv")
    ids = [first.of_row({"a": 1, "b": 2}), first.of_row({"b": 2, "a": 1}), first.of_row({"a": 2})]

    assert 3 == len(set(ids))
    assert ids == [second.of_row({"a": 1, "b": 2}), second.of_row({"a": 1, "b": 2}), second.of_row({"a": 2})]
    assert first.of_key([1]) == first.of_key([1])
    assert first.of_key([1]) != Identities("csv", "acme").of_key([1])
