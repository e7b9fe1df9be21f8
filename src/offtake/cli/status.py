"""`offtake status`: what is left of each commitment, and where it is heading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from offtake.cli import render
from offtake.cli.options import (
    EXISTING_FILE,
    NEW_FILE,
    contract_option,
    format_option,
    out_option,
    pricing_options,
    store_options,
    usage_argument,
)
from offtake.values.errors import InputError

if TYPE_CHECKING:
    from offtake.assurance.allocation import Allocation
    from offtake.assurance.forecast import Range
    from offtake.assurance.status import CommitmentStatus, LotStatus, Projection, TierStatus
    from offtake.operations.commitment_status import Status

DATES_SHOWN = 8
Rows = list[tuple[str, ...]]


@click.command("status")
@usage_argument()
@contract_option(required=True)
@click.option("--by", metavar="tag:NAME", help="Say who bears the invoices, by this tag.")
@click.option(
    "--allocate",
    type=click.Choice(("blended", "marginal")),
    default="blended",
    show_default=True,
    help="With --by: in proportion to contracted cost, or what each alone adds.",
)
@click.option(
    "--forecast", type=NEW_FILE, metavar="FILE", help="Write what is still drawn, for the gateway to route by."
)
@click.option("--events", type=EXISTING_FILE, metavar="FILE", help="With --forecast: what is known to come (YAML).")
@pricing_options
@store_options
@format_option("table", "json", "csv")
@out_option
def command(
    usage: tuple[Path, ...], output_format: str, out: Path | None, forecast: Path | None, events: Path | None,
    **flags: Any,
) -> int:  # fmt: skip
    """Show what is left of each commitment, and where it is heading.

    Without --at, the status is that of the last row of USAGE. The projection draws on the level of the last weeks, no
    trend; its range is the 80% of chance that the history shows.
    """
    from offtake.cli.rate import reading, say_what_is_missing
    from offtake.operations.commitment_status import commitment_status
    from offtake.operations.rate_usage import Rated

    if events and not forecast:
        raise InputError("P647", "--events has no effect without --forecast", hint="--forecast FILE --events FILE")
    with reading() as progress:
        found = commitment_status(usage, progress=progress, **flags)
    if forecast:
        _write_forecast(found, events, forecast)
    if output_format == "json":
        render.write(render.json_text(document(found)), out)
    elif output_format == "csv":
        rows = [dict(_flat(_commitment_row(each))) for each in found.commitments]
        columns = list(dict.fromkeys(name for row in rows for name in row)) or ["id"]
        render.write(render.csv_text(columns, ([row.get(name) for name in columns] for row in rows)), out)
    else:
        render.write_tables(lambda: show(found), out)
    for words in found.warnings:
        render.note(f"warning: {words}")
    kept = found.session.usage
    return say_what_is_missing(Rated(found.contract, found.invoices, (), None, kept.rejected, kept.conflicts))


def _write_forecast(found: Status, events: Path | None, file: Path) -> None:
    from offtake.operations.forecast_draws import forecast_draws

    render.write(render.json_text(forecast_draws(found, events).model_dump(by_alias=True)), file)


def document(found: Status) -> dict[str, object]:
    """The JSON document of `offtake status`."""
    from offtake.cli.invoices import heading

    dates = [{"at": each.at, "what": each.what, "clause": each.clause, "source": each.source} for each in found.dates]
    return {
        **heading(found.invoices),
        "at": found.at,
        "commitments": [_commitment_row(each) for each in found.commitments],
        "lots": [_lot_row(lot) for lot in found.lots],
        "tier": _tier_row(found.tier) if found.tier else None,
        "next_dates": dates,
        "invoiced": found.invoices.total,
        "allocation": _allocation_row(found.allocation) if found.allocation else None,
        "warnings": list(found.warnings),
    }


def _commitment_row(each: CommitmentStatus) -> dict[str, object]:
    from offtake.cli.invoices import ranged

    least = each.minimum
    return {
        "id": each.id,
        "clause": each.clause,
        "source": each.source,
        "unit": each.unit,
        "window": {"from": each.window.start, "until": each.window.end},
        "time_share": _ratio(each.time_share),
        "committed": each.committed,
        "drawn": ranged(each.drawn, each.drawn_high),
        "left": each.left,
        "drawn_share": _ratio(each.drawn_share),
        "pace": _ratio(each.pace),
        "minimum": least
        and {
            "from": least.window.start,
            "until": least.window.end,
            "amount": least.amount,
            "drawn": least.drawn,
            "missing": least.missing,
        },
        "projection": _projection_row(each.projection) if each.projection else None,
    }


def _projection_row(end: Projection) -> dict[str, object]:
    return {
        "basis": str(end.level),
        "drawn": _range_row(end.drawn),
        "shortfall": _range_row(end.shortfall),
        "shortfall_cost": _range_row(end.cost),
        "overage": _range_row(end.overage),
        "overage_premium": end.premium and _range_row(end.premium),
    }


def _range_row(span: Range) -> dict[str, Decimal]:
    return {"low": span.low, "mid": span.mid, "high": span.high}


def _lot_row(lot: LotStatus) -> dict[str, object]:
    return {
        "clause": lot.clause, "name": lot.name, "unit": lot.unit, "granted": lot.granted, "remaining": lot.remaining,
        "starts": lot.starts, "expires": lot.expires,
    }  # fmt: skip


def _tier_row(tier: TierStatus) -> dict[str, object]:
    return {
        "clause": tier.clause, "source": tier.source, "unit": tier.unit, "measured": tier.measured, "share": tier.share,
        "next_share": tier.next_share, "left": tier.left,
    }  # fmt: skip


def _allocation_row(found: Allocation) -> dict[str, object]:
    shares = [
        {"value": each.value, "usage": each.usage, "rest": each.rest, "total": each.total} for each in found.shares
    ]
    return {
        "method": found.method, "tag": found.tag, "invoiced": found.invoiced, "shares": shares,
        "residual": found.residual,
    }  # fmt: skip


def _ratio(ratio: Decimal | None) -> Decimal | None:
    from offtake.values.money import quantize

    return None if ratio is None else quantize(ratio, 6)


def _flat(row: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """A row of nested values as columns: {"window": {"from": …}} is `window.from`."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def show(found: Status) -> None:
    """The tables for people."""
    zone = found.contract.zone
    render.text(f"{found.invoices.contract} on {found.at.astimezone(zone):%Y-%m-%d}", style="bold")
    for each in found.commitments:
        render.text()
        render.pairs(commitment_rows(each, found), title=commitment_title(each))
    render.text()
    if found.lots:
        rows = [
            (lot.name, amount(lot.granted, lot.unit), amount(lot.remaining, lot.unit), _day(lot.expires, found))
            for lot in found.lots
        ]
        render.table(("balance", "granted", "left", "expires"), rows, right=("granted", "left"), title="Balances")
    dates = [(_day(each.at, found), each.what, each.source or each.clause) for each in found.dates[:DATES_SHOWN]]
    render.table(("on", "what", "by"), dates, title="Next dates")
    if found.allocation:
        _show_allocation(found.allocation, found.invoices.currency)


