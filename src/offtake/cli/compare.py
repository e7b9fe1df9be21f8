"""`offtake compare`: where a vendor's bill is wrong, by how much, and under which clause."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from offtake.cli import render
from offtake.cli.import_usage import Pair, Zone
from offtake.cli.options import (
    EXISTING_PATH,
    INSTANT,
    contract_option,
    format_option,
    out_option,
    pricing_options,
    usage_argument,
)
from offtake.cli.rate import SAID_AT_MOST, reading
from offtake.values.counting import counted

if TYPE_CHECKING:
    from offtake.assurance.difference import Claim, Difference, Reconciliation
    from offtake.operations.compare_bill import Compared

COLUMNS = (
    "kind", "cause", "model", "meter", "channel", "day", "theirs", "ours", "amount", "theirs_quantity", "ours_quantity",
    "theirs_unit_price", "ours_unit_price", "clause", "place", "source", "row", "why",
)  # fmt: skip
CLAIMS_SHOWN = 30
_SHOWN = Decimal("0.0001")


@click.command("compare")
@usage_argument()
@click.option(
    "--invoice", "invoices", multiple=True, required=True, type=EXISTING_PATH, metavar="FILE",
    help="The vendor's bill: cost API, console export, FOCUS, or any CSV with --map; may be repeated.",
)  # fmt: skip
@contract_option(required=True)
@click.option("--from", "since", type=INSTANT, metavar="WHEN", help="Compare the billing periods from here on.")
@click.option("--until", type=INSTANT, metavar="WHEN", help="Compare the billing periods before this.")
@click.option("--invoice-kind", "kind", default="auto", show_default=True, metavar="KIND", help="The kind of the bill.")
@click.option(
    "--map", "mapping", type=Pair(), multiple=True, metavar="FIELD=COLUMN",
    help="A field of the bill from their column; FIELD==VALUE is a constant.",
)  # fmt: skip
@click.option(
    "--time-zone",
    type=Zone(),
    metavar="ZONE",
    help="The zone of the bill's clock times that name none (default: the contract's).",
)
@pricing_options
@format_option("table", "json", "csv")
@out_option
def command(
    kind: str,
    mapping: tuple[tuple[str, str], ...],
    time_zone: ZoneInfo | None,
    output_format: str,
    out: Path | None,
    **flags: Any,
) -> int:
    """Compare a vendor's bill with what the contract gives for the usage.

    The overbilled dollars come first, then what they are made of: each claim with its clause, the paper's paragraph
    and the arithmetic. Exit code 1 where anything differs, or where a row of either side could not be read.
    """
    from offtake.operations.compare_bill import compare_bill
    from offtake.usage.reading import ReadOptions

    options = ReadOptions(mapping=dict(mapping), time_zone=time_zone)
    with reading() as progress:
        compared = compare_bill(
            flags.pop("usage"), flags.pop("invoices"), flags.pop("contract"), kind=kind, options=options,
            progress=progress, **flags,
        )  # fmt: skip
    if output_format == "json":
        render.write(render.json_text(document(compared)), out)
    elif output_format == "csv":
        rows = ([_row(each)[name] for name in COLUMNS] for each in compared.result.differences)
        render.write(render.csv_text(COLUMNS, rows), out)
    else:
        render.write_tables(lambda: show(compared), out)
    _say_what_is_missing(compared)
    return 0 if compared.clean else 1


def document(compared: Compared) -> dict[str, object]:
    """The JSON document: totals, every difference, claims, control totals of both sides."""
    result = compared.result
    return {
        "contract": result.contract,
        "contract_hash": result.contract_hash,
        "catalog_version": result.catalog_version,
        "currency": result.currency,
        "from": result.from_,
        "until": result.until,
        "theirs": result.theirs.normalize(),
        "ours": result.ours.normalize(),
        "difference": result.difference.normalize(),
        "overbilled": result.overbilled.normalize(),
        "underbilled": result.underbilled.normalize(),
        "differences": [_row(each) for each in result.differences],
        "claims": [_claim_row(each) for each in result.claims],
        "control": _control(result),
        "unpriced": list(result.unpriced),
        "rejected": [{"where": str(row.where), "code": row.code, "error": row.error} for row in compared.rejected],
        "conflicts": list(compared.conflicts),
        "complete": compared.complete,
    }


def _row(each: Difference) -> dict[str, object]:
    return {
        "kind": each.kind,
        "cause": each.cause,
        "model": each.model,
        "meter": each.meter,
        "channel": each.channel,
        "day": each.days,
        "theirs": each.theirs,
        "ours": each.ours,
        "amount": each.amount.normalize(),
        "theirs_quantity": each.theirs_quantity,
        "ours_quantity": each.ours_quantity,
        "theirs_unit_price": each.theirs_unit_price,
        "ours_unit_price": each.ours_unit_price,
        "clause": each.clause,
        "place": str(each.place or ""),
        "source": each.source,
        "row": str(each.row or ""),
        "why": each.why,
    }


def _claim_row(claim: Claim) -> dict[str, object]:
    first = claim.first
    return {
        "kind": first.kind,
        "cause": first.cause,
        "model": first.model,
        "meters": list(claim.meters),
        "days": claim.days,
        "differences": len(claim.differences),
        "amount": claim.amount.normalize(),
        "clause": first.clause,
        "place": str(first.place or ""),
        "source": first.source,
        "why": first.why,
    }


def _control(result: Reconciliation) -> dict[str, object]:
    bill, ours = result.bill, result.control
    return {
        "theirs": {
            "rows": bill.rows, "usage": bill.usage, "charges": bill.charges, "taxes": bill.taxes,
            "overlapping": bill.overlapping, "rejected": bill.rejected, "amount": bill.amount.normalize(),
            "tax": bill.tax, "decimals": bill.decimals, "quantities": bill.quantities,
        },
        "ours": {
            "records": ours.records, "priced": ours.priced, "free": ours.free, "duplicates": ours.duplicates,
            "conflicts": ours.conflicts, "rejected": ours.rejected, "unpriced": ours.unpriced,
            "outside_term": ours.outside_term, "amount": result.ours.normalize(), "quantities": ours.priced_quantities,
        },
        "cells": result.cells,
        "matched": result.matched,
        "rounding": result.rounding.normalize(),
        "undecided": result.undecided.normalize(),
    }  # fmt: skip


def show(compared: Compared) -> None:
    """The answer first, then the claims, then what was compared."""
    result = compared.result
    claims = result.claims
    over, under = [c for c in claims if c.amount > 0], [c for c in claims if c.amount < 0]
    neither = [c for c in claims if not c.amount]
    currency = result.currency
    if not claims:
        render.text("The bill is right: nothing differs.", style="bold")
    else:
        render.text(
            f"overbilled {render.money(result.overbilled, currency)}: {counted(len(over), 'line')}", style="bold"
        )
    if under:
        render.text(f"underbilled {render.money(result.underbilled, currency)}: {counted(len(under), 'line')}")
    render.text(
        f"{result.from_} to {result.until} (exclusive): the bill asks {render.money(result.theirs, currency)}, "
        f"the contract gives {render.money(result.ours, currency)}"
    )
    shown = [*over, *under, *neither]
    if shown:
        render.text()
        render.table(
            ("amount", "what", "where", "clause", "evidence"),
            (_shown(claim, currency) for claim in shown[:CLAIMS_SHOWN]),
            right=("amount",),
        )
    if len(shown) > CLAIMS_SHOWN:
        render.text(f"… and {len(shown) - CLAIMS_SHOWN:,} more; --format csv has every difference")
    render.text(
        f"compared {counted(result.bill.rows, 'row')} of the bill with {result.control.records:,} of usage: "
        f"{result.matched:,} of {result.cells:,} cells equal"
        + (f"; fair rounding {render.money(result.rounding, currency, 4)}" if abs(result.rounding) >= _SHOWN else "")
        + (f"; {render.money(result.undecided, currency)} that the usage leaves open" if result.undecided else "")
        + (f"; taxes {render.money(result.bill.tax, currency)} not compared" if result.bill.taxes else "")
    )


def _shown(claim: Claim, currency: str) -> tuple[str, ...]:
    first = claim.first
    meters = ", ".join(meter.removesuffix("_tokens").replace("_", " ") for meter in claim.meters)
    when = first.days if claim.days == 1 else counted(claim.days, "day")
    where = "\n".join(part for part in (first.model, meters, when) if part)
    clause = "\n".join(part for part in (first.clause, first.source, str(first.place or "")) if part)
    what = first.kind if first.cause == first.kind else f"{first.kind}:\n{first.cause}"
    more = f" (the largest of {len(claim.differences):,})" if len(claim.differences) > 1 else ""
    return render.money(claim.amount, currency), what, where, clause, f"{first.why}{more}"


def _say_what_is_missing(compared: Compared) -> None:
    """Name the rows that are not in the comparison, on stderr."""
    told = [f"{row.where}: rejected[{row.code}]: {row.error}" for row in compared.rejected]
    told += [f"conflict: {words}" for words in compared.conflicts]
    told += [f"unpriced: {words}" for words in compared.result.unpriced]
    for words in told[:SAID_AT_MOST]:
        render.note(words)
    if len(told) > SAID_AT_MOST:
        render.note(f"… and {len(told) - SAID_AT_MOST:,} more; --format json has all of them")
