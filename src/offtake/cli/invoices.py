"""How invoices look: the JSON and CSV that others script against, and the tables for people.

docs/reference/json.md describes the shapes; a name in them never changes its meaning within one `schema_version`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from offtake.cli import render
from offtake.values.money import total

if TYPE_CHECKING:
    from offtake.operations.rate_usage import Rated
    from offtake.rating.breakdown import Breakdown, Part
    from offtake.rating.lines import Amounts, Control, Invoices, Line
    from offtake.rating.request_lines import ChargeLine, RequestLine
    from offtake.values.periods import Interval

AMOUNTS = ("list", "contracted", "effective", "billed")
LINE = ("id", "clause", "model", "meter", "quantity", "unit_price", *AMOUNTS, "why")
ALSO = ("vendor", "channel", "access", "region", "outcome", "source", "commitment", "commitment_status")
CONTROL = ("records", "priced", "free", "duplicates", "conflicts", "rejected", "unpriced", "outside_term", "not_usage")


def document(rated: Rated, by: str) -> dict[str, object]:
    """The JSON document of `offtake rate`."""
    invoices, zone = rated.invoices, rated.contract.zone
    parts = iter(rated.breakdowns)
    shown = []
    for invoice in invoices.invoices:
        row: dict[str, object] = {"period": period_row(invoice.period, zone)}
        if by == "line":
            row["lines"] = [line_row(line) for line in invoice.lines]
        else:
            each = next(parts)
            row["lines"] = [part_row(by, value, part) for value, part in each.parts.items()]
            row["unallocated"] = each.unallocated
        row["total"] = ranged(invoice.total, invoice.total_high)
        row["residual"] = invoice.residual
        shown.append(row)
    found = {
        **heading(invoices),
        "time_zone": str(zone),
        "by": by,
        "invoices": shown,
        "total": range_of_total(invoices),
    }
    if by != "line":
        found["unallocated"] = rated.unallocated
    if rated.corrections is not None:
        found["corrections"] = [correction_row(line, zone) for line in rated.corrections]
        found["corrected"] = total(line.amounts.billed for line in rated.corrections)
    return {**found, **ending(rated)}


def heading(invoices: Invoices) -> dict[str, object]:
    """What was rated with what: first in every document that holds money."""
    return {
        "contract": invoices.contract,
        "contract_hash": invoices.contract_hash,
        "catalog_version": invoices.catalog_version,
        "currency": invoices.currency,
        "complete": invoices.control.complete,
    }


def ending(rated: Rated) -> dict[str, object]:
    """The control totals, and every row that is not in the money."""
    return {
        "control": control_row(rated.invoices.control),
        "unpriced": list(rated.invoices.unpriced),
        "rejected": [{"where": str(row.where), "code": row.code, "error": row.error} for row in rated.rejected],
        "conflicts": list(rated.conflicts),
        "warnings": list(rated.invoices.warnings),
    }


def range_of_total(invoices: Invoices) -> object:
    """The total, or its range."""
    above = (each.total if each.total_high is None else each.total_high for each in invoices.invoices)
    return ranged(invoices.total, total(above))


def ranged(low: Decimal, high: Decimal | None) -> object:
    """An amount, or {low, high} where they differ."""
    return low if high is None or high == low else {"low": low, "high": high}


def line_row(line: Line | RequestLine | ChargeLine) -> dict[str, object]:
    """One line, of an invoice or of one request. Words that a line does not have are left out."""
    row: dict[str, object] = {
        "id": line.id,
        "kind": line.kind,
        "clause": line.clause,
        "model": line.model,
        "meter": line.meter,
        "quantity": line.quantity,
        "unit": line.unit,
        "unit_price": line.unit_price,
        **amount_rows(line.amounts, line.high),
        "why": line.why,
    }
    return row | {name: value for name in ALSO if (value := getattr(line, name, ""))}


def correction_row(line: Line, zone: ZoneInfo) -> dict[str, object]:
    """A correction line, with the period that it corrects."""
    return {**line_row(line), "corrects": period_row(line.corrects or line.period, zone)}


def part_row(by: str, value: str, part: Part) -> dict[str, object]:
    """One part of a breakdown; the value stands under the dimension's name."""
    return {by: value, **amount_rows(part.amounts, part.high)}


def amount_rows(amounts: Amounts, high: Amounts | None) -> dict[str, object]:
    """The four amounts, each a string or a range."""
    return {name: ranged(getattr(amounts, name), getattr(high, name) if high else None) for name in AMOUNTS}


def control_row(control: Control) -> dict[str, object]:
    """The control totals."""
    counts: dict[str, object] = {name: getattr(control, name) for name in CONTROL}
    return {**counts, "quantities": dict(control.quantities), "priced_quantities": dict(control.priced_quantities)}


def period_row(period: Interval, zone: ZoneInfo) -> dict[str, object]:
    """A period as the dates of its local midnights, half-open."""
    return {"from": day(period.start, zone), "until": day(period.end, zone)}


def day(instant: datetime, zone: ZoneInfo) -> str:
    """The local date of an instant."""
    return instant.astimezone(zone).date().isoformat()


