"""`offtake baseline`: how fast, reliable and good a vendor was at signing, and what is worse since."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, format_option, store_options

if TYPE_CHECKING:
    from offtake.operations.baseline_compare import Compared


@click.group("baseline")
def command() -> None:
    """Keep latency, failures and quality at signing, and say what is worse since."""


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
    whole answer and of the first token (of the requests that `sla.latency.at` counts), and signed results of `offtake
    accept` as its quality. A model with fewer than 20 requests has no baseline.
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


@command.command("compare")
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, metavar="N", help="The last so many."
)
@click.option("--config", type=EXISTING_FILE, metavar="FILE", help="The gateway's configuration.")
@format_option("table", "json")
def compare(days: int, config: Path | None, output_format: str) -> int:
    """Say what is worse than at signing.

    Measured on the gateway's own ledger, for `sla.latency.no_worse_than` with its `tolerance`. The traffic since the
    baseline counts, as far back as --days. A figure is worse where chance does not explain it, at a confidence of 95%
    on either side. Failures, throttles and quality are compared too, though no clause promises them. Exits with 1 where
    anything is worse.
    """
    from offtake.operations.baseline_compare import WORSE, compare_baselines

    found = compare_baselines(days, datetime.now(UTC), config=config)
    if output_format == "json":
        render.write(render.json_text({"baselines": [asdict(each) for each in found]}))
    else:
        for each in found:
            _show(each)
    return int(any(figure.verdict == WORSE for each in found for figure in each.figures))


def _show(found: Compared) -> None:
    from offtake.contract.schema.field_types import percent

    columns = ("model", "figure", "at signing", "now", "of", "verdict", "promised by")
    rows = [
        (each.model, each.figure, *(_value(each.figure, value) for value in (each.then, each.now)), f"{each.counted:,}",
         each.verdict, each.clause)
        for each in found.figures
    ]  # fmt: skip
    title = f"{found.contract}, {found.since:%Y-%m-%d %H:%M} to {found.until:%Y-%m-%d %H:%M}, baseline by {found.by}"
    render.table(columns, rows, right=columns[2:5], title=title)
    if found.tolerance:
        render.text(f"tolerated above the baseline's latency: {percent(found.tolerance)}")


def _value(figure: str, value: Decimal | None) -> str:
    if value is None:
        return ""
    return f"{value:,} ms" if "_ms" in figure else f"{value:.2%}"
