"""What the pages show works as it stands: commands run, contracts check.

A `console` block holds commands (`$ offtake …`) and what they print. Commands run in the repository, each block in a
scratch copy of the folders that it may read; `offtake demo`, which many begin with, is made once, and copied. A `yaml`
block that starts with `contract:` is a whole contract.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "contracts" / "README.md"]


def blocks(language: str) -> list[tuple[str, str]]:
    """(page:line, text) of each fenced block of a language."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            found.append((f"{page.relative_to(ROOT)}:{line}", match[1]))
    return found


def sessions(block: str) -> list[tuple[list[str], str]]:
    """(arguments, what is printed) of each `$ offtake …` in a block; other commands are for people."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    split = [part.partition("\n") for part in parts]
    return [(shlex.split(command)[1:], printed) for command, _, printed in split if command.startswith("offtake ")]


@pytest.mark.parametrize("block", [pytest.param(text, id=where) for where, text in blocks("console")])
def test_a_command_on_a_page_prints_what_the_page_says(
    block: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for name in ("contracts", "schema"):
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    for arguments, printed in sessions(block):
        if arguments[0] == "demo" and not printed.strip():
            name = arguments[2] if "--out" in arguments else "offtake-demo"
            shutil.copytree(request.getfixturevalue("demo").folder, tmp_path / name)
            continue
        done = subprocess.run(
            [sys.executable, "-m", "offtake.cli", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr
        assert "No module named" not in done.stderr
        if printed.strip():
            assert [line.rstrip() for line in printed.strip().splitlines()] == [
                line.rstrip() for line in done.stdout.strip().splitlines()
            ]


@pytest.mark.parametrize(
    "block", [pytest.param(text, id=where) for where, text in blocks("yaml") if text.startswith("contract:")]
)
def test_a_contract_on_a_page_checks_clean(block: str, tmp_path: Path) -> None:
    contract = tmp_path / "contract.yaml"
    contract.write_text(block)
    done = subprocess.run(
        [sys.executable, "-m", "offtake.cli", "check", "--strict", str(contract)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


def test_sessions_are_read_from_a_block() -> None:
    block = "$ make demo\n$ offtake check c.yaml\nclean\n$ offtake show c.yaml\n"

    assert [(["check", "c.yaml"], "clean\n"), (["show", "c.yaml"], "")] == sessions(block)
