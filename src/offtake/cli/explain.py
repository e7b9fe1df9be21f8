"""`offtake explain`: one line's derivation, clause by clause."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import (
    INSTANT,
    catalog_option,
    contract_option,
    facts_option,
    format_option,
    out_option,
    stance_option,
    strict_option,
    usage_argument,
)
from offtake.cli.rate import reading, say_what_is_missing

if TYPE_CHECKING:
    from offtake.operations.explain_line import Explanation, Step
    from offtake.operations.rate_usage import Rated


@click.command("explain")
@usage_argument()
@contract_option()
@click.option("--line", "line_id", metavar="ID", help="The line's id, as `offtake rate` gives it.")
@click.option("--model", metavar="NAME", help="Lines of this model, or of a pattern such as claude-*.")
@click.option("--meter", metavar="NAME", help="Lines of this meter, such as output_tokens.")
@click.option("--at", type=INSTANT, metavar="WHEN", help="Lines of the billing period that holds this instant.")
@catalog_option
@facts_option
@strict_option
@stance_option
@format_option("table", "json")
@out_option
def command(
    line_id: str | None,
    model: str | None,
    meter: str | None,
    at: datetime | date | None,
    output_format: str,
    out: Path | None,
    usage: tuple[Path, ...],
    contract: Path | None,
    **flags: Any,
) -> int:
    """Derive one line from its clauses, step by step.

    Each step names its clause, where it stands in the contract file, and the paragraph of the paper that it states.
    Choose by --line, or by --model, --meter and --at.
    """
    from offtake.operations.explain_line import explain_lines
    from offtake.operations.rate_usage import rate_usage

    if not (line_id or model or meter or at):
        raise click.UsageError("say which line: --line ID, or --model, --meter and --at")
    with reading() as progress:
        rated = rate_usage(usage, contract, progress=progress, **flags)
    found = explain_lines(rated, line_id=line_id, model=model, meter=meter, at=at)
    if output_format == "json":
        render.write(render.json_text(_document(rated, found)), out)
    else:
        render.write_tables(lambda: _show(rated, found), out)
    return say_what_is_missing(rated)


def step_row(step: Step) -> dict[str, object]:
    """One step as JSON."""
    return {"clause": step.clause, "what": step.what, "where": str(step.place), "paper": step.paper}


def show_steps(steps: tuple[Step, ...], title: str = "") -> None:
    """The steps as a table."""
    rows = [(str(number), step.clause, step.what, str(step.place), step.paper) for number, step in enumerate(steps, 1)]
    render.table(("", "clause", "what it does", "where", "paper"), rows, title=title)


def _document(rated: Rated, found: tuple[Explanation, ...]) -> dict[str, object]:
    from offtake.cli.invoices import heading, line_row, period_row

    lines = [
        {
            "period": period_row(each.line.period, rated.contract.zone),
            **line_row(each.line),
            "steps": [step_row(step) for step in each.steps],
        }
        for each in found
    ]
    return {**heading(rated.invoices), "lines": lines}


def _show(rated: Rated, found: tuple[Explanation, ...]) -> None:
    from offtake.cli.invoices import Shown, day

    money = Shown(rated.invoices.currency)
    for each in found:
        line = each.line
        what = " · ".join(word for word in (line.model or line.clause, line.meter, line.channel, line.outcome) if word)
        billed = money.range(line.amounts.billed, line.high.billed if line.high else None)
        render.text(f"{day(line.period.start, rated.contract.zone)} · {what}: {billed}", style="bold")
        render.text(f"  {line.id}")
        render.text(f"  {line.why}")
        render.text(
            f"  list {money(line.amounts.list)} · contracted {money(line.amounts.contracted)} · "
            f"effective {money(line.amounts.effective)} · billed {billed}"
        )
        show_steps(each.steps)
