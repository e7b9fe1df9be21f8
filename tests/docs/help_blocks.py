"""The help of each command as it stands in docs/reference/commands.md, between ```text and ```.

`python -m tests.docs.help_blocks` renews the page; a test compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from offtake.cli.main import COMMANDS, LazyGroup, offtake

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "commands.md"
WIDTH = 100


def block_of(name: str) -> str:
    """The fenced help of a command, and of each command below it."""
    command = LazyGroup().get_command(click.Context(offtake), name)
    assert command is not None
    return "```text\n" + "\n\n".join(_helps(command, f"offtake {name}")) + "\n```\n"


def _helps(command: click.Command, name: str) -> Iterator[str]:
    names = offtake.context_settings["help_option_names"]
    context = click.Context(command, info_name=name, terminal_width=WIDTH, help_option_names=names)
    yield "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    for below in command.commands if isinstance(command, click.Group) else ():
        yield from _helps(command.commands[below], f"{name} {below}")  # type: ignore[attr-defined]  # it is a Group


def renewed(page: str) -> str:
    """The page with every section's help as the code has it."""
    for name in COMMANDS:
        if f"\n## {name}\n" in page:
            page = _with_block(page, name, block_of(name))
    return page


def _with_block(page: str, name: str, block: str) -> str:
    before, _, rest = page.partition(f"\n## {name}\n")
    section, following, after = rest.partition("\n## ")
    prose = re.sub(r"```text\n.*?\n```\n", "", section, flags=re.DOTALL).strip()
    return f"{before}\n## {name}\n\n{prose}\n\n{block}{following}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
