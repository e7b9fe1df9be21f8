"""What a scenario expects, against what rating gave.

    total: 612.00                     Σ of all invoices' totals, as printed; {low: …, high: …} for a range
    periods: {2026-01: 612.00}        the total of the invoice whose period starts then (contract's zone)
    lines: [{clause, model, …}]       these lines are there; others may be
    exactly: [{…}]                    these lines are there, and no others
    per_million: {input_tokens: 4.25} the one unit price of a meter, in dollars per million pieces
    renewal_ceiling: {input_tokens: 5}  the most that this price may be after renewal
    figures: {1 - billed / list: 19.81%}   arithmetic over list, contracted, effective, billed and total, rounded
                                      half-even to the places that are written
    unpriced: 1                       records that nothing prices, or texts that their reasons contain
    warnings: [text]                  each text stands in a warning; none: there is no warning
    control: {records: 3, free: 1}    control totals
    corrections: {2026-03: 20}        what is billed now for periods that were booked, and nothing for any other

A row of `lines` selects by clause (a path and all below it), kind, model, meter, channel, region, access, outcome,
commitment, commitment_status, period; what it selects is summed, so that it does not matter how finely rating cuts.
Then it expects quantity, list, contracted, effective, billed (sums), unit_price, per_million, unit (one for all of
them) or count (how many lines; 0: there is none).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from offtake.contract.contract import Contract
from offtake.contract.patterns import match
from offtake.operations.scenarios.node import Node
from offtake.rating.clauses.renewal import ceiling
from offtake.rating.lines import Invoice, Invoices, Line
from offtake.usage.meters import BY_NAME
from offtake.values.money import ROUNDING, ZERO, quantize

NEED_RATING = (
    "total", "periods", "lines", "exactly", "figures", "per_million", "renewal_ceiling", "unpriced", "warnings",
    "control", "corrections", "error",
)  # fmt: skip
AMOUNTS = ("list", "contracted", "effective", "billed")
_SELECT = (
    "clause", "kind", "model", "meter", "channel", "region", "access", "outcome", "commitment", "commitment_status",
    "period",
)  # fmt: skip
_EXPECT = ("quantity", *AMOUNTS, "unit_price", "per_million", "unit", "count", "because")


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One expectation that does not hold."""

    what: str
    expected: str
    got: str
    because: str


@dataclass(frozen=True, slots=True)
class Billed:
    """A line and the invoice that it stands on."""

    line: Line
    invoice: Invoice


def compare(result: Invoices, contract: Contract, node: Node) -> Iterator[Mismatch]:
    """The mismatches of one expectation, in the order in which it is written."""
    because, zone = node.need("because").text(), contract.zone
    for key, expected in node.entries():
        if key == "total":
            high = sum((_high(invoice) for invoice in result.invoices), ZERO)
            yield from _amount("total", expected, result.total, high, because)
        elif key == "periods":
            yield from _periods(result, expected, zone, because)
        elif key in ("lines", "exactly"):
            yield from _lines(result, expected, zone, because, alone=key == "exactly")
        elif key == "per_million":
            yield from _prices(_unit_prices(result), expected, because)
        elif key == "renewal_ceiling":
            yield from _prices(_ceilings(result, contract), expected, because)
        elif key == "figures":
            yield from _figures(result, expected, because)
        elif key == "unpriced":
            yield from _unpriced(result, expected, because)
        elif key == "warnings":
            yield from texts("warning", expected, result.warnings, because)
        elif key == "control":
            for name, value in expected.entries():
                yield from _equal(name, value.count(), getattr(result.control, name, None), because)


def configurations(totals: Mapping[str, Decimal], node: Node, because: str) -> Iterator[Mismatch]:
    """The totals of an estimate by the name of the configuration."""
    for name, expected in node.entries():
        if name in totals:
            yield from _amount(name, expected, totals[name], totals[name], because)
        else:
            yield Mismatch(name, expected.text(), f"only {', '.join(totals)}", because)


