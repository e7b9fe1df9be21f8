"""Long reads: progress at a terminal, silence in a pipe, and nothing half written after Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faces.conftest import HEADER, USAGE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")
COMMAND = [sys.executable, "-m", "offtake.cli"]


@pytest.fixture
def long_usage(tmp_path: Path) -> Path:
    """A file that takes seconds to read."""
    row = "{},2026-01-05T12:00:00Z,claude-opus-4.7,chat,search,realtime,ok,10,5,2\n"
    path = tmp_path / "long.csv"
    path.write_text(HEADER + "".join(row.format(f"r{number}") for number in range(200_000)))
    return path


@pytest.mark.parametrize("arguments", [["rate", "--format", "json"], ["rate", "--by", "record"], ["import"]])
def test_ctrl_c_leaves_what_was_there(arguments: list[str], long_usage: Path, tmp_path: Path) -> None:
    out = tmp_path / "results" / "out.parquet"
    out.parent.mkdir()
    out.write_text("what was there")
    command = [*COMMAND, *arguments, str(long_usage), "--out", str(out)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    printed, said = running.communicate(timeout=20)

    assert (130, "", "interrupted") == (running.returncode, printed, said.strip())
    assert [("out.parquet", "what was there")] == [(each.name, each.read_text()) for each in out.parent.iterdir()]


def test_progress_is_shown_at_a_terminal_only(tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(USAGE)
    command = [*COMMAND, "rate", str(usage)]
    quiet = subprocess.run(command, capture_output=True, text=True, check=True)
    ours, theirs = pty.openpty()
    subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, check=True, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)

    assert "reading usage" not in quiet.stderr
    assert "reading usage" in shown
