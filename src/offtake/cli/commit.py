"""`offtake commit`: how much to commit, from a file of past demand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import EXISTING_FILE, format_option, out_option
from offtake.planner.commitment.offer import Level
from offtake.values.errors import InputError
from offtake.values.money import quantize
from offtake.values.units import number, share

if TYPE_CHECKING:
    from offtake.operations.advise_commitment import Advice
    from offtake.planner.demand.bands import Bands

SCALES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
_AMOUNT = r"([0-9][0-9_]*(?:\.[0-9]+)?)([kmb]?)"
_LEVEL = re.compile(rf"([^@]+%)@{_AMOUNT}(?:\+{_AMOUNT})?", re.IGNORECASE)
_DIGITS_MAX = 15


class Discount(click.ParamType[Decimal]):
    """A share such as 20% or 12.5%."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """With a percent sign: 20 and 0.20 are both plausible."""
        try:
            return value if isinstance(value, Decimal) else _short(share(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class LevelOnOffer(click.ParamType[Level]):
    """A level such as 20%@1.2M, with a fee 20%@1.2M+50k."""

    name = "level"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Level:
        """Dollars to a cent."""
        if isinstance(value, Level):
            return value
        found = _LEVEL.fullmatch(value.replace(" ", ""))
        if not found:
            self.fail(f"{value!r} is no level; write 20%@1.2M, or with a fee 20%@1.2M+50k", param, ctx)
        try:
            fee = _amount(found[4], found[5]) if found[4] else Decimal(0)
            return Level(_short(share(found[1])), _amount(found[2], found[3]), fee)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Reserved(click.ParamType[tuple[Decimal, Decimal]]):
    """What a unit costs reserved, and what it serves costs on demand: 30/50."""

    name = "prices"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Decimal, Decimal]:
        """The first is the smaller, or nobody would reserve."""
        if isinstance(value, tuple):
            return value
        price, _, on_demand = value.partition("/")
        try:
            found = _short(number(price.strip())), _short(number(on_demand.strip()))
        except ValueError:
            self.fail(f"{value!r} is not two prices; write 30/50", param, ctx)
        if not 0 <= found[0] < found[1]:
            self.fail(f"reserved is dearer than on demand: {value}", param, ctx)
        return found


class Quantity(click.ParamType[Decimal]):
    """A size above zero, such as 100."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """A plain number."""
        try:
            found = value if isinstance(value, Decimal) else _short(number(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if found <= 0:
            self.fail(f"{value} is not above zero", param, ctx)
        return found


@click.command("commit")
@click.argument("demand", type=EXISTING_FILE)
@click.option(
    "--discount-applies", type=click.Choice(("all", "committed")), help="What the discount covers: must be said."
)
@click.option(
    "--level", "levels", multiple=True, type=LevelOnOffer(), metavar="SHARE@DOLLARS", help="A level on offer."
)
@click.option("--discount", type=Discount(), metavar="SHARE", help="One discount, for a commitment of any size.")
@click.option("--overage-discount", type=Discount(), metavar="SHARE", help="The discount beyond it (default: 0%).")
@click.option("--reserved", type=Reserved(), metavar="PRICE/PRICE", help="An hour of a unit: reserved/on demand.")
@click.option("--column", "columns", multiple=True, metavar="NAME", help="Columns of quantities; several are summed.")
@click.option("--window", type=click.IntRange(1, 1_000_000), metavar="ROWS", help="For how many rows a commitment is.")
@click.option("--judge", type=click.IntRange(1), metavar="ROWS", help="Rows at the end to judge by (default: half).")
@click.option("--unit", type=Quantity(), metavar="SIZE", help="Commit whole units, as of reserved throughput.")
@click.option("--events", type=EXISTING_FILE, metavar="FILE", help="Launches and retirements to come (YAML).")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="The luck of the paths.")
@click.option("--prepay", type=Discount(), metavar="SHARE", help="A further discount for paying the year ahead.")
@click.option("--top-up-bonus", type=Discount(), metavar="SHARE", help="A bonus on what is paid ahead, instead.")
@click.option("--cost-of-capital", type=Discount(), metavar="SHARE", help="What money costs a year.")
@format_option("table", "json", "csv")
@out_option
def command(output_format: str, out: Path | None, discount_applies: str | None, **question: Any) -> None:
    """Say how much to commit, judged on the last periods of your own demand.

    DEMAND is a CSV of period,quantity, one row a period, oldest first. Where the discount covers all usage, a
    commitment is a floor, and the levels on offer are weighed (in dollars at list; a level's amount is for a year).
    Where it ends at the commitment, the best one is a fractile of demand, for each row.

        offtake commit demand.csv --discount-applies all --level 10%@600k --level 20%@1.2M

        offtake commit demand.csv --discount-applies committed --discount 30%
    """
    from offtake.operations.advise_commitment import Question, advise

    if discount_applies is None:
        raise InputError(
            "P640", "to what does the discount apply? --discount-applies all, or committed",
            why="all: the rate card covers all usage, and the commitment is a floor that unlocks it, as most contracts "
            "have it; committed: what is beyond the commitment costs list, as for savings plans or reserved throughput",
            hint="the contract's overage clause says which; the two lead to different commitments",
        )  # fmt: skip
    advice = advise(Question(applies=discount_applies, **question))  # type: ignore[arg-type]
    for note in advice.notes:
        render.note(f"note: {note}")
    if output_format == "json":
        render.write(render.json_text(document(advice)), out)
    elif output_format == "csv":
        rows = _rows(advice)
        render.write(render.csv_text(tuple(rows[0]), (tuple(row.values()) for row in rows)), out)
    else:
        from offtake.cli.commit_page import show

        render.write_tables(lambda: show(advice), out)


def document(advice: Advice) -> dict[str, object]:
    """The advice as JSON has it."""
    question = advice.question
    found: dict[str, object] = {
        "demand": str(question.demand),
        "rows": len(advice.series.quantities),
        "grain": advice.series.grain,
        "window_rows": advice.window,
        "discount_applies": question.applies,
        **(_sizing(advice) if advice.sizing else _choice(advice)),
    }
    if advice.prepayment:
        paid = advice.prepayment
        found["prepay"] = {
            "discount": paid.discount, "break_even_discount": paid.break_even, "pays": paid.pays,
            "months_max": paid.months_max,
        }  # fmt: skip
    return found | ({"notes": advice.notes} if advice.notes else {})


def _sizing(advice: Advice) -> dict[str, object]:
    sizing = advice.sizing
    assert sizing is not None
    tested, trial = sizing.backtest, sizing.backtest.trial(sizing.rule)
    names = ("rule", "commitment", "relative_cost", "saving_captured", "captured_of_best", "lost_money")
    found: dict[str, object] = {
        "discount": sizing.deal.discount,
        "overage_discount": sizing.deal.overage_discount,
        "fractile": quantize(sizing.deal.fractile, 6),
        "rule": sizing.rule,
        "commitment": sizing.commitment,
        "payment": sizing.payment,
        "on_history": _point(sizing.on_history),
        "backtest": {
            "fitted_windows": tested.fitted_windows,
            "judged_windows": tested.judged_windows,
            **_fields(trial, names),
            "best_relative_cost": tested.best_relative_cost,
            "average_relative_cost": tested.average_relative_cost,
            "rules": [_fields(each, names) for each in tested.trials],
        },
        "curve": [_point(each) for each in sizing.curve],
    }
    if advice.pooling:
        found["pooling"] = _fields(advice.pooling, ("apart", "together", "gain"))
    return found


def _choice(advice: Advice) -> dict[str, object]:
    choice, tested = advice.levels, advice.backtest
    assert choice is not None
    assert tested is not None
    signed = next(each for each in choice.levels if each.level == advice.level)
    return {
        "commitment": advice.level.commitment,
        "discount": advice.level.discount,
        "fractile": signed.shortfall_share,
        "expected_cost": signed.expected,
        "futures": choice.futures.source,
        "levels": _rows(advice),
        "demand_bands": _bands(choice.futures.months),
        "backtest": {
            "fitted_rows": tested.fitted_rows,
            "judged_rows": tested.judged_rows,
            "commitment": tested.level.commitment,
            "discount": tested.level.discount,
            **_fields(tested, ("cost", "uncommitted", "relative_cost", "saving_captured", "lost_money")),
            "best_commitment": tested.best.commitment,
            "best_relative_cost": tested.best_relative_cost,
        },
    }


def _bands(months: Bands | None) -> dict[str, object] | None:
    """Demand by month at 10%, 50% and 90% of the paths, to a cent: for a picture."""
    if months is None:
        return None
    named = {"low": months.low, "middle": months.middle, "high": months.high}
    return {name: [quantize(Decimal(repr(each)), 2) for each in volumes] for name, volumes in named.items()}


def _rows(advice: Advice) -> list[Mapping[str, object]]:
    """One row a level, or a point of the curve: what `--format csv` prints."""
    if advice.levels is None:
        assert advice.sizing is not None
        return [_point(each) for each in advice.sizing.curve]
    names = ("expected", "low", "middle", "high", "shortfall_share", "utilisation")
    terms = ("discount", "commitment", "fee")
    return [{**_fields(each.level, terms), **_fields(each, names)} for each in advice.levels.levels]


def _point(point: object) -> Mapping[str, object]:
    return _fields(point, ("share", "commitment", "coverage", "utilisation", "relative_cost"))


def _fields(value: object, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(value, name) for name in names}


def _amount(digits: str, scale: str) -> Decimal:
    found = number(digits) * SCALES[scale.lower()]
    if found.as_tuple().exponent < -2 and found != quantize(found, 2):  # type: ignore[operator]
        raise ValueError(f"{digits}{scale} is finer than a cent")
    return _short(found.quantize(Decimal(1)) if found == found.to_integral_value() else found)


def _short(value: Decimal) -> Decimal:
    if len(value.as_tuple().digits) > _DIGITS_MAX:
        raise ValueError(f"{value} has more than {_DIGITS_MAX} digits")
    return value
