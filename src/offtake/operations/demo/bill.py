"""The vendor's bill for the made month: right line by line, then wrong in five ways that real bills are wrong in.

The right bill is the invoice itself, by day and rounded row by row. Each mistake changes the rows that it says, and
nothing else, so that whoever compares the bill must find these dollars and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from offtake.rating.lines import Invoices, Line
from offtake.values.money import EXACT, divide, quantize

COLUMNS = (
    "id", "starts_at", "model", "channel", "meter", "quantity", "price_mtok", "amount", "currency", "kind",
    "description",
)  # fmt: skip
OPUS, SONNET, HAIKU = "claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"
MILLION = 10**6


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the bill; `list_price` is what the vendor's public price would be, prices are dollars a token."""

    day: date
    model: str
    channel: str
    meter: str
    quantity: int
    price: Decimal
    list_price: Decimal
    currency: str
    description: str
    credit: Decimal | None = None

    @property
    def amount(self) -> Decimal:
        """In cents, as vendors print it."""
        return quantize(self.price * self.quantity if self.credit is None else self.credit, 2)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What was planted, in a sentence, and how."""

    what: str
    make: Callable[[list[Row], tuple[Line, ...]], Iterable[Row]]


def right_bill(exact: Invoices) -> list[Row]:
    """The rows of a correct bill. `exact` are unrounded invoices by day."""
    found: dict[tuple[object, ...], Row] = {}
    for invoice in exact.invoices:
        for line in invoice.lines:
            for row in _row(line, exact.currency):  # requests that ended differently and cost the same are one row
                key = row.day, row.model, row.channel, row.meter, row.price, row.credit
                known = found.get(key)
                found[key] = replace(row, quantity=row.quantity + known.quantity) if known else row
    return list(found.values())


def wrong_bill(exact: Invoices) -> list[Row]:
    """The same rows with every mistake of `MISTAKES` made."""
    lines = tuple(line for invoice in exact.invoices for line in invoice.lines)
    rows = right_bill(exact)
    for mistake in MISTAKES:
        rows = list(mistake.make(rows, lines))
    return sorted(rows, key=lambda row: (row.day, row.model, row.channel, row.meter, row.price))


def csv_rows(rows: Iterable[Row]) -> Iterator[list[str]]:
    """The rows as `COLUMNS` has them."""
    for number, row in enumerate(rows, 1):
        is_usage = row.credit is None
        yield [
            f"NW-2026-01-{number:04d}", row.day.isoformat(), row.model, row.channel, row.meter if is_usage else "",
            str(row.quantity) if is_usage else "", _plain(row.price * MILLION) if is_usage else "", f"{row.amount:f}",
            row.currency, "usage" if is_usage else "credit", row.description,
        ]  # fmt: skip


def _row(line: Line, currency: str) -> Iterator[Row]:
    """The row of a line; what is free is not on the bill."""
    words = f"{line.model} {line.meter.replace('_', ' ')}" + (" (batch)" if line.channel == "batch" else "")
    at = date.fromisoformat(line.by["day"])
    if line.kind == "credit":
        credit = line.amounts.billed
        yield Row(at, line.model, line.channel, line.meter, 0, credit, credit, currency, f"credit: {words}", credit)
    elif line.amounts.contracted:
        public = divide(line.amounts.list, line.quantity)
        quantity = int(line.quantity)
        yield Row(at, line.model, line.channel, line.meter, quantity, line.unit_price, public, currency, words)


def _discount_forgotten(rows: list[Row], lines: tuple[Line, ...]) -> Iterator[Row]:
    for row in rows:
        hit = row.model == OPUS and row.channel == "realtime" and row.day >= date(2026, 1, 20) and row.credit is None
        yield replace(row, price=row.list_price) if hit else row


def _batch_as_realtime(rows: list[Row], lines: tuple[Line, ...]) -> Iterator[Row]:
    for row in rows:
        hit = row.model == OPUS and row.channel == "batch" and date(2026, 1, 26) <= row.day and row.credit is None
        yield replace(row, price=row.price * 2) if hit else row


def _cache_as_input(rows: list[Row], lines: tuple[Line, ...]) -> Iterator[Row]:
    """Reads of one week, billed as fresh input."""
    fresh = {(row.day, row.model, row.channel): row for row in rows if row.meter == "input_tokens"}
    for row in rows:
        like = fresh.get((row.day, row.model, row.channel))
        week = date(2026, 1, 5) <= row.day <= date(2026, 1, 9)
        if week and like and row.model == HAIKU and row.meter == "cache_read_tokens":
            yield replace(like, quantity=row.quantity)
        else:
            yield row


def _outage_billed(rows: list[Row], lines: tuple[Line, ...]) -> Iterator[Row]:
    """The failed requests of the outage, at the price of those that worked."""
    yield from rows
    paid = {(row.day, row.model, row.channel, row.meter, row.list_price): row for row in rows if row.credit is None}
    for line in lines:
        if line.model == OPUS and line.outcome == "http_5xx" and line.by["day"] == "2026-01-14":
            public = divide(line.amounts.list, line.quantity)
            like = paid.get((date(2026, 1, 14), line.model, line.channel, line.meter, public))
            if like:
                yield replace(like, quantity=int(line.quantity))


def _day_twice(rows: list[Row], lines: tuple[Line, ...]) -> Iterator[Row]:
    for row in rows:
        yield row
        if row.day == date(2026, 1, 17) and row.model == HAIKU and row.channel == "batch":
            yield row


MISTAKES = (
    Mistake("from 20 January on, Opus is billed at list price: the discount is gone", _discount_forgotten),
    Mistake("from 26 January on, the nightly Opus batches are billed at the realtime price", _batch_as_realtime),
    Mistake("from 5 to 9 January, Haiku's cache reads are billed as fresh input", _cache_as_input),
    Mistake("the Opus requests that failed in the outage of 14 January are billed", _outage_billed),
    Mistake("the Haiku batches of 17 January stand on the bill twice", _day_twice),
)


def _plain(price: Decimal) -> str:
    return f"{EXACT.normalize(price):f}"
