"""`offtake ledger`: the gateway's books, for other programs and for the auditor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_PATH, INSTANT, format_option, store_options

if TYPE_CHECKING:
    from offtake.operations.export_ledger import Books
    from offtake.operations.resolve_requests import Resolved
    from offtake.store.ledger.leases import Unresolved


@click.group("ledger")
def command() -> None:
    """Export, verify and complete what the gateway has written down."""


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


@command.command("unresolved")
@store_options
@format_option("table", "json", "csv")
def unresolved(output_format: str, config: Path | None, store: Path | None) -> None:
    """List the requests that were sent and whose end nobody wrote down, the oldest first.

    A worker left them when it was killed: they may have cost money at the vendor's, so what they hold stays held until
    `offtake ledger resolve` says how they ended.
    """
    from offtake.operations.resolve_requests import as_held, unresolved_requests
    from offtake.store.ledger.history import instant
    from offtake.values.money import from_pico

    found = unresolved_requests(config=config, store=store)
    columns = ("id", "sent", "vendor", "model", "contract", "key", "hold")
    rows = [
        (
            each.request, instant(each.at), each.intent.get("vendor", ""), each.intent.get("model", ""),
            each.intent.get("contract", ""), each.intent.get("key_id", ""), from_pico(as_held(each)),
        )
        for each in found
    ]  # fmt: skip
    if output_format == "json":
        named = [
            {**dict(zip(columns, row, strict=True)), "budgets": list(each.holds)}
            for row, each in zip(rows, found, strict=True)
        ]
        render.write(render.json_text({"unresolved": named}))
    elif output_format == "csv":
        render.write(render.csv_text(columns, rows))
    elif rows:
        shown = [(name, f"{sent:%Y-%m-%d %H:%M:%S}", *rest[:-1], f"{rest[-1]:f}") for name, sent, *rest in rows]
        render.table(("request", "sent (UTC)", *columns[2:-1], "holds USD"), shown)
    else:
        render.note("every request has ended")


@command.command("resolve")
@click.argument("requests", nargs=-1, metavar="[REQUEST]...")
@click.option("--all", "every", is_flag=True, help="All unresolved requests, instead of named ones.")
@click.option("--before", type=INSTANT, metavar="WHEN", help="With --all: only those that were sent before.")
@click.option("--cost", metavar="AMOUNT", help="What each of them has cost, such as 0.0021USD.")
@click.option("--as-held", is_flag=True, help="Each has cost what it held, the dearest that it may.")
@click.option("--no-cost", is_flag=True, help="They cost nothing: the vendor never had them, or does not bill them.")
@click.option(
    "--usage",
    "usage",
    multiple=True,
    type=EXISTING_PATH,
    metavar="FILE",
    help="The vendor's usage by request; what its rows have cost under the contract is booked. May be repeated.",
)
@click.option("--by", required=True, metavar="NAME", help="Who decides.")
@click.option("--why", required=True, metavar="WORDS", help="For what reason.")
@click.option("--dry-run", is_flag=True, help="Show what would be booked, and book nothing.")
@store_options
@format_option("table", "json")
def resolve(
    requests: tuple[str, ...], every: bool, before: datetime | date | None, cost: str | None, as_held: bool,
    no_cost: bool, usage: tuple[Path, ...], by: str, why: str, dry_run: bool, output_format: str,
    config: Path | None, store: Path | None,
) -> int:  # fmt: skip
    """Say how unresolved requests ended; what they held and did not cost is free again.

    By hand: the requests (or --all) and one of --cost, --as-held and --no-cost. By --usage: a row is a request's where
    it bears its name, or is of its model and time and can be no other's; the books get its usage, and what is in no
    file stays unresolved, unless --no-cost or --as-held says what became of it. The exit code is 1 where some are left.
    """
    from offtake.operations.resolve_requests import resolve_by_hand, resolve_by_usage

    decided = _cost(cost, as_held, no_cost)
    if usage:
        if requests or every or cost:
            raise click.UsageError("--usage finds the requests and their costs: leave out names, --all and --cost")
        found = resolve_by_usage(usage, by, why, absent=decided, dry=dry_run, config=config, store=store)
    else:
        if bool(requests) == every:
            raise click.UsageError("name the requests, or say --all")
        if decided is None:
            raise click.UsageError("say what they have cost: --cost, --as-held or --no-cost; or --usage FILE")
        found = resolve_by_hand(
            requests, decided, by, why, before=_instant(before), dry=dry_run, config=config, store=store
        )
    _show_resolved(found, dry_run, output_format)
    return 1 if found.left else 0


def _cost(cost: str | None, as_held: bool, no_cost: bool) -> Callable[[Unresolved], int] | None:
    """What a person says that requests have cost; None where nobody says it."""
    from offtake.ledger.budgets import budget_amount
    from offtake.operations import resolve_requests

    if sum((cost is not None, as_held, no_cost)) > 1:
        raise click.UsageError("--cost, --as-held and --no-cost exclude each other")
    if as_held:
        return resolve_requests.as_held
    if no_cost:
        return lambda request: 0
    if cost is None:
        return None
    pico, per = budget_amount(cost)
    if per:
        raise click.UsageError(f"{cost!r} is no amount: write 0.0021USD")
    return lambda request: pico


def _instant(before: datetime | date | None) -> datetime | None:
    """A date is its midnight in UTC."""
    if before is None or isinstance(before, datetime):
        return before if before is None or before.tzinfo else before.replace(tzinfo=UTC)
    return datetime(before.year, before.month, before.day, tzinfo=UTC)


def _show_resolved(found: Resolved, dry_run: bool, output_format: str) -> None:
    from offtake.values.counting import counted
    from offtake.values.money import from_pico

    rows = [
        (each.id, from_pico(each.cost_pico), "usage" if each.kind == "settle" else "by hand") for each in found.ended
    ]
    left = [(each.request, why) for each, why in found.left]
    if output_format == "json":
        ended = [dict(zip(("id", "cost", "how"), row, strict=True)) for row in rows]
        open_still = [{"id": name, "why": why} for name, why in left]
        render.write(render.json_text({"booked": not dry_run, "resolved": ended, "unresolved": open_still}))
        return
    shown = [(name, f"{cost:f}", ended) for name, cost, ended in rows] + [
        (name, "", f"left: {why}") for name, why in left
    ]
    if shown:
        render.table(("request", "cost USD", "how"), shown)
    total = sum((cost for _, cost, _ in rows), Decimal(0))
    done = "would be resolved" if dry_run else "resolved"
    render.note(f"{counted(len(rows), 'request')} {done} at {total:f} USD, {len(left)} left")


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
