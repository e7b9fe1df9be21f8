"""`offtake traffic`: what the gateway serves, as it happens and in sums; never what was said."""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import format_option, store_options
from offtake.values.money import from_pico

if TYPE_CHECKING:
    from offtake.operations.traffic import Request


@click.group("traffic")
def command() -> None:
    """Show what the gateway serves: requests as they end, and sums. Content is not there to show."""


@command.command("tail")
@click.option("--last", type=click.IntRange(0, 100_000), default=10, show_default=True, metavar="N", help="Begin with.")
@click.option("--follow/--no-follow", default=True, show_default=True, help="Go on until Ctrl-C.")
@store_options
@format_option("table", "json")
def tail(last: int, follow: bool, output_format: str, config: Path | None, store: Path | None) -> None:
    """Show each request once it has ended: id, key, model, outlet, outcome, tokens, cost, milliseconds.

    json: one object a line. The ledger is what is read, so it also works when the gateway does not run.
    """
    from offtake.operations.traffic import tail as requests

    if output_format == "table":
        render.note(
            f"{'UTC':19}  {'id':34} {'key':16} {'model':24} {'outlet':10} {'outcome':13} in → out tokens, USD, ms"
        )
    with contextlib.suppress(KeyboardInterrupt):  # the way in which following ends
        for each in requests(last, follow, config=config, store=store):
            sys.stdout.write(_line(each) if output_format == "table" else "".join(render.jsonl_text([each.row()])))
            sys.stdout.flush()


@command.command("top")
@click.option(
    "--by", type=click.Choice(["key", "model", "contract", "outcome"]), default="key", show_default=True,
    help="What to sum by.",
)  # fmt: skip
@click.option(
    "--minutes", type=click.IntRange(1, 527_040), default=60, show_default=True, metavar="N", help="So long back."
)
@store_options
@format_option("table", "json")
def top(by: str, minutes: int, output_format: str, config: Path | None, store: Path | None) -> None:
    """Sum what has ended in the last minutes by key, model, contract or outcome, the dearest first."""
    from offtake.operations.traffic import top as sums

    found = sums(by, minutes, datetime.now(UTC), config=config, store=store)
    if output_format == "json":
        render.write(render.json_text({"by": by, "minutes": minutes, "sums": [each.row() for each in found]}))
        return
    if not found:
        render.note(f"nothing has ended in the last {minutes} minutes")
        return
    numbers = ("requests", "failed", "tokens in", "tokens out", "USD", "ms p50", "ms p95")
    rows = []
    for each in found:
        row = each.row()
        counts = [f"{value:,}" for value in (each.requests, each.failed, each.input_tokens, each.output_tokens)]
        times = ["" if row[name] is None else str(row[name]) for name in ("ms_p50", "ms_p95")]
        rows.append((each.name or "(none)", *counts, f"{from_pico(each.cost_pico):.6f}", *times))
    render.table((by, *numbers), rows, right=numbers)


def _line(each: Request) -> str:
    ms = "" if each.ms is None else f", {each.ms} ms"
    return (
        f"{each.at:%Y-%m-%d %H:%M:%S}  {each.id:34} {each.key:16} {each.model:24} {each.outlet:10} {each.outcome:13} "
        f"{each.input_tokens:,} → {each.output_tokens:,}, {from_pico(each.cost_pico):.6f}{ms}\n"
    )
