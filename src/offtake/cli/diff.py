"""`offtake diff`: what differs between two contracts, or between two dates of one."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, INSTANT, format_option, out_option

if TYPE_CHECKING:
    from offtake.contract.contract import Contract
    from offtake.contract.diff import Change


@click.command("diff")
@click.argument("before", type=EXISTING_FILE)
@click.argument("after", type=EXISTING_FILE, required=False)
@click.option("--from", "since", type=INSTANT, metavar="WHEN", help="The text of BEFORE in force then.")
@click.option("--until", type=INSTANT, metavar="WHEN", help="The text of AFTER in force then.")
@format_option("table", "json", "csv")
@out_option
def command(
    before: Path,
    after: Path | None,
    since: datetime | date | None,
    until: datetime | date | None,
    output_format: str,
    out: Path | None,
) -> int:
    """Compare two contracts, or two dates of one, term by term.

    The last texts are compared where no date is given; with one file, its signed text with its last. The exit code is 1
    when something differs.
    """
    from offtake.operations.diff_contracts import diff_contracts

    found = diff_contracts(before, after, since, until)
    changes = found.changes
    if output_format == "json":
        sides = {"before": _side(found.before), "after": _side(found.after)}
        render.write(render.json_text({**sides, "changes": [_row(change) for change in changes]}), out)
    elif output_format == "csv":
        columns = ("path", "before", "after", "before_place", "after_place")
        render.write(render.csv_text(columns, (list(_row(change).values()) for change in changes)), out)
    else:
        render.write_tables(lambda: _show(changes), out)
    return 1 if changes else 0


def _side(contract: Contract) -> dict[str, object]:
    return {"contract": contract.signed.contract, "contract_hash": contract.hash}


def _row(change: Change) -> dict[str, object]:
    return {
        "path": change.path,
        "before": change.before,
        "after": change.after,
        "before_place": str(change.before_place) if change.before_place else None,
        "after_place": str(change.after_place) if change.after_place else None,
    }


def _show(changes: tuple[Change, ...]) -> None:
    if not changes:
        render.text("no difference")
        return
    rows = [
        (
            change.path,
            change.before or "(not there)",
            change.after or "(not there)",
            str(change.after_place or change.before_place),
        )
        for change in changes
    ]
    render.table(("term", "before", "after", "where"), rows)
