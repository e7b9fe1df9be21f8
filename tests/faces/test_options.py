"""The flags that commands share read what they say they read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from offtake.cli.options import (
    contract_option,
    format_option,
    out_option,
    pricing_options,
    usage_argument,
)


def read(*arguments: str) -> dict[str, Any]:
    """The keyword arguments that a command with every common flag is called with."""
    seen: dict[str, Any] = {}

    @click.command("all")
    @usage_argument()
    @contract_option()
    @pricing_options
    @format_option()
    @out_option
    def command(**values: Any) -> None:
        seen.update(values)

    done = CliRunner().invoke(command, list(arguments))
    if done.exit_code:
        raise click.UsageError(done.output)
    return seen


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    path = tmp_path / "usage.csv"
    path.touch()
    return path


def test_what_is_not_said_has_no_value(usage: Path) -> None:
    assert {
        "usage": (usage,),
        "contract": None,
        "catalogs": (),
        "at": None,
        "facts": (),
        "strict": False,
        "stance": None,
        "output_format": "table",
        "out": None,
    } == read(str(usage))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01", date(2026, 3, 1)),
        ("2026-03-01T12:00:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00+00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)),
    ],
)
def test_at_is_a_date_or_an_instant(text: str, instant: date, usage: Path) -> None:
    found = read(str(usage), "--at", text)["at"]

    assert (type(instant), instant) == (type(found), found)


@pytest.mark.parametrize("text", ["yesterday", "2026-02-30", "01.03.2026", ""])
def test_what_is_no_date_says_how_to_write_one(text: str, usage: Path) -> None:
    with pytest.raises(click.UsageError, match="2026-03-01T12:00:00Z"):
        read(str(usage), "--at", text)


def test_files_may_be_repeated_in_order(usage: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("list.yaml", "own.yaml")]
    for file in files:
        file.touch()

    assert tuple(files) == read(str(usage), "--catalog", str(files[0]), "--catalog", str(files[1]))["catalogs"]


@pytest.mark.parametrize("arguments", [["--format", "xml"], ["--stance", "wish"], ["--contract", "none.yaml"], []])
def test_a_wrong_flag_is_refused(arguments: list[str], usage: Path) -> None:
    with pytest.raises(click.UsageError):
        read(*([str(usage), *arguments] if arguments else []))
