"""Invoices out of the JSON that `offtake rate --format json` wrote, so that they can be exported without the usage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from offtake.rating.lines import Amounts, Control, Invoice, Invoices, Line
from offtake.values.errors import InputError, Place
from offtake.values.periods import Interval, midnight

NAMES = ("contract", "contract_hash", "catalog_version", "currency")
AMOUNTS = ("list", "contracted", "effective", "billed")
_WORDS = {field.name for field in fields(Line) if field.type == "str"} | {"kind", "commitment_status"}


def read_invoices(document: object, zone: ZoneInfo, file: str = "") -> Invoices:
    """The invoices of a document by line. InputError where it is none, or where its periods were corrected: then the
    booked amounts are in another document.
    """
    place = Place(file) if file else None
    try:
        if not isinstance(document, Mapping):
            raise TypeError("a JSON object is expected")
        invoices = tuple(_invoice(row, zone) for row in document["invoices"])
        contract, digest, catalog, currency = (str(document[name]) for name in NAMES)
        corrected = document.get("corrections")
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise InputError(
            "U192", "these are not invoices by line", where=place,
            why=f"missing {error}" if isinstance(error, KeyError) else str(error),
            hint="give what `offtake rate --format json` wrote",
        ) from error  # fmt: skip
    if corrected:
        raise InputError(
            "U194", "these invoices were rated again, and their corrections do not say what was booked", where=place,
            hint="export the usage itself, with --previous",
        )  # fmt: skip
    return Invoices(
        contract, digest, catalog, currency, invoices, Control()
    )  # what was counted is no part of an export


def _invoice(row: Mapping[str, Any], zone: ZoneInfo) -> Invoice:
    start, end = (midnight(date.fromisoformat(row["period"][name]), zone) for name in ("from", "until"))
    period = Interval(start, end)
    lines = tuple(_line(line, period) for line in row["lines"])
    high = row["total"]["high"] if isinstance(row["total"], Mapping) else None
    return Invoice(
        period, lines, _number(row["total"]), _number(row["residual"]), None if high is None else _number(high)
    )


def _line(row: Mapping[str, Any], period: Interval) -> Line:
    high = Amounts(*(_number(row[name], "high") for name in AMOUNTS))
    amounts = Amounts(*(_number(row[name]) for name in AMOUNTS))
    words = {name: str(row[name]) for name in _WORDS if row.get(name)}
    return Line(
        **{"id": "", "clause": "", "why": "", **words},  # type: ignore[arg-type]  # names of text fields
        period=period,
        quantity=_number(row["quantity"]),
        unit_price=_number(row["unit_price"]),
        amounts=amounts,
        high=None if high == amounts else high,
    )


def _number(value: object, end: str = "low") -> Decimal:
    value = value[end] if isinstance(value, Mapping) else value
    if not isinstance(value, str):
        raise TypeError(f"an amount is a string, not {value!r}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"{value!r} is no amount")
    return number
