"""`offtake route`: the cheapest model that passes your own evaluation."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import (
    EXISTING_PATH,
    NEW_FILE,
    at_option,
    catalog_option,
    contract_option,
    format_option,
    out_option,
)
from offtake.values.counting import counted
from offtake.values.errors import InputError
from offtake.values.units import share

if TYPE_CHECKING:
    from offtake.operations.route_models import Routed
    from offtake.planner.routing.choose import Judged

PICTURES = (".html", ".svg")
WARNINGS_SHOWN = 6
PLACES = 12


class Ratio(click.ParamType[Decimal]):
    """A share as people write it here: 0.7 or 70%."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """From 0 to 1; a bare 70 is refused, because it could mean 70% or a mistake."""
        if isinstance(value, Decimal):
            return value
        words = value.strip()
        try:
            ratio = share(words) if words.endswith("%") else Decimal(words)
        except (ValueError, ArithmeticError):
            self.fail(f"{value!r} is not a share; write 0.7 or 70%", param, ctx)
        if not ratio.is_finite() or not 0 <= ratio <= 1:
            self.fail(f"{value} lies outside of 0 to 1; write 0.7 or 70%", param, ctx)
        return ratio


@click.command("route")
@click.argument("evals", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--floor", required=True, type=Ratio(), metavar="SHARE", help="The score to reach: 0.7 or 70%.")
@click.option(
    "--confidence",
    type=Ratio(),
    default="0.95",
    show_default=True,
    metavar="SHARE",
    help="How sure, one-sided; 0 compares scores as they are.",
)
@click.option("--suite", metavar="NAME", help="The suite to look at, where the files hold several.")
@click.option("--scorer", metavar="NAME", help="The scorer that decides, where an inspect-ai log has several.")
@click.option("--price", is_flag=True, help="Rate the runs' tokens at list, or under --contract.")
@click.option("--usage", multiple=True, type=EXISTING_PATH, metavar="FILE", help="Rate this traffic on each model.")
@click.option("--now", metavar="NAME", help="With --usage: the run that the traffic is of today.")
@contract_option()
@catalog_option
@at_option
@click.option("--admissions", type=NEW_FILE, metavar="FILE", help="Write the models that passed as a contract term.")
@click.option(
    "--valid-days",
    "days",
    type=click.IntRange(1, 3650),
    default=90,
    show_default=True,
    help="Days a run is good for.",
)
@click.option(
    "--margin",
    type=Ratio(),
    default="0.05",
    show_default=True,
    metavar="SHARE",
    help="How near to the floor live samples must prove.",
)
@click.option("--workloads", multiple=True, metavar="PATTERN", help="The workloads that the admissions are for.")
@format_option("table", "json", "csv", "html", "svg")
@out_option
def command(
    evals: tuple[Path, ...], output_format: str, out: Path | None, admissions: Path | None, **flags: Any
) -> int:
    """Find the cheapest model that passes your own evaluation.

    EVALS are a plain CSV (model,score,n,cost; or a row a task: model,item,score,cost), an Aider leaderboard, logs of
    inspect-ai in JSON, or results of promptfoo in JSON. Costs compare by task. --out front.html or front.svg draws the
    front. --contract rates the runs' tokens, as --price does; --usage rates your own traffic on each model, scaled by
    the tokens that it needs for the same tasks. Exit code 1: no model passes.

        offtake route contracts/example-evaluation.csv --floor 0.7
    """
    if admissions and out and admissions == out:
        raise InputError("U148", "--out and --admissions name one file", hint="name two files")
    found = _route(evals, admit=admissions is not None, **flags)
    if out and out.suffix in PICTURES and output_format == "table":
        output_format = out.suffix[1:]
    if output_format == "json":
        render.write(render.json_text(_document(found)), out)
    elif output_format == "csv":
        rows = [_row(each, found) for each in (*found.choice.judged, *found.choice.not_comparable)]
        render.write(render.csv_text(list(rows[0]), (list(row.values()) for row in rows)), out)
    elif output_format in ("html", "svg"):
        from offtake.export.routing import page, picture

        unit = _unit(found)
        html = output_format == "html"
        drawn = page(found.choice, found.recheck, found.reasons, unit) if html else picture(found.choice, unit)
        render.write(drawn, out)
    else:
        render.write_tables(lambda: _show(found), out)
    if admissions:
        render.write(found.admissions, admissions)
    _say(found)
    return 0 if found.choice.chosen else 1


def _say(found: Routed) -> None:
    """What was noticed, on stderr; that a run has no cost stands in the table of those that cannot be compared."""
    apart = {each.run.where for each in found.choice.not_comparable}
    said = [each for each in found.warnings if each.code != "P634" or each.where not in apart]
    for each in said[:WARNINGS_SHOWN]:
        render.note(str(each).splitlines()[0])
    if len(said) > WARNINGS_SHOWN:
        render.note(f"… and {len(said) - WARNINGS_SHOWN} more warnings: --format json has them all")


def _route(
    evals: tuple[Path, ...],
    *,
    price: bool,
    usage: tuple[Path, ...],
    now: str | None,
    contract: Path | None,
    catalogs: tuple[Path, ...],
    at: datetime | date | None,
    days: int,
    margin: Decimal,
    workloads: tuple[str, ...],
    **flags: Any,
) -> Routed:
    from offtake.operations.route_models import Pricing, Validity, route

    pricing = Pricing(contract, catalogs, at, usage, now) if price or contract or usage else None
    return route(evals, pricing=pricing, validity=Validity(at, days, margin, workloads), **flags)


def _document(found: Routed) -> dict[str, object]:
    from offtake.planner.routing.confidence import decimal_of

    choice, check = found.choice, found.recheck
    best = choice.chosen
    return {
        "chosen": best.run.name if best else None,
        "cost": best.run.cost if best else None,
        "cost_per_task": _per_task(best.run.cost_per_task) if best else None,
        "front": [_row(each, found) for each in choice.front],
        "suite": choice.suite,
        "floor": decimal_of(choice.floor),
        "confidence": choice.confidence,
        "currency": found.currency,
        "priced_at": found.priced_at,
        "compared": len(choice.judged),
        "passed": [each.run.name for each in choice.judged if each.passes],
        "ties": [each.run.name for each in choice.ties],
        "passed_over": [_row(each, found) for each in choice.passed_over],
        "not_comparable": [
            {**_row(each, found), "reason": found.reasons.get(each.run.name, "")} for each in choice.not_comparable
        ],
        "recheck": None if check is None else {
            "until": check.until, "samples": check.samples, "withdraw_at": check.withdraw_at,
            "drift_below": check.drift_below, "margin": check.margin, "confidence": check.confidence,
        },
        "other_suites": list(found.other_suites),
        "warnings": [str(each) for each in found.warnings],
    }  # fmt: skip


def _row(each: Judged, found: Routed) -> dict[str, object]:
    from offtake.planner.routing.confidence import decimal_of

    run = each.run
    return {
        "model": run.name,
        "score": decimal_of(run.score),
        "lower": each.lower,
        "tasks": run.tasks,
        "cost": run.cost,
        "cost_per_task": _per_task(run.cost_per_task),
        "passes": each.passes,
        "tasks_needed": each.tasks_needed,
        "on_front": each.on_front,
        "evaluated": run.on,
        "where": str(run.where),
    }


def _per_task(cost: Fraction | None) -> Decimal | None:
    from offtake.planner.routing.confidence import decimal_of

    return None if cost is None else decimal_of(cost, PLACES)


def _show(found: Routed) -> None:
    choice = found.choice
    render.text(_headline(found), style="bold")
    for each in choice.passed_over:
        render.text(f"  {_passed_over(each, choice.chosen is not None)}")
    for each in choice.ties:
        render.text(f"  {each.run.name} costs the same and scores the same.")
    render.text()
    _show_front(found)
    if choice.not_comparable:
        apart = [
            (
                each.run.name,
                render.share(_decimal(each.run.score)),
                str(each.run.where),
                found.reasons.get(each.run.name, ""),
            )
            for each in sorted(choice.not_comparable, key=lambda each: -each.run.score)
        ]
        render.table(("model", "score", "where", "why"), apart, right=("score",), title="Not comparable: no cost")
    if found.recheck:
        check = found.recheck
        proven = _share(choice.floor - Fraction(check.margin))
        rows = (
            ("holds until", f"{check.until}, or until the model changes"),
            ("live samples", f"{check.samples}, graded as the suite is: scoring the floor on them proves {proven}"),
            ("withdraw at", f"{check.withdraw_at} passes of {check.samples} or fewer: that proves less than the floor"),
            ("drift", f"below {render.share(check.drift_below)} on them, the traffic is not like the suite"),
        )
        render.pairs(rows, title="Check it again")


def _show_front(found: Routed) -> None:
    choice = found.choice
    sure = f"at least ({render.share(choice.confidence, 0)})" if choice.confidence else "at least"
    columns = ("model", "score", sure, "tasks", "cost", f"per 1,000 {_unit(found)}s", "")
    rows = [_cells(each, found) for each in choice.front]
    models = counted(len(choice.judged), "model")
    title = f"{choice.suite}: nothing scores more for less ({len(choice.front)} of {models})"
    if rows:
        render.table(columns, rows, right=columns[1:6], title=title)


def _unit(found: Routed) -> str:
    return "request" if found.on_usage else "task"


def _headline(found: Routed) -> str:
    choice, best = found.choice, found.choice.chosen
    floor = _share(choice.floor)
    sure = f" with {render.share(choice.confidence, 0)} confidence" if choice.confidence else ""
    if best is None:
        unpriced = sum(each.passes for each in choice.not_comparable)
        but = f" {unpriced} without a cost would." if unpriced else ""
        return f"No model with a cost passes {floor}{sure}.{but}"
    run = best.run
    what = "requests of your traffic" if found.on_usage else "tasks"
    cost = f"{_money(run.cost, found)} for {run.costed:,} {what}"
    return f"{run.name} is the cheapest that passes {floor}{sure}: {cost}."


def _passed_over(each: Judged, cheaper: bool) -> str:
    run = each.run
    scored = f"{run.name} {'is cheaper and ' if cheaper else ''}scores {render.share(_decimal(run.score))}"
    return f"{scored} of {run.tasks:,} tasks: {each.tasks_needed:,} at that score would prove it."


def _cells(each: Judged, found: Routed) -> tuple[str, ...]:
    run = each.run
    per_task = run.cost_per_task
    thousand = "" if per_task is None else render.money(_decimal(per_task * 1000), found.currency)
    mark = "chosen" if each is found.choice.chosen else _passes(each)
    score, lower = render.share(_decimal(run.score)), render.share(each.lower)
    return run.name, score, lower, render.count(run.tasks), _money(run.cost, found), thousand, mark


def _share(value: Fraction) -> str:
    return render.share(_decimal(value), 1 if (value * 100).denominator > 1 else 0)


def _passes(each: Judged) -> str:
    return "passes" if each.passes else ""


def _money(amount: Decimal | None, found: Routed) -> str:
    return "" if amount is None else render.money(amount, found.currency, places=4)


def _decimal(value: Fraction) -> Decimal:
    from offtake.planner.routing.confidence import decimal_of

    return decimal_of(value)
