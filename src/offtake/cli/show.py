"""`offtake show`: the terms in force at an instant, what models cost under them, and why."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import (
    EXISTING_FILE,
    at_option,
    catalog_option,
    facts_option,
    format_option,
    out_option,
    stance_option,
)

if TYPE_CHECKING:
    from offtake.contract.contract import Contract
    from offtake.operations.show_terms import Dated, PriceInForce, Shown, TermInForce

Page = dict[str, object]


@click.command("show")
@click.argument("contract", type=EXISTING_FILE)
@at_option
@click.option("--why", metavar="PATH", help="A term such as prices.discounts, or a model such as claude-opus-4.7.")
@catalog_option
@facts_option
@stance_option
@format_option("table", "json", "yaml")
@out_option
def command(
    contract: Path, at: datetime | date | None, why: str | None, output_format: str, out: Path | None, **flags: Any
) -> None:
    """Show the terms in force at an instant, and why they hold.

    First every term with its value and place, then what a token of each model costs, below every context threshold and
    before tiers. --why PATH gives one term through all amendments, or one model's prices step by step. --format yaml
    writes the contract file again: every term, no comments.
    """
    from offtake.contract.render import render as rendered
    from offtake.operations.show_terms import show_terms

    shown = show_terms(contract, at, why, **flags)
    if output_format == "yaml":
        render.write(rendered(shown.opened.contract), out)
    elif output_format == "json":
        render.write(render.json_text(_document(shown)), out)
    else:
        render.write_tables(lambda: _show(shown), out)


def _document(shown: Shown) -> Page:
    contract = shown.opened.contract
    head: Page = {
        "contract": contract.signed.contract,
        "contract_hash": contract.hash,
        "catalog_version": shown.opened.catalog.version,
        "currency": contract.signed.term.currency,
        "at": shown.at,
        "document": contract.version_at(shown.at).document or "as signed",
    }
    body: Page = {
        "terms": [_term(each) for each in shown.terms],
        "prices": [_price(each) for each in shown.prices],
        "history": [_history(path, rows) for path, rows in shown.history],
    }
    return head | {name: rows for name, rows in body.items() if rows}


def _show(shown: Shown) -> None:
    contract = shown.opened.contract
    document = contract.version_at(shown.at).document or "as signed"
    at = shown.at.astimezone(contract.zone)
    render.text(f"{contract.signed.contract} at {at:%Y-%m-%d %H:%M} {contract.zone} · {document}", style="bold")
    if shown.terms:
        _show_terms(shown.terms)
        _show_prices(shown.prices, contract)
    elif shown.history:
        _show_history(shown.history, contract)
    else:
        _show_why(shown.prices, contract)


def _term(each: TermInForce) -> Page:
    return {"path": each.path, "value": each.value, "where": str(each.place), "paper": each.paper}


def _price(each: PriceInForce) -> Page:
    from offtake.cli.explain import step_row

    return {
        "model": each.model,
        "meter": each.meter,
        "channel": each.channel,
        "access": each.access,
        "list": each.public,
        "contracted": each.contracted,
        "clause": each.clause,
        "steps": [step_row(step) for step in each.steps],
    }


def _history(path: str, rows: tuple[Dated, ...]) -> Page:
    return {
        "path": path,
        "values": [
            {
                "from": row.since,
                "document": row.document,
                "value": row.value,
                "where": str(row.place) if row.place else None,
                "paper": row.paper,
            }
            for row in rows
        ],
    }


def _show_terms(terms: tuple[TermInForce, ...]) -> None:
    rows = [(each.path, each.value, str(each.place), each.paper) for each in terms]
    render.table(("term", "value", "where", "paper"), rows, title="Terms")


def _show_prices(prices: tuple[PriceInForce, ...], contract: Contract) -> None:
    rows = [(each.model, each.channel, each.access, each.meter, *_of(each, contract), each.clause) for each in prices]
    columns = ("model", "channel", "access", "meter", "list", "contracted", "clause")
    render.table(columns, rows, right=("list", "contracted"), title="Prices")


def _show_why(prices: tuple[PriceInForce, ...], contract: Contract) -> None:
    from offtake.cli.explain import show_steps

    for each in prices:
        public, contracted = _of(each, contract)
        title = f"{each.model} · {each.meter} · {each.channel} · {each.access}: {contracted} (list {public})"
        show_steps(each.steps, title)


def _show_history(found: tuple[tuple[str, tuple[Dated, ...]], ...], contract: Contract) -> None:
    for path, rows in found:
        shown = [
            (
                f"{row.since.astimezone(contract.zone):%Y-%m-%d}", row.value or "(not there)", row.document,
                str(row.place or ""), row.paper,
            )
            for row in rows
        ]  # fmt: skip
        render.table(("from", "value", "document", "where", "paper"), shown, title=path)


def _of(each: PriceInForce, contract: Contract) -> tuple[str, str]:
    """List and contracted price as people read them: per million tokens, or per thousand pieces."""
    per, unit = (Decimal(10**6), "M") if each.meter.endswith("_tokens") else (Decimal(1000), "k")
    currency = contract.signed.term.currency
    return tuple(f"{render.money(price * per, currency, 4)}/{unit}" for price in (each.public, each.contracted))  # type: ignore[return-value]  # two prices
