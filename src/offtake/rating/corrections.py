"""Corrections: what a closed period costs now, less what was booked for it.

A late event, a corrected price or a backdated amendment changes periods that were invoiced. Nobody reopens them: each
line that changed gives a correction line, which keeps the line's id and its original period (`corrects`). Lines are
compared by id. A line that vanished is taken back; a period that was never booked is no correction. Rating the same
again gives none.

Example: March was booked at 100.00 for a line; a late event makes it 130.00. The correction is +30.00 for March, and
against the new invoices the next run gives nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any
from zoneinfo import ZoneInfo

from offtake.rating.lines import Amounts, Invoices, Line
from offtake.values.errors import InputError, Place
from offtake.values.money import EXACT, ZERO
from offtake.values.periods import Interval, midnight

AMOUNTS = ("list", "contracted", "effective", "billed")
NOTHING = Amounts()


@dataclass(frozen=True, slots=True)
class Booked:
    """A line as it was booked: its amounts (low and high), and what names it."""

    period: Interval
    id: str
    amounts: Amounts
    high: Amounts
    names: Mapping[str, str]


def booked_lines(document: object, zone: ZoneInfo, file: str = "") -> tuple[tuple[Interval, ...], tuple[Booked, ...]]:
    """The periods and lines of an invoices document (the JSON of `offtake rate`). InputError where it is none."""
    try:
        if not isinstance(document, Mapping):
            raise TypeError("a JSON object is expected")
        periods, lines = [], []
        for invoice in document["invoices"]:
            period = _period(invoice["period"], zone)
            periods.append(period)
            lines += [_booked(line, period) for line in invoice["lines"]]
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise InputError(
            "U192", "these are not invoices by line", where=Place(file) if file else None,
            why=f"missing {error}" if isinstance(error, KeyError) else str(error),
            hint="give what `offtake rate --format json` wrote",
        ) from error  # fmt: skip
    return tuple(periods), tuple(lines)


def corrections(
    periods: tuple[Interval, ...], before: tuple[Booked, ...], now: Invoices, within: Interval | None = None
) -> tuple[Line, ...]:
    """The correction lines of the booked periods, in order of period and id.

    `within`: only these periods were rated again, so the others are not compared.
    """
    compared = {period for period in periods if within is None or period.overlap(within)}
    booked = {(line.period, line.id): line for line in before if line.period in compared}
    rated = {
        (invoice.period, line.id): line
        for invoice in now.invoices
        if invoice.period in compared
        for line in invoice.lines
    }
    with localcontext(EXACT):
        keys = sorted({*booked, *rated})
        return tuple(line for key in keys for line in _correction(booked.get(key), rated.get(key), now.currency))


def _correction(before: Booked | None, now: Line | None, currency: str) -> Iterator[Line]:
    was, was_high = (before.amounts, before.high) if before else (NOTHING, NOTHING)
    amounts, high = (now.amounts, now.high or now.amounts) if now else (NOTHING, NOTHING)
    low_change, high_change = _less(amounts, was), _less(high, was_high)
    if low_change == high_change == NOTHING:
        return
    line = now or _vanished(before)
    words = "no longer there" if now is None else "not booked before" if before is None else "changed"
    yield replace(
        line,
        id=f"{line.id}/correction",
        kind="correction",
        quantity=Decimal(1),
        unit=currency,
        unit_price=low_change.billed,
        amounts=low_change,
        high=None if low_change == high_change else high_change,
        why=f"{words}: {amounts.billed:,f} now, {was.billed:,f} booked" + (f" ({now.why})" if now else ""),
        corrects=line.period,
    )


def _less(one: Amounts, other: Amounts) -> Amounts:
    return Amounts(*(getattr(one, name) - getattr(other, name) for name in AMOUNTS))


def _vanished(before: Booked | None) -> Line:
    assert before is not None
    return Line(
        id=before.id, kind="correction", period=before.period, quantity=Decimal(1), unit_price=ZERO, amounts=NOTHING,
        why="", **before.names,  # type: ignore[arg-type]  # names of text fields
    )  # fmt: skip


def _booked(line: Mapping[str, Any], period: Interval) -> Booked:
    low = Amounts(*(_amount(line[name], "low") for name in AMOUNTS))
    high = Amounts(*(_amount(line[name], "high") for name in AMOUNTS))
    names = {name: str(line.get(name) or "") for name in ("clause", "model", "meter", "vendor", "channel", "source")}
    return Booked(period, str(line["id"]), low, high, names)


def _amount(value: object, end: str) -> Decimal:
    value = value[end] if isinstance(value, Mapping) else value
    if not isinstance(value, str):
        raise TypeError(f"an amount is a string, not {value!r}")
    amount = Decimal(value)
    if not amount.is_finite():
        raise ValueError(f"{value!r} is no amount")
    return amount


def _period(period: Mapping[str, Any], zone: ZoneInfo) -> Interval:
    start, end = (midnight(date.fromisoformat(str(period[name])), zone) for name in ("from", "until"))
    return Interval(start, end)
