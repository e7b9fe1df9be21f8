"""`offtake deployment`: a private deployment against a price a token."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.crossover import Dollars
from offtake.cli.crossover import Tokens as Mix
from offtake.cli.estimate import Share, Tokens
from offtake.cli.options import (
    EXISTING_FILE,
    at_option,
    catalog_option,
    contract_option,
    format_option,
    out_option,
    stance_option,
)

if TYPE_CHECKING:
    from offtake.operations.weigh_deployment import Weighed
    from offtake.planner.private_deployment import Comparison, Point

UTILISATIONS = ("10%", "25%", "50%", "75%", "100%")


class Number(click.ParamType[Decimal]):
    """A number above zero: 1500, 2.5."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Exact."""
        if isinstance(value, Decimal):
            return value
        text = str(value).strip()
        found = Decimal(re.sub("[_,]", "", text)) if re.fullmatch(r"[0-9][0-9_,]{0,14}(\.[0-9]{1,6})?", text) else None
        if not found:
            self.fail(f"{value!r} is no number above zero", param, ctx)
        return found


@click.command("deployment")
@contract_option(required=True)
@click.option(
    "--hardware",
    required=True,
    type=Dollars(),
    metavar="AMOUNT",
    help="What one instance costs a month, power and all.",
)
@click.option(
    "--operations",
    required=True,
    type=Dollars(),
    metavar="AMOUNT",
    help="What running them costs a month: people, tools.",
)
@click.option(
    "--throughput", "tokens_per_second", required=True, type=Number(), metavar="TOKENS",
    help="Tokens (input and output) a second that one instance serves at full load.",
)  # fmt: skip
@click.option(
    "--model", "models", multiple=True, required=True, metavar="NAME",
    help="The model whose price a token counts; repeated, as many models are needed, each with instances of its own.",
)  # fmt: skip
@click.option(
    "--against", type=EXISTING_FILE, metavar="FILE", help="The contract of the price a token (default: list prices)."
)
@click.option("--volume", type=Tokens(), metavar="TOKENS", help="Tokens a month that you serve, such as 3B.")
@click.option("--mix", type=Mix(), default="1:3", show_default=True, metavar="IN:OUT", help="Input to output tokens.")
@click.option(
    "--peak-to-mean",
    type=Number(),
    metavar="RATIO",
    help="The busiest hour against the mean one; `profile` measures it.",
)
@click.option("--license-per-model", is_flag=True, help="Each model needs a licence of its own.")
@click.option(
    "--utilisation", "utilisations", multiple=True, type=Share(), default=UTILISATIONS, show_default=True,
    metavar="SHARE", help="How full the serving instances are; may be repeated.",
)  # fmt: skip
@catalog_option
@at_option
@stance_option
@format_option("table", "json", "csv")
@out_option
def command(
    contract: Path,
    hardware: Decimal,
    operations: Decimal,
    tokens_per_second: Decimal,
    peak_to_mean: Decimal | None,
    license_per_model: bool,
    utilisations: tuple[Decimal, ...],
    at: datetime | date | None,
    output_format: str,
    out: Path | None,
    **flags: Any,
) -> None:
    """Weigh a private deployment against a price a token.

    The licence and the instances come from the contract, the rest from you: hardware, operations, throughput. Shows
    from which volume on it pays, how full the instances must be, and what each further model costs.

        offtake deployment --contract it.yaml --hardware 6k --operations 20k --throughput 1000 --model claude-opus-4.7
    """
    from offtake.operations.weigh_deployment import weigh_deployment
    from offtake.planner.private_deployment import Running

    if peak_to_mean is not None and peak_to_mean < 1:
        raise click.BadParameter("the busiest hour is not below the mean one", param_hint="--peak-to-mean")
    running = Running(hardware, operations, tokens_per_second, license_per_model, peak_to_mean)
    shares = sorted({share for share in utilisations if share})
    found = weigh_deployment(contract, running, utilisations=shares, at=at, **flags)
    if output_format == "json":
        render.write(render.json_text(document(found)), out)
    elif output_format == "csv":
        columns = ("models", *POINT)
        rows = [[len(each.models), *_point(point).values()] for each in found.comparisons for point in each.points]
        render.write(render.csv_text(columns, rows), out)
    else:
        render.write_tables(lambda: _show(found), out)


