"""`offtake schema` prints what is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from offtake.cli.main import run
from offtake.store.shipped import shipped


@pytest.mark.parametrize("file", ["contract", "negotiation"])
def test_the_shipped_schema_is_the_one_of_the_code(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run(["schema", file])
    assert shipped(f"schema/{file}.schema.json").read_text() == capsys.readouterr().out, (
        f"run `offtake schema {file} --out schema/{file}.schema.json`"
    )


def test_the_schema_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "contract.schema.json"

    assert 0 == run(["schema", "--out", str(out)])
    assert "Offtake contract" == json.loads(out.read_text())["title"]
    assert "" == capsys.readouterr().out


def test_a_schema_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run(["schema", "invoice"])
    assert "'contract', 'negotiation'" in capsys.readouterr().err
