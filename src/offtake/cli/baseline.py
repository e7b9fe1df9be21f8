"""`offtake baseline`: how fast and reliable a vendor was at signing, so that `no_worse_than` has a number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, format_option, store_options


@click.group("baseline")
def command() -> None:
    """Keep latency and failures at signing, for `no_worse_than`."""


@command.command("record")
@click.option("--by", required=True, metavar="NAME", help="Who signs it off.")
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, metavar="N", help="The last so many."
)
@click.option("--config", type=EXISTING_FILE, metavar="FILE", help="The gateway's configuration.")
@format_option("table", "json")
def record(by: str, days: int, config: Path | None, output_format: str) -> None:
    """Measure each contract's models on the gateway's own ledger, and sign the result.

    Writes NAME.baseline.json beside the contract NAME.yaml: requests, failures, throttles, p50, p95 and p99 of the
    whole answer and of the first token. A model with fewer than 20 requests has no baseline.
    """
    from offtake.operations.baseline import record_baselines

    until = datetime.now(UTC)
    files = record_baselines(until - timedelta(days=days), until, by, config=config)
    if output_format == "json":
        render.write(render.json_text({"files": [str(path) for path in files]}))
    else:
        render.note("\n".join(f"wrote {path}" for path in files))


@command.command("check")
@click.argument("file", type=EXISTING_FILE)
@store_options
@format_option("table", "json")
def check(file: Path, output_format: str, config: Path | None, store: Path | None) -> None:
    """Show a baseline, if it still says what was signed."""
    from offtake.operations.baseline import check_baseline

    found = check_baseline(file, config=config, store=store)
    if output_format == "json":
        render.write(render.json_text(found))
        return
    columns = ("model", "requests", "failed", "throttled", "p50 ms", "p95 ms", "p99 ms")
    rows = [
        (each["model"], f"{each['requests']:,}", each["failed_share"], each["throttled_share"],
         *(str(each["latency_ms"][name]) for name in ("p50", "p95", "p99")))
        for each in found["models"]
    ]  # fmt: skip
    render.table(columns, rows, right=columns[1:])
    render.text(f"{found['baseline']}, {found['from']} to {found['until']}, signed off by {found['by']}")
