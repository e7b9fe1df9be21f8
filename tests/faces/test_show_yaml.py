"""`offtake show --format yaml` writes a contract file that checks and prices as the one it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from offtake.cli.main import run
from offtake.contract.parse import parse

EXAMPLES = sorted((Path(__file__).parents[2] / "contracts").glob("*/contract.yaml"))


def test_every_example_is_written_back_with_every_term(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert EXAMPLES
    for example in EXAMPLES:
        again = tmp_path / f"{example.parent.name}.yaml"

        assert 0 == run(["show", str(example), "--format", "yaml", "--out", str(again)])

        assert "" == capsys.readouterr().out
        before, after = parse(example.read_text("utf-8"), "a"), parse(again.read_text("utf-8"), "b")
        assert [version.terms for version in before.versions] == [version.terms for version in after.versions]
