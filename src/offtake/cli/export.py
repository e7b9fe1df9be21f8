"""`offtake export`: rated usage for other tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import (
    EXISTING_FILE,
    INSTANT,
    NEW_FILE,
    Decorated,
    contract_option,
    format_option,
    pricing_options,
    spare_inputs,
    usage_argument,
)
from offtake.values.counting import counted

if TYPE_CHECKING:
    from offtake.operations.rate_usage import Rated


@click.group("export")
def command() -> None:
    """Write rated usage for other tools, such as FOCUS.

    Both exports take usage as `offtake rate` does, or the JSON that it wrote (--from-json).
    """


def rating_flags(function: Decorated) -> Decorated:
    """What both exports rate, and how."""
    for option in (
        click.option("--out", required=True, type=NEW_FILE, metavar="FILE", help="The file to write."),
        click.option("--from-json", type=EXISTING_FILE, metavar="FILE", help="Invoices that `offtake rate` wrote."),
        click.option("--previous", type=EXISTING_FILE, metavar="FILE", help="What was booked: correct it only."),
        click.option("--until", type=INSTANT, metavar="WHEN", help="Only the billing periods before this."),
        click.option("--from", "since", type=INSTANT, metavar="WHEN", help="Only the billing periods from here on."),
        pricing_options,
        contract_option(),
        usage_argument(required=False),
        spare_inputs,
    ):
        function = option(function)
    return function


@command.command("focus")
@rating_flags
@click.option(
    "--by",
    multiple=True,
    default=("day",),
    show_default=True,
    metavar="WHAT",
    help="Split rows by day, workload or tag:NAME (becomes Tags); may be repeated. line: as on the invoice.",
)
@click.option("--check", "checks", is_flag=True, help="Read the file back and check it; exit 1 where it breaks a rule.")
@format_option("csv", "parquet")
def focus(out: Path, output_format: str, checks: bool, **flags: Any) -> int:
    """Write FOCUS 1.2 cost and usage: a row a token class, with list, contracted, effective and billed cost.

    Parquet has DECIMAL(38,18) and UTC timestamps; CSV has plain decimals and ISO 8601. docs/reference/focus.md says
    what each column holds.
    """
    from offtake.operations.export_rated import check_focus, export_focus

    rated = _rated(**flags)
    count = export_focus(rated, out, output_format)
    render.note(f"{out}: {counted(count, 'row')}")
    broken = check_focus(rated, out, output_format) if checks else []
    for violation in broken:
        render.note(str(violation))
    return _left_out(rated, flags["from_json"]) or int(bool(broken))


@command.command("journal")
@rating_flags
def journal(out: Path, **flags: Any) -> int:
    """Write a double-entry journal in beancount's text format, one transaction a line, each summing to zero."""
    from offtake.operations.export_rated import export_journal

    rated = _rated(by=("line",), **flags)
    export_journal(rated, out)
    render.note(f"{out}: {counted(len(rated.invoices.invoices), 'invoice')}")
    return _left_out(rated, flags["from_json"])


def _rated(from_json: Path | None, usage: tuple[Path, ...], contract: Path | None, **flags: Any) -> Rated:
    from offtake.cli.rate import reading
    from offtake.operations.export_rated import Asked, rated_for_export, rated_from_json

    if (from_json is None) == (not usage):
        raise click.UsageError("give either USAGE… or --from-json FILE")
    if from_json is None:
        with reading() as progress:
            return rated_for_export(Asked(usage, contract, **flags), progress)
    if contract is None:
        raise click.UsageError("--from-json needs --contract: the JSON does not hold the terms")
    return rated_from_json(from_json, contract, flags["stance"], flags["strict"])


def _left_out(rated: Rated, from_json: Path | None) -> int:
    """Name what is not in the export; the exit code. Invoices out of JSON were counted when they were rated."""
    from offtake.cli.rate import say_what_is_missing

    return 0 if from_json else say_what_is_missing(rated)
