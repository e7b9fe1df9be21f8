"""Bad usage files, each with the exit code and the exact words that a user gets from `offtake rate`.

OFFTAKE_RENEW=1 writes the words anew; read them then.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from offtake.cli.main import run

FOLDER = Path(__file__).parent / "bad" / "usage"
ENDING = ".expected.txt"
CASES = sorted(file for file in FOLDER.iterdir() if not file.name.endswith((ENDING, ".yaml")))


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.name)
def test_a_bad_usage_file_is_answered_in_these_words(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(FOLDER)
    code = run(["rate", file.name, "--contract", "contract.yaml", "--format", "json"])
    printed = capsys.readouterr()
    found = f"exit {code}\n{printed.err}"
    words = FOLDER / f"{file.name}{ENDING}"
    if os.environ.get("OFFTAKE_RENEW"):
        words.write_text(found)

    assert words.read_text() == found
    assert (code == 2) == (printed.out == ""), "an error comes without data, everything else with it"


def test_every_case_has_its_words_and_the_other_way_round() -> None:
    assert {file.name for file in CASES} == {file.name.removesuffix(ENDING) for file in FOLDER.glob(f"*{ENDING}")}