def commitment_title(each: CommitmentStatus) -> str:
    """`Commitment spend, order_form §3.1`."""
    return f"Commitment {each.id}, {each.source or each.clause}"


def commitment_rows(each: CommitmentStatus, found: Status) -> Rows:
    """(what, value) of one commitment, in words."""
    last = _day(each.window.end, found)
    drawn = amount(each.drawn, each.unit)
    if each.drawn_high != each.drawn:
        drawn += f" to {amount(each.drawn_high, each.unit)}"
    rows: Rows = [
        ("committed", f"{amount(each.committed, each.unit)} from {_day(each.window.start, found)} until {last}"),
        ("drawn", drawn),
        ("left", amount(each.left, each.unit)),
        ("time gone", f"{bar(each.time_share)} {render.share(each.time_share)}"),
    ]
    if each.drawn_share is not None:
        rows.append(("drawn share", f"{bar(each.drawn_share)} {render.share(each.drawn_share)}"))
    if each.pace is not None:
        rows.append(("pace", f"{render.rounded(each.pace, 2)} × an even draw"))
    if each.minimum:
        until = _day(each.minimum.window.end, found)
        missing = amount(each.minimum.missing, found.invoices.currency)
        rows.append(("minimum", f"{missing} missing of {amount(each.minimum.amount, 'USD')} until {until}"))
    if each.projection:
        rows += _projection_rows(each.projection, each.unit, found.invoices.currency)
    if found.tier:
        rows.append(("tier", tier_words(found.tier)))
    return rows


def _projection_rows(end: Projection, unit: str, currency: str) -> Rows:
    rows: Rows = [("heading for", f"{range_words(end.drawn, unit)}, from {end.level}")]
    if end.shortfall.high:
        rows.append(("shortfall", range_words(end.shortfall, unit)))
        if unit == "token" or end.cost != end.shortfall:
            rows.append(("it would cost", range_words(end.cost, currency)))
    if end.overage.high:
        rows.append(("beyond", range_words(end.overage, unit)))
        if end.premium and end.premium.high:
            rows.append(("premium", range_words(end.premium, currency)))
    return rows


def bar(share: Decimal, width: int = 24) -> str:
    """A share as a bar of so many characters."""
    filled = min(width, int(share * width + Decimal("0.5")))
    return "█" * filled + "░" * (width - filled)


def tier_words(tier: TierStatus) -> str:
    """Where the tiers stand, in a sentence."""
    now = f"{render.share(tier.share, 0)} off now, {amount(tier.measured, tier.unit)} so far"
    if tier.left is None or tier.next_share is None:
        return f"{now}; the last step"
    return f"{now}; {render.share(tier.next_share, 0)} after {amount(tier.left, tier.unit)} more"


def range_words(span: Range, unit: str) -> str:
    """`$1.00 (80%: $0.50 to $1.50)`."""
    if span.low == span.high:
        return amount(span.mid, unit)
    return f"{amount(span.mid, unit)} (80%: {amount(span.low, unit)} to {amount(span.high, unit)})"


def amount(value: Decimal, unit: str) -> str:
    """Money or weighted tokens for the eye."""
    return f"{render.rounded(value, 0)} tokens" if unit == "token" else render.money(value, unit)


def _day(instant: datetime | None, found: Status) -> str:
    return "never" if instant is None else f"{instant.astimezone(found.contract.zone):%Y-%m-%d}"


def _show_allocation(found: Allocation, currency: str) -> None:
    rows = [
        (each.value or "(none)", *(render.money(part, currency) for part in (each.usage, each.rest, each.total)))
        for each in found.shares
    ]
    if found.residual:
        rows.append(("residual", "", "", render.money(found.residual, currency)))
    total = ("invoices", "", "", render.money(found.invoiced, currency))
    columns = (found.tag, "own usage", "share of the rest", "bears")
    render.table(columns, rows, right=columns[1:], title=f"Who bears the invoices ({found.method})", total=total)
