"""`offtake crossover`: from where on a direct deal is cheaper than an aggregator."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.estimate import SCALES, Share
from offtake.cli.options import EXISTING_FILE, at_option, catalog_option, format_option, out_option
from offtake.cli.profile import Rule

if TYPE_CHECKING:
    from offtake.operations.find_crossover import Found
    from offtake.planner.crossover import Cell

SPENDS = ("25k", "50k", "100k", "150k", "250k", "500k", "1M")
DISCOUNTS = ("10%", "15%", "20%", "25%", "30%")


class Dollars(click.ParamType[Decimal]):
    """An amount above zero: 150k, 1.5M, 40_000."""

    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """Exact, in the contract's currency."""
        if isinstance(value, Decimal):
            return value
        found = re.fullmatch(r"\$?([0-9]+(?:[_,][0-9]+)*(?:\.[0-9]+)?)\s*([kmb]?)", str(value).strip().lower())
        amount = Decimal(re.sub("[_,]", "", found[1])) * SCALES[found[2]] if found and len(found[1]) <= 15 else None
        if not amount:
            self.fail(f"{value!r} is no amount above zero; write 150k, 1.5M or 40_000", param, ctx)
        return amount


class Threshold(click.ParamType[tuple[Decimal, Decimal]]):
    """One amount, or two ends: 50k..100k."""

    name = "threshold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Decimal, Decimal]:
        """The low and the high end."""
        if isinstance(value, tuple):
            return value
        ends = [Dollars().convert(end, param, ctx) for end in str(value).split("..")]
        if len(ends) > 2 or ends[0] > ends[-1]:
            self.fail(f"{value!r} is no threshold; write 50k, or 50k..100k", param, ctx)
        return ends[0], ends[-1]


class Tokens(click.ParamType[tuple[int, int]]):
    """Input to output tokens: 1:3."""

    name = "mix"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Two whole numbers, not both zero."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([0-9]{1,6}):([0-9]{1,6})", str(value).strip())
        mix = (int(found[1]), int(found[2])) if found else (0, 0)
        if not any(mix):
            self.fail(f"{value!r} is no mix of tokens; write input:output, such as 1:3", param, ctx)
        return mix


@click.command("crossover")
@click.option(
    "--model", "models", multiple=True, required=True, metavar="NAME",
    help="What is bought: one model a vendor, in the order in which vendors are added.",
)  # fmt: skip
@click.option("--aggregator", type=EXISTING_FILE, metavar="FILE", help="The aggregator's contract file.")
@click.option(
    "--aggregator-discount", "aggregator_discounts", multiple=True, type=Rule(), metavar="MODELS=SHARE",
    help="Its discount off list instead of a file, such as 'claude-*=15%'; may be repeated.",
)  # fmt: skip
@click.option(
    "--bonus", "bonuses", multiple=True, type=Share(), metavar="SHARE",
    help="A top-up bonus; may be repeated (default: none, and the contract's own).",
)  # fmt: skip
@click.option(
    "--spend", "spends", multiple=True, type=Dollars(), default=SPENDS, show_default=True, metavar="AMOUNT",
    help="Spend a month at list price, over all vendors; may be repeated.",
)  # fmt: skip
@click.option(
    "--direct-discount", "discounts", multiple=True, type=Share(), default=DISCOUNTS, show_default=True,
    metavar="SHARE", help="A discount to imagine in a direct deal; may be repeated.",
)  # fmt: skip
@click.option(
    "--account-executive", "threshold", type=Threshold(), metavar="AMOUNT",
    help="Spend a month from which a vendor negotiates, such as 50k or 50k..100k (default: dated facts).",
)  # fmt: skip
@click.option(
    "--mix", type=Tokens(), default="1:3", show_default=True, metavar="IN:OUT", help="Input to output tokens."
)
@catalog_option
@at_option
@format_option("table", "json", "csv")
@out_option
def command(
    models: tuple[str, ...],
    spends: tuple[Decimal, ...],
    discounts: tuple[Decimal, ...],
    bonuses: tuple[Decimal, ...],
    aggregator: Path | None,
    aggregator_discounts: tuple[tuple[str, Decimal], ...],
    threshold: tuple[Decimal, Decimal] | None,
    mix: tuple[int, int],
    catalogs: tuple[Path, ...],
    at: datetime | date | None,
    output_format: str,
    out: Path | None,
) -> None:
    """Show from where on a direct deal is cheaper than an aggregator.

    A surface over monthly spend, the number of vendors that it is split over, the direct discount and the top-up
    bonus. A vendor that is not reached by its threshold sells at list price.

        offtake crossover --model claude-opus-4.7 --model gpt-5.4 --aggregator rate-card.yaml
    """
    from offtake.operations.find_crossover import find_crossover
    from offtake.planner.crossover import Axes, Mix

    axes = Axes(
        tuple(dict.fromkeys(models)), _sorted(spends), _sorted(discounts), _sorted(bonuses)
    )  # fmt: skip
    found = find_crossover(
        axes, aggregator=aggregator, aggregator_discounts=dict(aggregator_discounts), threshold=threshold,
        mix=Mix(*mix), catalogs=catalogs, at=at,
    )  # fmt: skip
    if output_format == "json":
        render.write(render.json_text(document(found)), out)
    elif output_format == "csv":
        columns = ("spend", "vendors", "direct_discount", "bonus", "direct_open", *AMOUNTS, "difference", "cheapest")
        rows = (_cell(cell) for cell in found.crossover.cells)
        render.write(render.csv_text(columns, ([row[name] for name in columns] for row in rows)), out)
    else:
        render.write_tables(lambda: _show(found), out)


