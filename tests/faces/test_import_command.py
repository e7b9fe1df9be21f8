"""`offtake import`: one usage file out of any, which rates like the rows it was made of."""

from __future__ import annotations

import json
from pathlib import Path

from tests.faces.conftest import USAGE, Offtake


def test_an_imported_file_rates_as_the_one_it_was_made_of(
    offtake: Offtake, usage: Path, contract: Path, tmp_path: Path
) -> None:
    out = tmp_path / "usage.parquet"
    done = offtake("import", usage, "--out", out)
    flags = ("--contract", contract, "--format", "json")

    assert (0, "") == (done.code, done.out)
    assert "wrote 4 rows" in done.err
    assert offtake("rate", usage, *flags).out == offtake("rate", out, *flags).out
    assert offtake("rate", usage, *flags, "--by", "record").out == offtake("rate", out, *flags, "--by", "record").out


def test_files_of_two_kinds_meet_without_their_duplicates(
    offtake: Offtake, usage: Path, contract: Path, tmp_path: Path
) -> None:
    out = tmp_path / "usage.parquet"
    offtake("import", usage, "--out", out)
    both = json.loads(offtake("rate", out, usage, "--contract", contract, "--format", "json").out)

    assert "214.65" == both["total"]
    assert (8, 4) == (both["control"]["records"], both["control"]["duplicates"])


def test_rows_that_cannot_be_read_are_kept_aside(offtake: Offtake, usage: Path, tmp_path: Path) -> None:
    usage.write_text(USAGE + "a5,2026-02-07T12:00:00Z,claude-haiku-4-5,chat,,realtime,ok,-1,,200000\n")
    done = offtake("import", usage, "--out", tmp_path / "usage.parquet", "--format", "json")
    document = json.loads(done.out)

    assert 1 == done.code
    control = {"records": 5, "written": 4, "duplicates": 0, "conflicts": 0, "rejected": 1, "not_usage": 0}
    assert control == document["control"]
    assert '"line": 6' in Path(document["rejects"]).read_text()


def test_columns_of_any_name_are_mapped(offtake: Offtake, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.csv"
    theirs.write_text("when,llm,in,out\n2026-01-05 12:00:00,claude-opus-4.7,10,20\n")
    done = offtake(
        "import", theirs, "--out", tmp_path / "usage.parquet", "--time-zone", "Europe/Berlin",
        "--map", "used_at=when", "--map", "model=llm", "--map", "input_tokens=in", "--map", "output_tokens=out",
        "--tag", "team=search",
    )  # fmt: skip

    assert 0 == done.code
    assert '"search"' in offtake("rate", tmp_path / "usage.parquet", "--by", "tag:team", "--format", "json").out


def test_a_flag_that_cannot_be_read(offtake: Offtake, usage: Path, tmp_path: Path) -> None:
    out = tmp_path / "usage.parquet"

    assert 2 == offtake("import", usage, "--out", out, "--map", "model").code
    assert 2 == offtake("import", usage, "--out", out, "--time-zone", "Mars/Olympus").code
    assert 2 == offtake("import", usage, "--out", out, "--from", "excel").code
    assert not out.exists()
