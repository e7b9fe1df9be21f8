"""Every command and flag has its place in docs/reference/commands.md."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from offtake.cli.main import COMMANDS, LazyGroup, offtake
from tests.docs.help_blocks import block_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "commands.md").read_text()
COMMON = PAGE.partition("\n## ")[0]


def section(name: str) -> str:
    found = re.search(rf"^## {name}$(.*?)(?=^## |\Z)", PAGE, flags=re.DOTALL | re.MULTILINE)
    assert found, f"no section `## {name}`"
    return found[1]


def flags(command: click.Command) -> set[str]:
    own = {option.opts[0] for option in command.params if isinstance(option, click.Option)}
    below = command.commands.values() if isinstance(command, click.Group) else []
    return own.union(*(flags(each) for each in below))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_section_that_names_its_flags(name: str) -> None:
    command = LazyGroup().get_command(click.Context(offtake), name)
    words = section(name)

    assert command is not None
    assert set() == {flag for flag in flags(command) if f"`{flag}" not in COMMON and flag not in words}


def test_the_page_has_no_section_for_what_is_not_there() -> None:
    assert set() == set(re.findall(r"^## (\S+)$", PAGE, flags=re.MULTILINE)) - set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_on_the_page_is_the_one_of_the_code(name: str) -> None:
    assert block_of(name) in section(name), "run `make fix`, or `python -m tests.docs.help_blocks`"
