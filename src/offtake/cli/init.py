"""`offtake init`: a ten-line contract from three questions."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from offtake.cli import render
from offtake.cli.options import INSTANT, NEW_FILE

if TYPE_CHECKING:
    from offtake.values.units import MoneyRate


@click.command("init")
@click.option("--vendor", metavar="NAME", help="Who sells, such as anthropic, openai or google.")
@click.option("--discount", metavar="SHARE", help="The share off list, such as 15%.")
@click.option("--commitment", metavar="AMOUNT", help='The commitment, such as "600_000 USD / year", or none.')
@click.option("--buyer", default="Example Corp", show_default=True, metavar="NAME", help="Who buys.")
@click.option("--start", type=INSTANT, metavar="DATE", help="The first day (default: 1 January of this year).")
@click.option("--out", type=NEW_FILE, default="contract.yaml", show_default=True, metavar="FILE", help="Where to.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@click.option("--dry-run", is_flag=True, help="Print the contract and write nothing.")
def command(
    vendor: str | None,
    discount: str | None,
    commitment: str | None,
    buyer: str,
    start: datetime | date | None,
    out: Path,
    force: bool,
    dry_run: bool,
) -> int | None:
    """Write a ten-line contract from three questions: vendor, discount, commitment.

    Questions are asked at a terminal only; elsewhere --vendor must be given, and the others default to none.
    """
    from offtake.operations.start_contract import start_contract

    if out.exists() and not (force or dry_run):
        raise click.UsageError(f"{out} is there already; name another file with --out, or write over it with --force")
    text = start_contract(
        _answer(vendor, "Vendor (anthropic, openai, google, …)", None, "--vendor"),
        _share(_answer(discount, "Discount off list", "0%", "--discount")),
        _amount(_answer(commitment, "Commitment, such as 600_000 USD / year", "none", "--commitment")),
        buyer=buyer,
        start=start or date(datetime.now(UTC).year, 1, 1),
    )
    if dry_run:
        render.write(text)
        return None
    render.write(text, out)
    render.note(f"wrote {out}; next: offtake check {out}, then offtake rate USAGE --contract {out}")
    return None


def _answer(given: str | None, question: str, default: str | None, flag: str) -> str:
    """The flag, or the answer of the person at the terminal, or the default."""
    if given is not None:
        return given
    if sys.stdin.isatty():
        return str(click.prompt(question, default=default, err=True))
    if default is None:
        raise click.UsageError(f"no terminal to ask at: give {flag}")
    return default


def _share(text: str) -> Decimal:
    from offtake.values.units import share

    try:
        ratio = share(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--discount") from error
    if not 0 <= ratio <= 1:
        raise click.BadParameter(f"{text} lies outside of 0% to 100%", param_hint="--discount")
    return ratio


def _amount(text: str) -> MoneyRate | None:
    from offtake.values.units import money_rate

    if text in ("none", ""):
        return None
    try:
        rate = money_rate(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--commitment") from error
    if rate.money.amount <= 0:
        raise click.BadParameter(f"{text} is no commitment", param_hint="--commitment")
    return rate
