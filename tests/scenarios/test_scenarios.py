"""Every scenario of ours and of the example contracts, one test each: `file: name`."""

from __future__ import annotations

from pathlib import Path

import pytest

from offtake.operations.scenarios.file import Scenario
from offtake.operations.scenarios.run import read_file, run_scenario, scenario_files

ROOT = Path(__file__).parents[2]
FOLDERS = ("golden", "focus", "systems", "meaning")
FILES = scenario_files([*(ROOT / "tests/scenarios" / folder for folder in FOLDERS), ROOT / "contracts"])
CASES = [
    pytest.param(scenario, id=f"{file.relative_to(ROOT)}: {scenario.name}")
    for file in FILES
    for scenario in read_file(file)
]


@pytest.mark.parametrize("scenario", CASES)
def test_scenario(scenario: Scenario) -> None:
    outcome = run_scenario(scenario)
    assert outcome.holds, str(outcome)