def corrected(lines: Iterable[Line], node: Node, zone: ZoneInfo, because: str) -> Iterator[Mismatch]:
    """What correction lines bill, by the period that they correct."""
    totals: dict[str, Decimal] = {}
    for line in lines:
        month = f"{line.period.start.astimezone(zone):%Y-%m}"
        totals[month] = totals.get(month, ZERO) + line.amounts.billed
    expected = {} if node.value == "none" else {key: item.number() for key, item in node.entries()}
    for month in sorted({*totals, *expected}):
        wanted, got = expected.get(month, ZERO), totals.get(month, ZERO)
        if wanted != got:
            yield Mismatch(f"correction of {month}", _plain(wanted), _plain(got), because)


def figure(node: Node, expression: str, names: dict[str, Decimal], because: str) -> Iterator[Mismatch]:
    """A figure that is given to so many places: the value of `expression` is rounded to as many."""
    written = node.text()
    percent = written.endswith("%")
    digits = written.removesuffix("%").replace("_", "")
    places = len(digits.partition(".")[2]) + (2 if percent else 0)
    formula = Node(expression, node.path, node.places)
    got = quantize(formula.number(names), places)
    shown = f"{got.scaleb(2):f}%" if percent else f"{got:f}"
    if got != quantize(node.number(), places):
        yield Mismatch(expression, written, shown, because)


def _periods(result: Invoices, node: Node, zone: ZoneInfo, because: str) -> Iterator[Mismatch]:
    for key, expected in node.entries():
        of_period = [invoice for invoice in result.invoices if _starts(invoice, key, zone)]
        if not of_period:
            yield Mismatch(f"total of {key}", expected.text(), "no invoice", because)
            continue
        total = sum((invoice.total for invoice in of_period), ZERO)
        high = sum((_high(invoice) for invoice in of_period), ZERO)
        yield from _amount(f"total of {key}", expected, total, high, because)


def _lines(result: Invoices, node: Node, zone: ZoneInfo, because: str, *, alone: bool) -> Iterator[Mismatch]:
    left = [Billed(line, invoice) for invoice in result.invoices for line in invoice.lines]
    everything = list(left)
    for row in node.items():
        row.only(*_SELECT, *_EXPECT)
        chosen = [billed for billed in everything if _selects(row, billed, zone)]
        left = [billed for billed in left if billed not in chosen]
        own = row.item("because")
        yield from _row(row, [billed.line for billed in chosen], own.text() if own else because)
    if alone:
        for billed in left:
            yield Mismatch("a line that nothing expects", "no line", describe(billed.line), because)


def _row(row: Node, lines: list[Line], because: str) -> Iterator[Mismatch]:
    named = ", ".join(f"{key} {item.text()}" for key, item in row.entries() if key in _SELECT)
    count = row.item("count")
    if count is not None:
        yield from _equal(f"lines of {named}", count.count(), len(lines), because)
    if not lines:
        if count is None:
            yield Mismatch(named, "a line", "no such line", because)
        return
    for key, expected in row.entries():
        what = f"{key} of {named}"
        if key == "quantity":
            total = sum((line.quantity for line in lines), ZERO)
            yield from _amount(what, expected, total, total, because)
        elif key in AMOUNTS:
            low: Decimal = sum((getattr(line.amounts, key) for line in lines), ZERO)
            high: Decimal = sum((getattr(line.high or line.amounts, key) for line in lines), ZERO)
            yield from _amount(what, expected, low, high, because)
        elif key == "unit":
            yield from _equal(what, expected.text(), _one({line.unit for line in lines}), because)
        elif key in ("unit_price", "per_million"):
            scale = 1 if key == "unit_price" else 1_000_000
            prices = {(line.unit_price * scale).normalize() for line in lines}
            yield from _equal(what, expected.number().normalize(), _one(prices), because)


def _prices(prices: dict[str, set[Decimal]], node: Node, because: str) -> Iterator[Mismatch]:
    for meter, expected in node.only(*BY_NAME).entries():
        got = {(price * 1_000_000).normalize() for price in prices.get(meter, ())}
        yield from _equal(f"{meter} per million", expected.number().normalize(), _one(got), because)


def _unit_prices(result: Invoices) -> dict[str, set[Decimal]]:
    prices: dict[str, set[Decimal]] = {}
    for invoice in result.invoices:
        for line in invoice.lines:
            if line.kind == "usage":
                prices.setdefault(line.meter, set()).add(line.unit_price)
    return prices


