"""`offtake plan --report FILE`: a plan as a page for people (.html) and as a workbook for finance (.xlsx)."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import NEW_FILE
from offtake.values.errors import OutsideError

if TYPE_CHECKING:
    from offtake.operations.plan_offers import Asked
    from offtake.planner.offers.result import PlanResult

PAGE, WORKBOOK = (".html", ".htm"), ".xlsx"
AGAIN = "offtake.again"


def remember(ctx: click.Context, args: Sequence[str]) -> None:
    """Keep the command line, for the report to repeat."""
    ctx.meta[AGAIN] = shlex.join(("offtake", "plan", *args))


def _writable(ctx: click.Context, param: click.Parameter, files: tuple[Path, ...]) -> tuple[Path, ...]:
    """Refuse, before the search, a report that cannot be written."""
    from offtake.operations.plan_extra import need_office_extra

    for file in files:
        if file.suffix.lower() not in (*PAGE, WORKBOOK):
            raise click.BadParameter(f"{str(file)!r} ends neither in .html nor in .xlsx", ctx, param)
        if not file.parent.is_dir():
            raise OutsideError("O510", f"cannot write {file}: there is no such folder", hint="name another folder")
        if file.suffix.lower() == WORKBOOK:
            need_office_extra()
    return files


report_option = click.option(
    "--report", "reports", multiple=True, type=NEW_FILE, metavar="FILE", callback=_writable,
    help="Also write FILE.html, a page with pictures, or FILE.xlsx, a workbook with live formulas; may be repeated.",
)  # fmt: skip


def write_reports(
    reports: Sequence[Path], found: PlanResult, usage: Sequence[Path], offers: Sequence[str], asked: Asked
) -> None:
    """Write each file, whole or not at all, and say so on stderr."""
    from offtake.cli.plan_shown import answer
    from offtake.operations.plan_report import write_report

    again = click.get_current_context().meta[AGAIN]
    for file in reports:
        with render.steps() as step:
            write_report(file, found, answer(found), usage, offers, asked, again, step)
        render.note(f"wrote {file}")
