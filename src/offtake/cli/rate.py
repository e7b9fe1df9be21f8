"""`offtake rate`: what usage costs under a contract, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import (
    EXISTING_FILE,
    INSTANT,
    NEW_FILE,
    contract_option,
    format_option,
    out_option,
    pricing_options,
    usage_argument,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from offtake.contract.contract import Contract
    from offtake.operations.rate_by_record import ByRecord
    from offtake.operations.rate_usage import Rated
    from offtake.rating.lines import Control

SAID_AT_MOST = 20
FLAGS_OF_IMPORT = ("U101", "U103", "U111")
"""What rejected a row that a flag of `offtake import` may help: a zone, a model, a column."""


@click.command("rate")
@usage_argument(required=False)
@click.option("--store", type=EXISTING_FILE, metavar="FILE", help="The gateway's ledger, beside or instead of files.")
@contract_option()
@click.option("--from", "since", type=INSTANT, metavar="WHEN", help="Show the billing periods from here on.")
@click.option("--until", type=INSTANT, metavar="WHEN", help="Show the billing periods before this.")
@click.option(
    "--by",
    default="line",
    show_default=True,
    metavar="WHAT",
    help="line, record, model, workload, day or tag:NAME. Records come as JSON lines.",
)
@click.option(
    "--previous", type=EXISTING_FILE, metavar="FILE", help="Correct what was booked: the JSON of an earlier run."
)
@click.option("--rejects", type=NEW_FILE, metavar="FILE", help="Keep rows that cannot be read, as JSON lines.")
@pricing_options
@format_option("table", "json", "csv")
@out_option
def command(
    by: str, rejects: Path | None, output_format: str, out: Path | None, store: Path | None, **flags: Any
) -> int:
    """Price usage under a contract, line by line; without a contract, at list price.

    USAGE… are files of any kind that `offtake import` knows, or a gateway's ledger, of which it is what was settled
    under the contract. Totals come first, then the lines. Rows that cannot be
    read, that conflict, or that nothing prices are named on stderr, and the exit code is 1.
    """
    if store is not None:
        flags["usage"] = (*flags["usage"], store)
    if not flags["usage"]:
        raise click.UsageError("name a usage file, or a gateway's ledger with --store")
    if by == "record" and output_format == "csv":
        raise click.UsageError("--by record prints JSON lines: leave out --format csv")
    if by == "record":
        return _by_record(rejects, out, **flags)
    from offtake.cli import invoices
    from offtake.operations.rate_usage import rate_usage

    with reading() as progress:
        rated = rate_usage(flags.pop("usage"), by=by, progress=progress, **flags)
    if by.startswith("tag:") and not any(value for each in rated.breakdowns for value in each.parts):
        render.note(f"warning: no row has the tag {by.removeprefix('tag:')!r}")
    if output_format == "json":
        render.write(render.json_text(invoices.document(rated, by)), out)
    elif output_format == "csv":
        columns, rows = invoices.csv_rows(rated, by)
        render.write(render.csv_text(columns, rows), out)
    else:
        render.write_tables(lambda: invoices.show(rated, by), out)
    return say_what_is_missing(rated, rejects)


@contextmanager
def reading() -> Iterator[Callable[[Path, int, int], None]]:
    """Progress over the files that are read, in bytes."""
    seen: dict[Path, int] = {}
    with render.progress("reading usage") as advance:

        def report(file: Path, done: int, _: int) -> None:
            advance(done - seen.get(file, 0))
            seen[file] = done

        yield report


def say_what_is_missing(rated: Rated, rejects: Path | None = None) -> int:
    """Name what is not in the money on stderr; the exit code."""
    told = [f"{row.where}: rejected[{row.code}]: {row.error}" for row in rated.rejected]
    told += [f"conflict: {words}" for words in rated.conflicts]
    told += [f"unpriced: {words}" for words in rated.invoices.unpriced]
    told += [f"warning: {words}" for words in rated.invoices.warnings]
    for words in told[:SAID_AT_MOST]:
        render.note(words)
    if len(told) > SAID_AT_MOST:
        render.note(f"… and {len(told) - SAID_AT_MOST:,} more; --format json has all of them")
    if rejects and rated.rejected:
        rows: list[dict[str, object]] = [
            {"where": str(row.where), "code": row.code, "error": row.error, "row": row.raw} for row in rated.rejected
        ]
        render.write(render.jsonl_text(rows), rejects)
    if any(row.code in FLAGS_OF_IMPORT for row in rated.rejected):
        render.note("hint: --map, --model, --time-zone and the like are flags of `offtake import`")
    render.note(_counted(rated.invoices.control, rated.contract))
    return 0 if rated.invoices.control.complete else 1


def _counted(control: Control, contract: Contract) -> str:
    parts = [(control.priced, "priced"), (control.free, "free"), (control.duplicates, "duplicates dropped")]
    parts += [(control.conflicts, "conflicts"), (control.rejected, "rejected"), (control.unpriced, "unpriced")]
    term = f"{contract.day(contract.span.start)} to {contract.day(contract.span.end)}"
    parts += [(control.outside_term, f"outside of the term ({term})")]
    said = ", ".join(f"{number:,} {words}" for number, words in parts if number) or "nothing to price"
    said += f"; besides, {control.not_usage:,} that are no usage, such as taxes" if control.not_usage else ""
    return f"{control.records:,} {'row' if control.records == 1 else 'rows'}: {said}" + (
        "" if control.complete else " (not complete)"
    )


def _by_record(
    rejects: Path | None,
    out: Path | None,
    usage: tuple[Path, ...],
    strict: bool,
    previous: Path | None,
    since: datetime | date | None,
    **flags: Any,
) -> int:
    from offtake.operations.rate_by_record import rate_by_record
    from offtake.operations.rate_usage import Rated, open_session

    if previous:
        raise click.UsageError("--previous compares lines, not records: leave out --by record")
    with reading() as progress, open_session(usage, since=since, progress=progress, **flags) as session:
        found = rate_by_record(session, strict)
        render.write(render.jsonl_text(_rows(found)), out)
        kept = session.usage
        rated = Rated(session.opened.contract, found.invoices, (), None, kept.rejected, kept.conflicts)
        return say_what_is_missing(rated, rejects)


def _rows(found: ByRecord) -> Iterator[dict[str, object]]:
    """A row a record; the last row has no id and holds what no record carries."""
    from offtake.cli import invoices
    from offtake.values.money import total

    for price in found.prices():
        yield {"id": price.id, "total": price.total, "lines": [invoices.line_row(line) for line in price.lines]}
    rest = found.unallocated()
    unallocated = total(rest.values())
    yield {
        "schema_version": render.SCHEMA_VERSION,
        **invoices.heading(found.invoices),
        "id": None,
        "total": unallocated,
        "lines": [{"clause": clause, "billed": billed} for clause, billed in rest.items()],
        "unallocated": unallocated,
        "control": invoices.control_row(found.invoices.control),
    }
