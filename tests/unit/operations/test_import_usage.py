"""Import: every row is written, dropped as a duplicate, or kept aside with its reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from offtake.operations.import_usage import import_usage
from offtake.store.engine import engine, text
from offtake.store.lake import open_lake
from offtake.usage.reading import ReadOptions
from offtake.values.errors import InputError

HEAD = "id,used_at,model,input_tokens\n"


def row(number: int, tokens: object = 5) -> str:
    return f"r{number},2026-03-01T00:0{number}:00Z,claude-opus-4-7,{tokens}\n"


def test_each_row_has_one_fate(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + row(1) + row(2, "many") + row(3) + row(4))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress((HEAD + row(3) + row(4, 6)).encode()))
    out = tmp_path / "usage.parquet"
    found = import_usage([tmp_path / "a.csv", tmp_path / "b.csv.gz"], out)
    assert (5, 2, 1, 2, 1) == (
        found.records, found.written, found.duplicates.duplicates, found.duplicates.conflicts, found.rejected,
    )  # fmt: skip
    assert not found.complete
    assert {"csv"} == set(found.kinds.values())
    assert found.rejects == tmp_path / "usage.parquet.rejects.jsonl"
    rejected, *conflicts = [json.loads(line) for line in found.rejects.read_text().splitlines()]
    assert (str(tmp_path / "a.csv"), 3, "U105") == (rejected["file"], rejected["line"], rejected["code"])
    assert "many" in rejected["raw"]
    assert [("a.csv", 5, "U149", "r4", 5), ("b.csv.gz", 3, "U149", "r4", 6)] == [
        (Path(each["file"]).name, each["line"], each["code"], each["record"]["id"],
         each["record"]["quantities"]["input_tokens"])
        for each in conflicts
    ]  # fmt: skip
    assert [f"{tmp_path}/b.csv.gz:3: id r4 stands with other values in {tmp_path}/a.csv:5"] == [
        str(each) for each in found.duplicates.reported
    ]
    with open_lake([out]) as lake:
        assert (2, True) == (lake.records, lake.files.unique)


def test_a_clean_import_leaves_no_rejects_file_and_its_result_imports_again(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + row(1) + row(2))
    one, two = tmp_path / "one.parquet", tmp_path / "two.parquet"
    (tmp_path / "two.parquet.rejects.jsonl").write_text("of an earlier run\n")
    assert import_usage([tmp_path / "a.csv"], one).complete
    again = import_usage([one, tmp_path / "a.csv"], two)
    assert (4, 2, 2, None) == (again.records, again.written, again.duplicates.duplicates, again.rejects)
    assert {"usage", "csv"} == set(again.kinds.values())
    assert {"a.csv", "one.parquet", "two.parquet"} == {path.name for path in tmp_path.iterdir()}


def test_foreign_parquet_is_read_by_its_columns(tmp_path: Path) -> None:
    foreign = tmp_path / "theirs.parquet"
    with engine() as run:
        run.run(
            "COPY (SELECT 'r1' AS id, TIMESTAMPTZ '2026-03-01 12:00:00.5+02' AS used_at, 'gpt-5.4' AS model, "
            f"7 AS input_tokens) TO {text(foreign)} (FORMAT parquet)"
        )
    found = import_usage([foreign], tmp_path / "usage.parquet", options=ReadOptions(vendor="openai"))
    assert (1, 0, ["csv"]) == (found.written, found.rejected, list(found.kinds.values()))
    with open_lake([tmp_path / "usage.parquet"]) as lake:
        span = lake.survey().span
        assert span is not None
        [record] = lake.ordered(span)
    assert ("2026-03-01T10:00:00.500000+00:00", {"input_tokens": 7}) == (record.used_at.isoformat(), record.quantities)


def test_the_output_is_never_an_input(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(HEAD + row(1))
    with pytest.raises(InputError, match="one of the files to read"):
        import_usage([path], path)
    assert HEAD + row(1) == path.read_text()
