"""The command line as a whole: quick, quiet where it should be, and never a traceback for bad input."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from offtake import __version__
from offtake.cli import main as face
from offtake.values.errors import ContractError, OfftakeError, Place

HEAVY = ("pydantic", "duckdb", "rich", "genai_prices", "ruamel", "pyarrow")


def offtake(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "offtake.cli", *arguments], capture_output=True, text=True, check=False
    )


def test_help_names_every_command_and_loads_nothing_heavy() -> None:
    code = "import sys\nfrom offtake.cli.main import run\nrun(['--help'])\n"
    code += f"print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.splitlines()[-1]
    assert [] == [name for name in face.COMMANDS if f"\n  {name} " not in done.stdout]


def test_help_comes_at_once() -> None:
    """Under 0.3 s; the best of three, since the machine has other work too."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        offtake("--help")
        seconds.append(time.perf_counter() - start)

    assert min(seconds) < 0.3


def test_the_version() -> None:
    assert f"offtake {__version__}\n" == offtake("--version").stdout


@pytest.mark.parametrize("name", face.COMMANDS)
def test_a_command_says_in_its_help_what_the_table_says(name: str) -> None:
    command = face.LazyGroup().get_command(click.Context(face.offtake), name)

    assert command is not None
    assert command.help, "a docstring"
    assert name == command.name
    assert [] == [option.name for option in command.params if isinstance(option, click.Option) and not option.help]


def test_a_mistyped_command_gets_the_nearest_one() -> None:
    done = offtake("rat")

    assert 2 == done.returncode
    assert "" == done.stdout
    assert "No such command 'rat'. Did you mean 'rate'?" in done.stderr


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail() -> None:
        raise error

    monkeypatch.setattr(face.LazyGroup, "get_command", lambda *_: click.Command("rate", callback=fail))
    return face.run(["rate"])


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (
            ContractError("C202", "the key 'fees' stands twice", where=Place("c.yaml", 9, 1), hint="remove one"),
            3,
            "c.yaml:9:1: error[C202]: the key 'fees' stands twice\n  hint: remove one\n",
        ),
        (OfftakeError("R400", "something is found"), 1, "error[R400]: something is found\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (
            click.UsageError("no such option"),
            2,
            "Usage: offtake rate [OPTIONS]\nTry 'offtake rate --help' for help.\n\nError: no such option\n",
        ),
        (
            PermissionError(13, "Permission denied", "invoices.json"),
            4,
            "error[O510]: invoices.json: Permission denied\n"
            "  hint: check the path, its permissions and the room on the disk\n",
        ),
    ],
)
def test_an_error_becomes_words_and_an_exit_code(
    error: BaseException, code: int, words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code == raising(monkeypatch, error)
    captured = capsys.readouterr()
    assert "" == captured.out
    assert words == captured.err.lstrip("\n")


def test_a_bug_is_not_dressed_up_as_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        raising(monkeypatch, ZeroDivisionError())


@pytest.mark.parametrize(("result", "code"), [(None, 0), (1, 1)])
def test_what_a_command_returns_is_the_exit_code(
    result: int | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(face.LazyGroup, "get_command", lambda *_: click.Command("rate", callback=lambda: result))

    assert code == face.run(["rate"])


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_leaves_is_no_error() -> None:
    """As `offtake … | head -1`: the pipe is closed before the first byte."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "offtake.cli", "--help"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)

    assert "" == done.stderr
    assert 1 == done.returncode


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = offtake("rate", str(tmp_path / "none.csv"))

    assert 2 == done.returncode
    assert "none.csv" in done.stderr
    assert "Traceback" not in done.stderr
