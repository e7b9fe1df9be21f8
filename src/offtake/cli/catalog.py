"""`offtake catalog`: list prices, shown, locked beside a contract, and compared with that lock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, INSTANT, catalog_option, format_option, out_option

if TYPE_CHECKING:
    from offtake.operations.show_prices import Listed


@click.group("catalog")
def command() -> None:
    """Show, lock and compare list prices."""


@command.command("lock")
@click.argument("contract", type=EXISTING_FILE)
@catalog_option
@out_option
@click.option("--dry-run", is_flag=True, help="Say what would be locked, and write nothing.")
def lock(contract: Path, catalogs: tuple[Path, ...], out: Path | None, dry_run: bool) -> None:
    """Write the list prices of a contract's scope to prices.lock.yaml beside it.

    Prices that are locked already stay as they are, so that history rates the same for ever.
    """
    from offtake.operations.lock_prices import lock_prices

    locked = lock_prices(contract, catalogs)
    path = out or locked.path
    if not dry_run:
        render.write(locked.text, path)
    render.note(
        f"{'would write' if dry_run else 'wrote'} {path}: {locked.offers:,} offers, {locked.added:,} of them new"
    )


@command.command("diff")
@click.argument("contract", type=EXISTING_FILE)
@catalog_option
@format_option("table", "json", "csv")
@out_option
def diff(contract: Path, catalogs: tuple[Path, ...], output_format: str, out: Path | None) -> int:
    """Compare the lock beside a contract with what is listed today; the exit code is 1 when something differs."""
    from offtake.operations.lock_prices import diff_lock

    changes = diff_lock(contract, catalogs)
    columns = ("model", "vendor", "channel", "access", "region", "meter", "from", "locked", "listed")
    rows = [
        (
            each.offer.model, each.offer.vendor, each.offer.channel, each.offer.access, each.offer.region, each.meter,
            f"{each.start:%Y-%m-%d}" if each.start else "", each.locked or "", each.listed or "",
        )
        for each in changes
    ]  # fmt: skip
    if output_format == "json":
        found = [dict(zip(columns, row, strict=True)) for row in rows]
        render.write(render.json_text({"changes": found}), out)
    elif output_format == "csv":
        render.write(render.csv_text(columns, rows), out)
    else:
        render.write_tables(lambda: render.table(columns, rows, right=("locked", "listed")), out)
    return 1 if changes else 0


@command.command("show")
@click.argument("model", required=False)
@click.option("--vendor", default="", metavar="NAME", help="Who sells it (default: who makes it).")
@click.option("--access", default="api", show_default=True, metavar="FORM", help="api, bedrock, vertex, azure, …")
@click.option("--region", default="global", show_default=True, metavar="NAME", help="Where inference runs.")
@click.option("--at", type=INSTANT, metavar="WHEN", help="Only the prices of this instant.")
@catalog_option
@format_option("table", "json", "csv")
@out_option
def show(
    model: str | None,
    vendor: str,
    access: str,
    region: str,
    at: datetime | date | None,
    catalogs: tuple[Path, ...],
    output_format: str,
    out: Path | None,
) -> None:
    """Show a model's dated list prices; without a model, the names that the vendor sells."""
    from offtake.operations.show_prices import listed_prices, models_of

    if model is None:
        version, names = models_of(vendor, catalogs)
        if output_format == "json":
            render.write(render.json_text({"catalog_version": version, "models": names}), out)
        else:
            render.write("".join(f"{name}\n" for name in names), out)
        return
    moment = at if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC) if at else None
    version, prices = listed_prices(model, vendor, access, region, catalogs, moment)
    columns = ("model", "vendor", "channel", "meter", "from", "until", "daily", "over_tokens", "price", "source")
    rows = [_row(each) for each in prices]
    if output_format == "json":
        found = [dict(zip(columns, row, strict=True)) for row in rows]
        render.write(render.json_text({"catalog_version": version, "prices": found}), out)
    elif output_format == "csv":
        render.write(render.csv_text(columns, rows), out)
    else:
        render.write_tables(lambda: _show(prices), out)


def _row(each: Listed) -> tuple[object, ...]:
    return (
        each.model, each.vendor, each.channel, each.meter, each.start, each.end, each.daily, each.over_tokens,
        each.price, each.source,
    )  # fmt: skip


def _show(prices: tuple[Listed, ...]) -> None:
    rows = [
        (
            each.model, each.channel, each.meter, f"{each.start:%Y-%m-%d}" if each.start else "",
            f"{each.end:%Y-%m-%d}" if each.end else "", each.daily, f"{each.over_tokens:,}" if each.over_tokens else "",
            _price(each), each.source,
        )
        for each in prices
    ]  # fmt: skip
    columns = ("model", "channel", "meter", "from", "until", "hours (UTC)", "over tokens", "price", "source")
    render.table(columns, rows, right=("over tokens", "price"))


def _price(each: Listed) -> str:
    per, unit = (Decimal(10**6), "M") if each.meter.endswith("_tokens") else (Decimal(1000), "k")
    return f"{render.money(each.price * per, 'USD', 4)}/{unit}"
