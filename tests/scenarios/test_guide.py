"""The scenarios that the guide shows hold as they stand, beside the contract that it names."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from offtake.operations.scenarios.run import run_file

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs/guides/scenarios.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.partition("\n")[0])
def test_a_scenario_of_the_guide_holds(block: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "contracts/mid-size/contract.yaml", tmp_path)
    file = tmp_path / "scenarios" / "guide.yaml"
    file.parent.mkdir()
    file.write_text(block)

    assert [] == [str(outcome) for outcome in run_file(file) if not outcome.holds]
