"""Opening usage to rate: in memory, from Parquet, through a temporary file; the answer is the same and names places."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from offtake.operations import usage_input
from offtake.operations.import_usage import import_usage
from offtake.operations.usage_input import LakeSource, UsageInput, open_usage
from offtake.rating.groups import PRICE_DIMENSIONS, GroupPlan, Slice, group
from offtake.rating.source import Records
from offtake.store.engine import engine, text
from offtake.values.errors import InputError
from offtake.values.periods import Interval

YEAR = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
PLAN = GroupPlan(YEAR, (Slice(YEAR.start, YEAR.end, 0),), {}, PRICE_DIMENSIONS, ())
HEAD = "id,used_at,model,input_tokens\n"
FOCUS = "BilledCost,ChargeCategory,ChargePeriodStart,ChargePeriodEnd,ConsumedQuantity,ConsumedUnit,SkuMeter\n"


def row(number: int, tokens: object = 5) -> str:
    return f"r{number},2026-03-01T00:0{number}:00Z,claude-opus-4-7,{tokens}\n"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Rows of every fate: r3 is a duplicate, r4 a conflict of three rows, one is rejected."""
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text(HEAD + row(1) + row(2, "many") + row(3) + row(4))
    two.write_text(HEAD + row(3) + row(4, 6) + row(5) + row(4))
    return [one, two]


def left_out(opened: UsageInput) -> tuple[object, ...]:
    return opened.duplicates, opened.conflict_count, opened.conflicts, opened.rejected, opened.not_usage


def test_many_rows_go_through_a_temporary_file_and_answer_as_in_memory(
    files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with open_usage(files) as small:
        in_memory, kept = left_out(small), small.source.group(PLAN)
        assert isinstance(small.source, Records)
    monkeypatch.setattr(usage_input, "IN_MEMORY_ROWS", 3)
    with open_usage(files[::-1]) as large:
        assert isinstance(large.source, LakeSource)
        assert in_memory == left_out(large)
        assert {"input_tokens": 15} == kept.quantities
        assert kept.groups == group(list(large.source.ordered(YEAR)), PLAN).groups
        assert any(temporary.iterdir())
    assert (1, 3, (f"{files[1]}:3: id r4 stands with other values in {files[0]}:5",)) == in_memory[:3]
    assert [] == list(temporary.iterdir())


def test_an_id_in_conflict_with_a_usage_file_is_found_and_both_places_are_named(
    files: list[Path], tmp_path: Path
) -> None:
    ours = tmp_path / "ours.parquet"
    (tmp_path / "old.csv").write_text(HEAD + row(1, 9) + row(4))
    import_usage([tmp_path / "old.csv"], ours)
    for paths in ([ours, *files], [*files, ours]):
        with open_usage(paths) as opened:
            assert ["r3", "r5"] == [record.id for record in opened.source.ordered(YEAR)]
            assert (1, 6, 1) == (opened.duplicates, opened.conflict_count, len(opened.rejected))
            assert f"{ours}:1: id r1 stands with other values in {files[0]}:2" in opened.conflicts


def test_foreign_parquet_is_recognised_by_its_columns(tmp_path: Path) -> None:
    table, parquet = tmp_path / "focus.csv", tmp_path / "focus.parquet"
    day = "2026-03-01T00:00:00Z,2026-03-02T00:00:00Z"
    table.write_text(f"{FOCUS}7.5,Usage,{day},2500,Tokens,Input Tokens\n1.5,Tax,{day},,,\n")
    with engine() as run:
        columns = "*, 'claude-opus-4-7' AS x_ModelId"
        run.run(f"COPY (SELECT {columns} FROM read_csv({text(table)})) TO {text(parquet)} (FORMAT parquet)")
    with open_usage([parquet]) as opened:
        assert [{"input_tokens": 2500}] == [record.quantities for record in opened.source.ordered(YEAR)]
        assert (0, 1) == (len(opened.rejected), opened.not_usage)


def test_parquet_with_our_columns_that_we_did_not_write_is_checked_row_by_row(
    files: list[Path], tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours.parquet", tmp_path / "theirs.parquet"
    import_usage(files, ours)
    with engine() as run:
        wrong = "* REPLACE (CASE id WHEN 'r1' THEN -5 WHEN 'r3' THEN 10**18 ELSE 6 END::BIGINT AS input_tokens)"
        run.run(f"COPY (SELECT {wrong} FROM read_parquet({text(ours)})) TO {text(theirs)} (FORMAT parquet)")
    with open_usage([theirs]) as opened:
        assert ["U105", "U105"] == [row.code for row in opened.rejected]
        assert [("r5", 6)] == [(row.id, row.quantities["input_tokens"]) for row in opened.source.ordered(YEAR)]
    with open_usage([ours, theirs]) as opened:
        assert (2, 2) == (opened.conflict_count, len(opened.rejected))


def test_parquet_of_nothing_we_know_is_an_error_that_names_its_columns(tmp_path: Path) -> None:
    parquet = tmp_path / "theirs.parquet"
    with engine() as run:
        run.run(f"COPY (SELECT 1 AS colour, 2 AS weight) TO {text(parquet)} (FORMAT parquet)")
    with pytest.raises(InputError) as caught, open_usage([parquet]):
        pass
    [found] = caught.value.findings
    assert ("U120", str(parquet), "it holds colour, weight") == (found.code, str(found.where), found.why)
    assert "offtake import theirs.parquet" in found.hint


def test_more_rejected_rows_than_memory_should_hold_end_the_run(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_input, "IN_MEMORY_ROWS", 1)
    monkeypatch.setattr(usage_input, "REJECTED_MAX", 0)
    with pytest.raises(InputError, match="more than 0 rows cannot be read"), open_usage(files):
        pass
