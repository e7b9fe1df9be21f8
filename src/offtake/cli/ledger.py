"""`offtake ledger`: the gateway's books, for other programs and for the auditor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import format_option, store_options

if TYPE_CHECKING:
    from offtake.operations.export_ledger import Books


@click.group("ledger")
def command() -> None:
    """Export and verify what the gateway has written down."""


@command.command("export")
@click.option("--out", type=click.Path(path_type=Path), metavar="PATH", help="The file (json) or the folder (parquet).")
@store_options
@format_option("json", "parquet")
def export(output_format: str, out: Path | None, config: Path | None, store: Path | None) -> None:
    """Write usage records, holds, settlements and unresolved requests.

    json: one document on stdout or in a file. parquet: usage.parquet, holds.parquet, settlements.parquet and
    unresolved.parquet in the folder --out; every command that takes usage reads the first. Amounts are dollars, exact.
    """
    from offtake.operations.export_ledger import open_books, write_parquet

    if output_format == "parquet" and (out is None or out.is_file()):
        raise click.UsageError("--format parquet needs a folder: --out FOLDER")
    with open_books(config, store) as books:
        if output_format == "parquet" and out is not None:
            rows = write_parquet(books, out)
            render.note(", ".join(f"{count:,} {name}" for name, count in rows.items()) + f" in {out}")
        else:
            render.write(_document(books), out)


@command.command("verify")
@store_options
@format_option("table", "json")
def verify(output_format: str, config: Path | None, store: Path | None) -> int:
    """Check the chain of blocks, that all sums to zero, and that each balance is the sum of its postings.

    The exit code is 1 where something does not hold; each finding names its block and line.
    """
    from offtake.operations.verify_ledger import verify_ledger
    from offtake.values.counting import counted

    found = verify_ledger(config=config, store=store)
    if output_format == "json":
        findings = [{"code": each.code, "what": each.what, "why": each.why} for each in found.findings]
        counts = {"blocks": found.blocks, "lines": found.lines, "open_requests": len(found.open_requests)}
        render.write(render.json_text({"whole": not findings, **counts, "findings": findings}))
        return 1 if findings else 0
    for each in found.findings:
        render.note(str(each))
    verdict = counted(len(found.findings), "finding") if found.findings else "whole"
    said = (found.blocks, "block"), (found.lines, "line"), (len(found.open_requests), "open request")
    render.text(f"{', '.join(counted(*each) for each in said)}: {verdict}")
    return 1 if found.findings else 0


def _document(books: Books) -> Iterator[str]:
    """A JSON document of any size, row by row."""
    from offtake.operations.export_ledger import usage_row

    sections: dict[str, Iterable[Mapping[str, object]]] = {
        "usage": map(usage_row, books.usage()),
        "holds": books.holds(),
        "settlements": books.settlements(),
        "unresolved": books.unresolved(),
    }
    yield f'{{"schema_version": {render.SCHEMA_VERSION}'
    for name, rows in sections.items():
        yield f',\n"{name}": ['
        separator = "\n"
        for row in render.jsonl_text(rows):
            yield separator + row.rstrip("\n")
            separator = ",\n"
        yield "]"
    yield "}\n"
