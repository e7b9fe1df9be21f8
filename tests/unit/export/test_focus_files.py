"""FOCUS files: what is written comes back, typed, from CSV and from Parquet."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

from offtake.export import focus, focus_files
from offtake.export.focus_check import check
from offtake.export.focus_columns import NAMES, Row
from tests.unit.export.made import TERM, contract, invoices, month, purchase, unused, usage

COVERED = {"commitment": "spend", "commitment_status": "used"}


def rows() -> list[Row]:
    lines = [
        purchase(TERM, 1200, 1200),
        usage(month(1), 4, 15, 12, 0, by={"tag:team": 'the "quoted", one'}, why="4M × $12\nin two lines", **COVERED),
        unused(TERM, 1152, 0),
    ]
    return list(focus.rows(invoices((month(1), lines)), contract()))


def test_csv_is_plain_and_comes_back() -> None:
    file = io.StringIO()
    assert 3 == focus_files.write_csv(rows(), file)
    header, first = file.getvalue().splitlines()[:2]
    assert ",".join(NAMES) == header
    assert first.startswith("1200,acme-2025,Acme Corp,USD,2025-05-01T00:00:00Z,2025-04-01T00:00:00Z,,,Purchase,")
    file.seek(0)
    back = list(focus_files.read_csv(file))
    assert rows() == back
    assert [] == check(back, whole_term=True)


def test_a_csv_field_of_another_type_is_a_violation() -> None:
    file = io.StringIO()
    focus_files.write_csv(rows(), file)
    back = list(focus_files.read_csv(io.StringIO(file.getvalue().replace("1200,acme", '"$1,200.00",acme', 1))))
    assert ["BilledCost-C-002-M"] == [violation.rule for violation in check(back)]


def test_parquet_is_typed_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "o'clock.parquet"
    assert 3 == focus_files.write_parquet(rows(), path)
    types = focus_files.parquet_types(path)
    assert NAMES == tuple(types)
    assert "DECIMAL(38,18)" == types["BilledCost"] == types["CommitmentDiscountQuantity"]
    assert "TIMESTAMP WITH TIME ZONE" == types["ChargePeriodStart"]
    assert "VARCHAR" == types["CapacityReservationId"] == types["Tags"]  # null throughout, and still typed
    back = focus_files.read_parquet(path)
    assert rows() == back
    assert [] == check(back, whole_term=True)


def test_eighteen_decimals_survive_parquet(tmp_path: Path) -> None:
    path = tmp_path / "focus.parquet"
    tiny = Decimal("0.000000000000000001")
    focus_files.write_parquet([{**row, "EffectiveCost": tiny} for row in rows()], path)
    assert [tiny] * 3 == [row["EffectiveCost"] for row in focus_files.read_parquet(path)]


def test_no_rows_give_a_file_with_columns(tmp_path: Path) -> None:
    path = tmp_path / "focus.parquet"
    assert 0 == focus_files.write_parquet([], path)
    assert NAMES == tuple(focus_files.parquet_types(path))
    assert [] == focus_files.read_parquet(path)
