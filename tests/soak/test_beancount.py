"""An independent double-entry checker reads our journal. Beancount is GPL: run as a program, never a dependency."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from offtake.export import beancount
from tests.unit.export.eight_figures import rated

pytestmark = pytest.mark.soak


@pytest.fixture(scope="module")
def bean_check(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scratch = tmp_path_factory.mktemp("beancount")
    subprocess.run([sys.executable, "-m", "venv", str(scratch)], check=True)
    installed = subprocess.run([scratch / "bin/pip", "install", "--quiet", "beancount"], check=False)
    if installed.returncode:
        pytest.skip("beancount cannot be installed from here")
    return scratch / "bin/bean-check"


def judged(bean_check: Path, journal: Path) -> tuple[int, str]:
    run = subprocess.run([bean_check, journal], capture_output=True, text=True, check=False)
    return run.returncode, run.stderr


def test_two_years_of_eight_figures_balance(bean_check: Path, tmp_path: Path) -> None:
    journal = tmp_path / "eight-figures.beancount"
    journal.write_text("".join(beancount.text(*rated())))
    assert (0, "") == judged(bean_check, journal)


def test_a_picodollar_is_missed(bean_check: Path, tmp_path: Path) -> None:
    """The checker would see an imbalance of 1e-12: the test above can fail."""
    journal = tmp_path / "wrong.beancount"
    whole = "".join(beancount.text(*rated()))
    line = next(line for line in whole.splitlines() if line.startswith("  Expenses:LLM:Claude"))
    account, amount, currency = line.split()
    off = f"{amount[:-1]}{(int(amount[-1]) + 1) % 10}"
    journal.write_text(whole.replace(line, f"  {account}  {off} {currency}", 1))
    code, words = judged(bean_check, journal)
    assert 1 == code
    assert "does not balance" in words