AMOUNTS = ("list", "aggregator", "direct", "mixed")


def _sorted(values: Sequence[Decimal]) -> tuple[Decimal, ...]:
    return tuple(sorted(set(values)))


def document(found: Found) -> dict[str, object]:
    """The JSON document."""
    shops = found.shops
    return {
        "priced_at": shops.at,
        "aggregator": shops.aggregator.signed.contract,
        "contract_hash": shops.aggregator.hash,
        "catalog_version": shops.catalog.version,
        "currency": shops.aggregator.signed.term.currency,
        "mix": {"input": shops.mix.input, "output": shops.mix.output},
        "models": [
            {
                "model": model,
                "vendor": found.vendors[model],
                "account_executive": _monthly(found, model),
                "source": shops.gates[model].source,
            }
            for model in found.axes.models
        ],
        "break_even": [
            {
                "model": each.model,
                "aggregator_discount": each.aggregator_discount,
                "bonus": each.bonus,
                "direct_discount": each.discount,
            }
            for each in found.crossover.break_evens
        ],
        "crossover": [
            {
                "vendors": each.vendors,
                "bonus": each.bonus,
                "direct_discount_above": each.discount,
                "spend_from": each.spend,
            }
            for each in found.crossover.turns
        ],
        "threshold": [
            {
                "spend": each.spend,
                "vendors": each.vendors,
                "model": each.model,
                "open": each.opens,
                "usage_multiple": {"low": each.multiple_low, "high": each.multiple_high},
            }
            for each in found.crossover.openings
        ],
        "surface": [_cell(cell) for cell in found.crossover.cells],
    }


def _monthly(found: Found, model: str) -> dict[str, object]:
    from offtake.planner.crossover import monthly

    low, high = monthly(found.shops.gates[model])
    return {"low": low, "high": high}


def _cell(cell: Cell) -> dict[str, object]:
    return {
        "spend": cell.spend,
        "vendors": cell.vendors,
        "direct_discount": cell.discount,
        "bonus": cell.bonus,
        "direct_open": cell.opens,
        **{name: getattr(cell, name) for name in AMOUNTS},
        "difference": cell.difference,
        "cheapest": cell.cheapest,
    }


def _show(found: Found) -> None:
    currency = found.shops.aggregator.signed.term.currency
    bonus = found.axes.bonuses[-1]
    render.text(f"A direct deal must beat ({found.shops.aggregator.signed.contract}, bonus {render.share(bonus, 0)})")
    for each in found.crossover.break_evens:
        if each.bonus == bonus:
            low, high = _monthly(found, each.model).values()
            opens = f"{_money(low, currency)} to {_money(high, currency)}" if low != high else _money(low, currency)
            vendor = found.vendors[each.model]
            render.text(
                f"  {each.model}: {render.share(each.discount, 2)} off list (the aggregator gives "
                f"{render.share(each.aggregator_discount, 2)}); {vendor} negotiates from {opens} a month on"
            )
    render.text()
    for vendors in range(1, len(found.axes.models) + 1):
        _show_grid(found, vendors, bonus, currency)
    for line in _legend(found):
        render.text(line)


def _show_grid(found: Found, vendors: int, bonus: Decimal, currency: str) -> None:
    cells = [cell for cell in found.crossover.cells if (cell.vendors, cell.bonus) == (vendors, bonus)]
    columns = ("list, a month", "aggregator", *(f"direct {render.share(each, 0)}" for each in found.axes.discounts))
    rows = []
    for spend in found.axes.spends:
        row = [cell for cell in cells if cell.spend == spend]
        listed, sold = (_money(getattr(row[0], name), currency) for name in ("list", "aggregator"))
        rows.append((listed, sold, *(_shown(cell, currency) for cell in row)))
    turn = next(each for each in found.crossover.turns if (each.vendors, each.bonus) == (vendors, bonus))
    needed = f"direct is cheaper above {render.share(turn.discount, 2)}, from {_money(turn.spend, currency)} a month on"
    names = ", ".join(found.axes.models[:vendors])
    render.table(columns, rows, right=columns, title=f"{_number(vendors)}: {names}; {needed}")


def _shown(cell: Cell, currency: str) -> str:
    """What direct saves against the aggregator (−: costs more); in brackets where no vendor negotiates yet."""
    sign = "+" if cell.difference > 0 else ""
    amount = f"{sign}{render.money(cell.difference, currency, 0)}"
    marks = {"no": f"({amount})", "perhaps": f"{amount}?", "yes": amount}
    return marks[cell.opens] + ("*" if cell.cheapest == "mixed" else "")


def _legend(found: Found) -> Iterator[str]:
    mix = found.shops.mix
    yield "Each cell: what direct deals save a month against the aggregator (-: what they cost more)."
    yield "(…): some vendor does not negotiate at this spend and sells at list.  ?: it may; ask."
    yield "*: each model its own way is cheaper still."
    yield f"{mix.input}:{mix.output} input to output tokens, priced at {found.shops.at:%Y-%m-%d}."


def _number(vendors: int) -> str:
    return "1 vendor" if vendors == 1 else f"{vendors} vendors"


def _money(amount: object, currency: str) -> str:
    assert isinstance(amount, Decimal)
    return render.money(amount, currency, 0 if amount == amount.to_integral_value() else 2)