def _ceilings(result: Invoices, contract: Contract) -> dict[str, set[Decimal]]:
    """What each unit price may be after renewal, by the text in force at the end."""
    renewal = contract.versions[-1].terms.renewal
    if renewal is None:
        return {}
    return {
        meter: {highest for price in prices if (highest := ceiling(renewal, price)) is not None}
        for meter, prices in _unit_prices(result).items()
    }


def _figures(result: Invoices, node: Node, because: str) -> Iterator[Mismatch]:
    lines = [line for invoice in result.invoices for line in invoice.lines]
    names = {name: sum((getattr(line.amounts, name) for line in lines), ZERO) for name in AMOUNTS}
    for expression, expected in node.entries():
        yield from figure(expected, expression, {**names, "total": result.total}, because)


def _unpriced(result: Invoices, node: Node, because: str) -> Iterator[Mismatch]:
    if isinstance(node.value, list):
        yield from texts("unpriced", node, result.unpriced, because)
    else:
        yield from _equal("unpriced records", node.count(), result.control.unpriced, because)


def texts(what: str, node: Node, got: tuple[str, ...], because: str) -> Iterator[Mismatch]:
    """Texts that must each stand in one of those we got; `none` where there must not be any."""
    if node.value == "none":
        yield from _equal(what, "none", "; ".join(got) or "none", because)
        return
    for expected in node.items():
        if not any(expected.text() in text for text in got):
            yield Mismatch(what, expected.text(), "; ".join(got) or f"no {what}", because)


def _selects(row: Node, billed: Billed, zone: ZoneInfo) -> bool:
    for key, item in row.entries():
        if key not in _SELECT:
            continue
        expected = item.text()
        if key == "period":
            fits = _starts(billed.invoice, expected, zone)
        elif key == "clause":
            clause = billed.line.clause
            fits = clause == expected or clause.startswith((f"{expected}.", f"{expected}["))
        elif key == "model":
            fits = match(expected, billed.line.model)
        else:
            fits = getattr(billed.line, key) == expected
        if not fits:
            return False
    return True


def _amount(what: str, node: Node, low: Decimal, high: Decimal, because: str) -> Iterator[Mismatch]:
    if isinstance(node.value, dict):
        node.only("low", "high")
        expected = node.need("low").number(), node.need("high").number()
        if expected != (low, high):
            yield Mismatch(what, f"{_plain(expected[0])} – {_plain(expected[1])}", _range(low, high), because)
    elif not node.number() == low == high:
        written = f"{_plain(node.number())}" + (f" = {node.text()}" if isinstance(node.value, str) else "")
        yield Mismatch(what, written, _range(low, high), because)


def _equal(what: str, expected: object, got: object, because: str) -> Iterator[Mismatch]:
    if expected != got:
        yield Mismatch(what, _plain(expected), _plain(got), because)


def _one(values: set[str] | set[Decimal]) -> object:
    """The only value, or all of them in words: several are never what was expected."""
    return next(iter(values)) if len(values) == 1 else " and ".join(sorted(map(_plain, values))) or "nothing"


def _starts(invoice: Invoice, key: str, zone: ZoneInfo) -> bool:
    return invoice.period.start.astimezone(zone).date().isoformat().startswith(key)


def _high(invoice: Invoice) -> Decimal:
    return invoice.total if invoice.total_high is None else invoice.total_high


def _range(low: Decimal, high: Decimal) -> str:
    return _plain(low) if low == high else f"{_plain(low)} – {_plain(high)}"


def _plain(value: object) -> str:
    if not isinstance(value, Decimal):
        return str(value)
    text = f"{value:,f}"
    short = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{ROUNDING.plus(value):,.2f}" if len(short.partition(".")[2]) < 2 else short


def describe(line: Line) -> str:
    """A line in one phrase, for a reader who did not expect it."""
    subject = " ".join(part for part in (line.model, line.meter, line.channel, line.outcome) if part)
    billed = _plain(line.amounts.billed)
    return f"{line.clause}: {subject or line.kind} {_plain(line.quantity)} {line.unit}, billed {billed}"
