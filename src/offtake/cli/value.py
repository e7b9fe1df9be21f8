"""`offtake value`: what each clause of a contract is worth, and what a change would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.estimate import Share
from offtake.cli.options import (
    EXISTING_FILE,
    EXISTING_PATH,
    catalog_option,
    facts_option,
    format_option,
    months_option,
    out_option,
)
from offtake.values.units import number

if TYPE_CHECKING:
    from offtake.operations.value_contract import Valued
    from offtake.planner.value.valuation import Figure, Priced, Row

CSV_COLUMNS = ("kind", "path", "status", "value", "low", "high", "standard_error", "share", "off", "reason")
CHANGES_A_YEAR_MAX = 12


class AYear(click.ParamType[Decimal]):
    """How often a year: 0.5."""

    name = "a year"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """At most once a month."""
        try:
            found = value if isinstance(value, Decimal) else number(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not 0 <= found <= CHANGES_A_YEAR_MAX:
            self.fail(f"{value} lies outside of 0 to {CHANGES_A_YEAR_MAX} a year", param, ctx)
        return found


@click.command("value")
@click.argument("contract", type=EXISTING_FILE)
@click.option(
    "--demand", required=True, multiple=True, type=EXISTING_PATH, metavar="USAGE|CSV",
    help="Usage files, or a CSV of period,quantity.",
)  # fmt: skip
@click.option("--change", "changes", multiple=True, metavar="PATH=VALUE", help="Price an edit; several are a package.")
@click.option("--stances", is_flag=True, help="Also price each position of <name>.negotiation.yaml.")
@click.option("--paths", type=int, default=2000, show_default=True, help="How many futures.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Which futures.")
@click.option(
    "--unit", type=click.Choice(("dollars", "tokens")), help="What the CSV counts: dollars at list, or tokens."
)
@click.option("--column", metavar="NAME", help="The CSV's column of quantities.")
@click.option("--model", metavar="NAME", help="The model that the CSV's demand is for.")
@months_option
@click.option("--spread", type=Share(), metavar="SHARE", help="Draw one lognormal level a path, with this log-sd.")
@click.option(
    "--price-changes", type=AYear(), default="0.5", show_default=True, metavar="N", help="List price changes a year."
)
@click.option(
    "--uptime", type=Share(), default="99.8%", show_default=True, metavar="SHARE", help="The median month's uptime."
)
@click.option(
    "--cost-of-capital", type=Share(), default="0%", show_default=True, metavar="SHARE", help="Interest a year."
)
@click.option(
    "--renewal-increase", type=Share(), default="20%", show_default=True, metavar="SHARE", help="What a renewal asks."
)
@click.option(
    "--notices", type=click.Choice(("given", "facts")), default="given", show_default=True,
    help="Whether notices that clauses ask for are given, or only those in --facts.",
)  # fmt: skip
@catalog_option
@facts_option
@format_option("table", "json", "csv")
@out_option
def command(output_format: str, out: Path | None, notices: str, **given: Any) -> None:
    """Say what each clause of a contract is worth, in dollars a year.

    Every figure is a difference of two bills for the same futures of demand and list prices, both made by the engine
    that rates invoices: the contract as it is, and the contract without the clause. --change prices any edit instead:

        offtake value contract.yaml --demand usage.parquet --change commitment.amount=900_000
    """
    from offtake.operations.value_contract import Question, value_contract
    from offtake.planner.value.futures import Luck

    names = ("paths", "seed", "spread", "price_changes", "uptime")
    luck = Luck(**{name: given.pop(name) for name in names})
    with render.progress("pricing clauses") as advance:
        found = value_contract(Question(luck=luck, notices=notices == "given", **given), lambda _: advance(1))
    if out and out.suffix.lower() in (".html", ".htm"):
        from offtake.export.value_page import value_page

        render.write(value_page(found), out)
        render.note(f"wrote {out}")
    elif output_format == "json":
        render.write(render.json_text(document(found)), out)
    elif output_format == "csv":
        render.write(render.csv_text(CSV_COLUMNS, _csv_rows(found)), out)
    else:
        render.write_tables(lambda: _show(found), out)


def document(found: Valued) -> dict[str, object]:
    """The JSON document."""
    signed = found.contract.signed
    return {
        "contract": signed.contract,
        "contract_hash": found.contract.hash,
        "catalog": found.catalog_version,
        "currency": signed.term.currency,
        "months": found.months,
        "paths": found.question.luck.paths,
        "assumptions": dict(found.assumptions),
        "cost": _figure(found.cost),
        "clauses": [_clause(row, found) for row in found.rows],
        "pairs": [
            {
                "paths": [pair.first, pair.second], "together": _figure(pair.together), "sum": pair.apart,
                "overlap": pair.overlap,
            }
            for pair in found.pairs
        ],
        "package": _priced(found.package) if found.package else None,
        "changes": [_priced(each) for each in found.apart or ([found.package] if found.package else [])],
        "stances": [_priced(each) for each in found.stances],
    }  # fmt: skip


def _clause(row: Row, found: Valued) -> dict[str, object]:
    cases = found.sensitivities.get(row.clause.path, [])
    return {
        "path": row.clause.path,
        "source": row.clause.source,
        "status": row.clause.status if row.value or row.clause.status != "priced" else "needs",
        "off": row.off,
        **(_figure(row.value) if row.value else {}),
        "share": row.share if row.value else None,
        "reason": row.reason,
        "sensitivity": [{"assumption": each.assumption, "at": each.value, **_figure(each.worth)} for each in cases],
    }


def _figure(figure: Figure) -> dict[str, object]:
    return {"value": figure.mean, "low": figure.low, "high": figure.high, "standard_error": figure.standard_error}


def _priced(priced: Priced) -> dict[str, object]:
    from offtake.planner.value.edits import written

    edits = [{"path": edit.path, "to": written(edit.value)} for edit in priced.edits]
    return {"name": priced.name, "edits": edits, **_figure(priced.value), "share": priced.share}


def _csv_rows(found: Valued) -> list[Sequence[object]]:
    rows: list[Mapping[str, object]] = [{"kind": "clause", **_clause(row, found)} for row in found.rows]
    named = [("package", each) for each in ([found.package] if found.package else [])]
    named += [("change", each) for each in found.apart] + [("stance", each) for each in found.stances]
    for kind, each in named:
        words = "; ".join(str(edit) for edit in each.edits)
        rows.append({"kind": kind, "path": words, "status": "priced", "off": each.name, **_priced(each)})
    return [[row.get(column) for column in CSV_COLUMNS] for row in rows]


def _show(found: Valued) -> None:
    currency = found.contract.signed.term.currency
    cost = found.cost
    render.text(
        f"{found.contract.signed.contract} costs {_money(cost.mean, currency)} a year"
        f" ({_money(cost.low, currency)} to {_money(cost.high, currency)} in 8 of 10 futures)",
        style="bold",
    )
    if found.package:
        _show_priced([found.package, *found.apart], "A package is priced whole" if found.apart else "", currency)
        if found.apart:
            alone = sum((each.value.mean for each in found.apart), Decimal(0))
            together = _money(found.package.value.mean, currency)
            render.text(f"Alone they add up to {_money(alone, currency)}; together {together}.")
    if found.rows:
        _show_clauses(found, currency)
    if found.stances:
        _show_priced(found.stances, "Positions of the negotiation, each alone", currency)
    render.pairs(found.assumptions, title="Taken to be so")


def _show_clauses(found: Valued, currency: str) -> None:
    priced = [row for row in found.rows if row.value]
    render.table(
        ("clause", "worth a year", "from", "to", "± error", "share", "without it"),
        [
            (
                row.clause.path, _money(row.value.mean, currency), _money(row.value.low, currency),
                _money(row.value.high, currency), _money(row.value.standard_error, currency), render.share(row.share),
                row.reason or row.off,
            )
            for row in priced if row.value
        ],
        right=("worth a year", "from", "to", "± error", "share"),
        title="What each clause is worth: the bill without it, less the bill with it",
    )  # fmt: skip
    varied = [
        (path, case.assumption, case.value, _money(case.worth.mean, currency))
        for path, cases in found.sensitivities.items()
        for case in cases
    ]
    if varied:
        render.table(
            ("clause", "assumption", "at", "worth a year"), varied, right=("worth a year",),
            title="What the assumptions do",
        )  # fmt: skip
    if found.pairs:
        render.table(
            ("clauses", "together", "sum alone", "overlap"),
            [
                (f"{pair.first} + {pair.second}", *(_money(each, currency) for each in (
                    pair.together.mean, pair.apart, pair.overlap)))
                for pair in found.pairs
            ],
            right=("together", "sum alone", "overlap"),
            title="Values do not add up",
        )  # fmt: skip
    rest = [(row.clause.path, "needs" if row.clause.status != "not_priceable" else "no price", row.reason)
            for row in found.rows if not row.value]  # fmt: skip
    if rest:
        render.table(("clause", "", "why"), rest, title="Without a price")


def _show_priced(priced: Sequence[Priced], title: str, currency: str) -> None:
    rows = [
        (
            "; ".join(str(edit) for edit in each.edits), each.name, _money(each.value.mean, currency),
            _money(each.value.low, currency), _money(each.value.high, currency),
            _money(each.value.standard_error, currency), render.share(each.share),
        )
        for each in priced
    ]  # fmt: skip
    columns = ("change", "as", "saves a year", "from", "to", "± error", "share")
    render.table(columns, rows, right=columns[2:], title=title)


def _money(amount: Decimal, currency: str) -> str:
    return render.money(amount, currency)