def csv_rows(rated: Rated, by: str) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    """The header and rows of the CSV: a line each, amounts low; `billed_high` where the data cannot decide."""
    zone = rated.contract.zone
    if by != "line":
        return ("from", "until", by, *AMOUNTS), (row for each in rated.breakdowns for row in _csv_parts(each, zone))
    columns = ("from", "until", "kind", "unit", *LINE, "billed_high", "channel", "outcome", "source", "corrects_from")
    lines = [line for invoice in rated.invoices.invoices for line in invoice.lines]
    return columns, (_csv_line(line, zone) for line in (*lines, *(rated.corrections or ())))


def _csv_line(line: Line, zone: ZoneInfo) -> list[object]:
    row: Mapping[str, Any] = {**line_row(line), **{name: getattr(line.amounts, name) for name in AMOUNTS}}
    period = period_row(line.period, zone)
    return [
        period["from"], period["until"], line.kind, line.unit, *(row[name] for name in LINE), _high(line), line.channel,
        line.outcome, line.source, day(line.corrects.start, zone) if line.corrects else None,
    ]  # fmt: skip


def _csv_parts(each: Breakdown, zone: ZoneInfo) -> Iterator[list[object]]:
    period = period_row(each.invoice.period, zone)
    for value, part in each.parts.items():
        yield [period["from"], period["until"], value, *(getattr(part.amounts, name) for name in AMOUNTS)]
    yield [period["from"], period["until"], "(unallocated)", None, None, None, each.unallocated]


def show(rated: Rated, by: str) -> None:
    """The tables: totals first, then the lines."""
    invoices, zone = rated.invoices, rated.contract.zone
    money = Shown(invoices.currency)
    rows = [
        [day(each.period.start, zone), *_sums(each.lines, money), money.range(each.total, each.total_high)]
        for each in invoices.invoices
    ]
    above = range_of_total(invoices)
    last = money.range(above["low"], above["high"]) if isinstance(above, dict) else money(invoices.total)
    render.table(
        ("invoice from", "list", "contracted", "billed"), rows, right=("list", "contracted", "billed"),
        title=f"{invoices.contract} · {invoices.currency}", total=("total", "", "", last),
    )  # fmt: skip
    if by == "line":
        for each in invoices.invoices:
            _show_lines(each.lines, money, f"Lines from {day(each.period.start, zone)}")
    for parts in rated.breakdowns:
        _show_parts(parts, by, money, zone)
    if rated.corrections is not None:
        _show_corrections(rated.corrections, money, zone)


class Shown:
    """Amounts of one currency for the eye."""

    def __init__(self, currency: str) -> None:
        self.currency = currency

    def __call__(self, amount: Decimal) -> str:
        return render.money(amount, self.currency)

    def range(self, low: Decimal, high: Decimal | None) -> str:
        """`$1.00`, or `$1.00 to $2.00`."""
        return self(low) if high is None or high == low else f"{self(low)} to {self(high)}"

    def price(self, line: Line) -> str:
        """A unit price: per million tokens, per thousand calls, a share, or an amount."""
        if line.kind != "usage":
            return f"{line.unit_price.normalize():,f}"
        per, unit = (10**6, "M") if line.meter.endswith("_tokens") else (1000, "k")
        return f"{render.money(line.unit_price * per, self.currency, 4)}/{unit}"


def _high(each: Line | Part) -> Decimal | None:
    return each.high.billed if each.high else None


def _sums(lines: Iterable[Line], money: Shown) -> list[str]:
    found = list(lines)
    return [money(total(getattr(line.amounts, name) for line in found)) for name in ("list", "contracted")]


def _show_lines(lines: Sequence[Line], money: Shown, title: str) -> None:
    rows = [
        (
            line.model or line.kind, line.meter, line.channel, f"{line.quantity.normalize():,f}", money.price(line),
            money(line.amounts.contracted), money.range(line.amounts.billed, _high(line)),
            line.clause,
        )
        for line in lines
    ]  # fmt: skip
    columns = ("what", "meter", "channel", "quantity", "unit price", "contracted", "billed", "clause")
    render.table(columns, rows, right=("quantity", "unit price", "contracted", "billed"), title=title)


def _show_parts(each: Breakdown, by: str, money: Shown, zone: ZoneInfo) -> None:
    rows = [
        (
            value or "(none)", money(part.amounts.list), money(part.amounts.contracted),
            money.range(part.amounts.billed, _high(part)),
        )
        for value, part in each.parts.items()
    ]  # fmt: skip
    rows.append(("unallocated", "", "", money(each.unallocated)))
    render.table(
        (by, "list", "contracted", "billed"), rows, right=("list", "contracted", "billed"),
        title=f"By {by} from {day(each.invoice.period.start, zone)}",
    )  # fmt: skip


def _show_corrections(lines: Sequence[Line], money: Shown, zone: ZoneInfo) -> None:
    rows = [
        (day(line.period.start, zone), line.model or line.clause, line.meter, money(line.amounts.billed), line.why)
        for line in lines
    ]
    corrected = total(line.amounts.billed for line in lines)
    render.table(
        ("corrects", "what", "meter", "billed", "why"), rows, right=("billed",), title="Corrections",
        total=("total", "", "", money(corrected), ""),
    )  # fmt: skip
