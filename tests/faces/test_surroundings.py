"""What surrounds a command: locales, terminals, pipes that close, full disks. Data stays whole, without a traceback."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faces.conftest import HEADER, Offtake

COMMAND = [sys.executable, "-m", "offtake.cli"]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals and pipes of POSIX")


def at_a_terminal(columns: int, arguments: list[str], **environment: str) -> str:
    """What a person sees on a terminal so wide."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **environment}
    subprocess.run([*COMMAND, *arguments], stdout=theirs, stderr=subprocess.DEVNULL, check=False, env=env)
    os.close(theirs)
    shown = b""
    try:
        while block := os.read(ours, 65_536):
            shown += block
    except OSError:  # the end, on Linux
        pass
    os.close(ours)
    return shown.decode("utf-8", "replace")


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_a_narrow_terminal_cuts_no_number(columns: int, usage: Path, contract: Path) -> None:
    shown = at_a_terminal(columns, ["rate", str(usage), "--contract", str(contract)], NO_COLOR="1")

    for number in ("$100.00", "1,000,000", "$4.2500/M"):
        assert number in shown


def test_no_color_is_no_colour(usage: Path) -> None:
    colours = [f"\x1b[{code}m" for code in (*range(30, 38), *range(90, 98))]
    shown = at_a_terminal(80, ["rate", str(usage)], NO_COLOR="1")

    assert [] == [colour for colour in colours if colour in shown]


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.ISO-8859-1"])
def test_data_is_utf_8_in_any_locale(locale: str, tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(
        HEADER + "é─1,2026-01-05T12:00:00Z,claude-opus-4.7,chat,search,realtime,ok,1,,1\n", encoding="utf-8"
    )
    environment = {
        **os.environ,
        "LC_ALL": locale,
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "",
    }
    done = subprocess.run(
        [*COMMAND, "rate", str(usage), "--by", "record"], capture_output=True, check=True, env=environment
    )

    assert "é─1" == json.loads(done.stdout.splitlines()[0])["id"]


def test_a_reader_that_leaves_gets_what_it_read(tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    row = "{},2026-01-05T12:00:00Z,claude-opus-4.7,chat,search,realtime,ok,10,5,2\n"
    usage.write_text(HEADER + "".join(row.format(f"r{number}") for number in range(3_000)))
    running = subprocess.Popen(
        [*COMMAND, "rate", str(usage), "--by", "record"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert running.stdout is not None
    assert running.stderr is not None
    first = json.loads(running.stdout.readline())
    running.stdout.close()
    said = running.stderr.read()
    running.stderr.close()

    assert ("r0", 1, b"") == (first["id"], running.wait(20), said)


@pytest.mark.parametrize("closed", [">&-", "2>&-"])
def test_a_closed_stream_is_no_traceback(closed: str, usage: Path) -> None:
    command = f'"{sys.executable}" -m offtake.cli rate "{usage}" {closed}'
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)

    assert (0, False) == (done.returncode, "Traceback" in done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_exits_4(usage: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "rate", str(usage)], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert 4 == done.returncode
    assert "error[O510]: No space left on device" in done.stderr


def test_a_folder_that_is_not_there_exits_4(offtake: Offtake, usage: Path, tmp_path: Path) -> None:
    done = offtake("rate", usage, "--out", tmp_path / "none" / "out.json")

    assert (4, "") == (done.code, done.out)
    assert "error[O510]: cannot write" in done.err