POINT = ("utilisation", "tokens", "private", "per_token", "saving", "private_mtok", "per_token_mtok")


def document(found: Weighed) -> dict[str, object]:
    """The JSON document."""
    return {
        "priced_at": found.traffic.at,
        "contract": found.contract,
        "contract_hash": found.contract_hash,
        "against": found.against,
        "catalog_version": found.catalog_version,
        "currency": found.currency,
        "mix": {"input": found.traffic.input, "output": found.traffic.output},
        "instances": {"paid": found.signed.paid, "serving": found.signed.serving},
        "tokens_per_second": found.running.tokens_per_second,
        "models_needed": [_comparison(each) for each in found.comparisons],
    }


def _comparison(each: Comparison) -> dict[str, object]:
    return {
        "models": list(each.models),
        "monthly": {
            "fees": each.fees,
            "hardware": each.hardware,
            "operations": each.operations,
            "total": each.monthly,
        },
        "capacity_tokens": each.capacity_tokens,
        "break_even": {"tokens": each.break_even_tokens, "utilisation": each.break_even_utilisation},
        "usable_utilisation": each.usable,
        "pays": each.pays,
        "utilisations": [_point(point) for point in each.points],
        "volume": _point(each.volume) if each.volume else None,
    }


def _point(point: Point) -> dict[str, object]:
    return {name: getattr(point, name) for name in POINT}


def _show(found: Weighed) -> None:
    for each in found.comparisons:
        render.text(_answer(each, found), style="bold")
        for words in _reasons(each, found):
            render.text(f"  {words}")
        rows = [_cells(point, f"{render.share(point.utilisation)}", found.currency) for point in each.points]
        rows += (
            [_cells(each.volume, f"yours, {render.share(each.volume.utilisation)}", found.currency)]
            if each.volume
            else []
        )
        columns = ("full", "tokens, a month", "private, a million", "by the token", "private saves, a month")
        render.table(columns, rows, right=columns)
    mix = f"{found.traffic.input}:{found.traffic.output} input to output tokens"
    render.text(f"{mix}; by the token at {found.against} of {found.traffic.at:%Y-%m-%d}.")


def _answer(each: Comparison, found: Weighed) -> str:
    """The answer in a sentence."""
    needed = f"{_millions(each.break_even_tokens)} tokens a month ({render.share(each.break_even_utilisation)} full)"
    number = f"{len(each.models)} {'model' if len(each.models) == 1 else 'models'} ({', '.join(each.models)})"
    if each.pays:
        return f"{number}: a private deployment pays from {needed} on"
    return f"{number}: a private deployment does not pay: it would take {needed}"


def _reasons(each: Comparison, found: Weighed) -> list[str]:
    currency, models = found.currency, len(each.models)
    parts = [
        f"licence and platform {render.money(each.fees, currency)}",
        f"{found.signed.paid * models} instances {render.money(each.hardware, currency)}",
        f"operations {render.money(each.operations, currency)}",
    ]
    serving = f"{found.signed.serving * models} of them serve up to {_millions(each.capacity_tokens)} tokens a month"
    told = [f"{render.money(each.monthly, currency)} a month: {', '.join(parts)}; {serving}."]
    if each.usable is not None:
        told.append(f"Peaks leave {render.share(each.usable)} of that.")
    elif each.pays:
        told.append("Peaks are not known: instances that stand for the busiest hour are never full (--peak-to-mean).")
    return told


def _cells(point: Point, name: str, currency: str) -> tuple[str, ...]:
    return (
        name,
        _millions(point.tokens),
        render.money(point.private_mtok, currency),
        render.money(point.per_token_mtok, currency),
        render.money(point.saving, currency),
    )


def _millions(tokens: int) -> str:
    return f"{render.rounded(Decimal(tokens).scaleb(-6), 1)} M"
