"""`offtake test`: run scenarios, and show what differs with the reason that the scenario gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_PATH

if TYPE_CHECKING:
    from offtake.operations.scenarios.run import Outcome


@click.command("test")
@click.argument("paths", nargs=-1, metavar="[DIR]", type=EXISTING_PATH)
@click.option("--name", metavar="TEXT", default="", help="Only scenarios whose name contains this.")
@click.option("-v", "--verbose", is_flag=True, help="Name the scenarios that hold, too.")
def command(paths: tuple[Path, ...], name: str, verbose: bool) -> int:
    """Run the scenarios in DIR (default: here), or in files as named.

    A scenario is a contract, some usage, and the amounts that must come of it, each with its arithmetic. Exit code 0:
    all hold; 1: some do not.

        offtake test contracts/mid-size
    """
    from offtake.operations.scenarios.run import run_file, scenario_files

    held, failed = 0, 0
    for file in scenario_files(paths or (Path(),)):
        for outcome in run_file(file, name):
            held += outcome.holds
            failed += not outcome.holds
            if verbose or not outcome.holds:
                _show(outcome)
    render.text(
        f"{held:,} {'scenario holds' if held == 1 else 'scenarios hold'}" + (f", {failed:,} fail" if failed else "")
    )
    return 1 if failed else 0


def _show(outcome: Outcome) -> None:
    render.text(
        f"{'ok  ' if outcome.holds else 'FAIL'} {outcome.place}: {outcome.name}", style="" if outcome.holds else "bold"
    )
    if outcome.error:
        render.text(f"  {outcome.error}")
    if outcome.mismatches:
        rows, said = [], ""
        for each in outcome.mismatches:
            rows.append((each.what, each.expected, each.got, each.because if each.because != said else "″"))
            said = each.because
        render.table(("", "expected", "got", "because"), rows, right=("expected", "got"))
