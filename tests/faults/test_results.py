"""A result that `--out` names is there whole or not at all: after a kill, and where the disk has no room."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

HEAD = "id,used_at,model,vendor,input_tokens\n"
COMMAND = [sys.executable, "-m", "offtake.cli"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits and signals of POSIX")


def limited() -> None:
    """No file may grow beyond 64 KiB: what a full disk does, without a disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    """A file whose records make more than 64 KiB of results."""
    path = tmp_path / "usage.csv"
    rows = (f"r{number},2026-03-01T00:00:00Z,claude-opus-4-7,anthropic,{number + 1}\n" for number in range(30_000))
    path.write_text(HEAD + "".join(rows))
    return path


@pytest.mark.parametrize("command", ["rate --by record", "import", "export focus --by line --by day"])
def test_a_disk_without_room_leaves_what_was_there(command: str, usage: Path, tmp_path: Path) -> None:
    out = tmp_path / "results" / "out"
    out.parent.mkdir()
    out.write_text("what was there")
    arguments = [*COMMAND, *command.split(), str(usage), "--out", str(out)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, preexec_fn=limited)

    assert (4, "") == (done.returncode, done.stdout)
    assert "error[O510]" in done.stderr
    assert [("out", "what was there")] == [(each.name, each.read_text()) for each in out.parent.iterdir()]


@pytest.mark.parametrize("wait_seconds", [0.3, 1.5, 3.0])
def test_a_kill_leaves_the_old_result_or_the_new_one(wait_seconds: float, usage: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("what was there")
    running = subprocess.Popen([*COMMAND, "rate", "--by", "record", str(usage), "--out", str(out)])
    time.sleep(wait_seconds)
    running.kill()
    running.wait()

    text = out.read_text()
    assert text == "what was there" or '"id": null' in text.splitlines()[-1]
