"""`offtake estimate`: what a workload would cost before it runs."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import at_option, catalog_option, contract_option, format_option, out_option, stance_option
from offtake.values.units import share

if TYPE_CHECKING:
    from offtake.operations.estimate import Estimate

SCALES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}


class Tokens(click.ParamType[int]):
    """A number of tokens: 500M, 1.5B, 250k, 500_000_000."""

    name = "tokens"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Exact: 1.5B is 1,500,000,000; what is no whole number of tokens is refused."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]+(?:[_,][0-9]+)*(?:\.[0-9]+)?)\s*([kmbt]?)", value.strip().lower())
        tokens = Decimal(re.sub("[_,]", "", found[1])) * SCALES[found[2]] if found and len(found[1]) <= 20 else None
        if tokens is None or tokens != tokens.to_integral_value():
            self.fail(f"{value!r} is not a number of tokens; write 500M, 1.5B or 250_000", param, ctx)
        return int(tokens)


class Share(click.ParamType[Decimal]):
    """A share: 70%."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Between 0% and 100%."""
        if isinstance(value, Decimal):
            return value
        try:
            ratio = share(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not 0 <= ratio <= 1:
            self.fail(f"{value} lies outside of 0% to 100%", param, ctx)
        return ratio


@click.command("estimate")
@click.option("--model", required=True, metavar="NAME", help="The model.")
@click.option(
    "--input", "input_tokens", required=True, type=Tokens(), metavar="TOKENS", help="All input, such as 500M."
)
@click.option("--output", "output_tokens", required=True, type=Tokens(), metavar="TOKENS", help="Output, such as 1.5B.")
@click.option("--cache-read", type=Share(), default="0%", metavar="SHARE", help="Share of the input read from cache.")
@click.option("--cache-write", type=Share(), default="0%", metavar="SHARE", help="Share of the input written to cache.")
@click.option("--ttl", type=click.Choice(("5m", "1h")), default="5m", show_default=True, help="How long writes live.")
@click.option("--batch", type=Share(), default="0%", metavar="SHARE", help="Share of the requests that can wait.")
@contract_option()
@catalog_option
@at_option
@stance_option
@format_option("table", "json", "csv")
@out_option
def command(
    output_format: str,
    out: Path | None,
    contract: Path | None,
    catalogs: tuple[Path, ...],
    at: datetime | date | None,
    stance: str | None,
    **workload: Any,
) -> None:
    """Price a workload before it runs: list, cache, batch, both.

    Savings are against the list price of the plain workload. With a contract, the totals are contracted costs of the
    usage, before commitments and fees. Each request is taken to lie below every context threshold.

        offtake estimate --model claude-opus-4.7 --input 500M --output 1.5B --cache-read 70% --batch 100%
    """
    from offtake.operations.estimate import Workload, estimate

    found = estimate(Workload(**workload), contract, catalogs=catalogs, at=at, stance=stance)
    names = ("name", "total", "saving", "saving_share")
    rows = [{name: getattr(each, name) for name in names} for each in found.configurations]
    if output_format == "json":
        render.write(render.json_text(_document(found, rows)), out)
    elif output_format == "csv":
        render.write(render.csv_text(names, ([row[name] for name in names] for row in rows)), out)
    else:
        render.write_tables(lambda: _show(found), out)


def _document(found: Estimate, rows: list[dict[str, object]]) -> dict[str, object]:
    from offtake.cli.invoices import heading

    return {**heading(found.rated), "at": found.priced_at, "list": found.list, "configurations": rows}


def _show(found: Estimate) -> None:
    currency = found.rated.currency
    rows = [
        (
            each.name,
            render.money(each.total, currency),
            render.money(each.saving, currency),
            render.share(each.saving_share),
        )
        for each in found.configurations
    ]
    render.table(("configuration", "total", "saving", "share"), rows, right=("total", "saving", "share"))
