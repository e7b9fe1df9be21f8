"""`offtake plan --report`: files that are written whole or not at all, and what is refused."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import openpyxl
import pytest

from offtake.cli.plan_progress import Progress
from offtake.operations import plan_extra
from offtake.planner.offers.problem import Watch
from tests.faces.conftest import Offtake
from tests.unit.export.plans import DIRECT, write_usage

AT = ("--at", "2026-08-01")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_usage(tmp_path / "usage.csv")
    (tmp_path / "direct.yaml").write_text(DIRECT)
    return tmp_path


def test_a_page_and_a_workbook_stand_beside_the_answer(offtake: Offtake, folder: Path) -> None:
    command = (
        "plan", "usage.csv", "--offers", "direct.yaml", "--batchable", "nightly=100%", *AT, "--report", "a plan.html",
        "--report", "plan.XLSX", "--format", "csv",
    )  # fmt: skip
    done = offtake(*command)

    assert 0 == done.code, done.err
    assert "wrote a plan.html\nwrote plan.XLSX\n" == done.err
    assert done.out.startswith("workload,")
    html = (folder / "a plan.html").read_text()
    assert "<b>$496,896</b> a year" in html
    assert "What each clause of direct is worth a year" in html
    again = re.findall(r"<pre><code>(.*?)</code></pre>", html)
    assert ["offtake", *command] == shlex.split(unescape(again[0]))
    book = openpyxl.load_workbook(io.BytesIO((folder / "plan.XLSX").read_bytes()), data_only=True)
    assert "Sign direct at $1,200,000.00, route all to direct (1 moved to batch)" in book["Answer"]["A1"].value
    assert 1_288_704 == book["Answer"]["B7"].value
    assert {"usage.csv", "direct.yaml", "a plan.html", "plan.XLSX"} == {each.name for each in folder.iterdir()}


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_of_the_answer_may_leave_before_it_and_the_report_is_there(folder: Path) -> None:
    """As `offtake plan … --report plan.html | head -1`, with a reader that does not even wait for the first line."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "offtake.cli", "plan", "usage.csv", "--offers", "direct.yaml", *AT]
    done = subprocess.run(
        [*command, "--report", "plan.html"], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)

    assert (1, "wrote plan.html\n") == (done.returncode, done.stderr)
    assert "What each clause of direct is worth a year" in (folder / "plan.html").read_text()


def test_the_same_question_gives_the_same_page(offtake: Offtake, folder: Path) -> None:
    pages = []
    for _ in range(2):
        assert 0 == offtake("plan", "usage.csv", *AT, "--report", "plan.html").code
        pages.append((folder / "plan.html").read_bytes())

    assert pages[0] == pages[1]


def test_a_search_that_is_stopped_writes_its_best_plan(
    offtake: Offtake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searching = Progress.searching

    @contextmanager
    def stopped(self: Progress) -> Iterator[Watch]:
        with searching(self) as watch:
            os.kill(os.getpid(), signal.SIGINT)
            yield watch

    monkeypatch.setattr(Progress, "searching", stopped)
    done = offtake(
        "plan", "usage.csv", "--offers", "direct.yaml", "--scenarios", "30", *AT, "--report", "plan.html", "--report",
        "plan.xlsx",
    )  # fmt: skip

    assert 130 == done.code, done.err
    assert "stopping with the best plan so far" in done.err
    assert "The search was stopped: this is its best plan so far" in (folder / "plan.html").read_text()
    assert (folder / "plan.xlsx").stat().st_size


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        (["plan.pdf"], 2, "'plan.pdf' ends neither in .html nor in .xlsx"),
        (["plan"], 2, "'plan' ends neither in .html nor in .xlsx"),
        (["plan.html", "plan.html"], 2, "--report and --report name one file"),
        (["usage.html"], 2, "usage.html is one of the files to read"),
        (["nowhere/plan.html"], 4, "cannot write nowhere/plan.html"),
    ],
)
def test_a_report_that_cannot_be_is_refused(
    files: list[str], code: int, words: str, offtake: Offtake, folder: Path
) -> None:
    (folder / "usage.html").write_text((folder / "usage.csv").read_text())
    usage = "usage.html" if files == ["usage.html"] else "usage.csv"
    flags = [part for file in files for part in ("--report", file)]
    done = offtake("plan", usage, *AT, *flags)

    assert code == done.code
    assert words in done.err
    assert not (folder / "plan.html").exists()


def test_a_report_and_the_output_are_two_files(offtake: Offtake) -> None:
    done = offtake("plan", "usage.csv", *AT, "--report", "plan.html", "--out", "./plan.html")

    assert 2 == done.code
    assert "--report and --out name one file" in done.err or "--out and --report name one file" in done.err


def test_a_workbook_without_its_library_says_what_to_install(
    offtake: Offtake, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(plan_extra, "find_spec", lambda name: None if name == "xlsxwriter" else found(name))
    done = offtake("plan", "usage.csv", *AT, "--report", "plan.xlsx")

    assert 4 == done.code
    assert "O514" in done.err
    assert "pip install 'offtake[office]'" in done.err
    assert not (folder / "plan.xlsx").exists()
