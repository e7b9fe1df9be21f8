"""Rated usage for other tools: invoices as FOCUS rows or as a double-entry journal, written whole or not at all.

The amounts are those of the plain invoices. Where rows are split (by day, workload or tag), the parts are exact, and
one row an invoice holds what rounding moved, so that they still sum to what was billed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from offtake.contract.contract import Contract
from offtake.export import beancount, focus, focus_files
from offtake.export.focus_check import Violation, check
from offtake.export.focus_columns import Row
from offtake.operations.contracts import load_contract
from offtake.operations.invoices_json import read_invoices
from offtake.operations.rate_usage import Rated, open_session, rate_usage, refuse_ranges
from offtake.operations.usage_input import FileProgress
from offtake.rating.compiled import billing_periods
from offtake.rating.corrections import booked_lines
from offtake.rating.lines import Invoice, Invoices, Line
from offtake.rating.planning import By
from offtake.store.files import replacing, replacing_path
from offtake.values.errors import InputError, Place
from offtake.values.periods import Interval

FORMATS = ("csv", "parquet")


@dataclass(frozen=True, slots=True)
class Asked:
    """What to rate: as `rate_usage` takes it. `by` splits the lines: day, workload, tag:NAME; none for line."""

    paths: tuple[Path, ...]
    contract: Path | None = None
    catalogs: tuple[Path, ...] = ()
    facts: tuple[Path, ...] = ()
    since: datetime | date | None = None
    until: datetime | date | None = None
    at: datetime | date | None = None
    stance: str | None = None
    strict: bool = False
    previous: Path | None = None
    by: tuple[str, ...] = ("day",)


def rated_for_export(asked: Asked, progress: FileProgress | None = None) -> Rated:
    """The invoices to export. With `previous`, those that were not booked yet; the first of them bills the corrections.

    InputError where nothing new is there to bill corrections, and for a split that there is not.
    """
    split = _by(asked.by)
    options = {name: getattr(asked, name) for name in ("catalogs", "facts", "since", "until", "at", "stance")}
    rated = rate_usage(
        asked.paths, asked.contract, previous=asked.previous, strict=asked.strict, progress=progress, **options
    )
    if split != By() and rated.invoices.invoices:
        whole = Interval(rated.invoices.invoices[0].period.start, rated.invoices.invoices[-1].period.end)
        with open_session(asked.paths, asked.contract, progress=progress, **options) as session:
            parts = session.rated(split, exact=True, span=whole)
        rated = replace(rated, invoices=_split(rated.invoices, parts))
    if asked.previous:
        booked, _ = booked_lines(_json(asked.previous), rated.contract.zone, str(asked.previous))
        rated = replace(rated, invoices=_unbooked(rated, booked))
    return rated


def rated_from_json(path: Path, contract: Path, stance: str | None = None, strict: bool = False) -> Rated:
    """The invoices that `offtake rate --format json` wrote, with their contract."""
    opened = load_contract(contract, stance)
    invoices = read_invoices(_json(path), opened.zone, str(path))
    if invoices.contract_hash != opened.hash:
        raise InputError(
            "U193", f"these invoices were rated under another text of {invoices.contract!r}", where=Place(str(path)),
            why=f"their contract has the hash {invoices.contract_hash[:8]}, {contract.name} has {opened.hash[:8]}",
            hint="give the contract as it was, or rate again",
        )  # fmt: skip
    if strict:
        refuse_ranges(invoices)
    return Rated(opened, invoices)


def export_focus(rated: Rated, out: Path, file_format: str) -> int:
    """Write FOCUS 1.2 rows as csv or parquet; returns how many."""
    rows = focus.rows(rated.invoices, rated.contract)
    if file_format == "parquet":
        with replacing_path(out) as beside:
            return focus_files.write_parquet(rows, beside)
    with replacing(out) as file:
        return _write_csv(rows, file)


def check_focus(rated: Rated, out: Path, file_format: str) -> list[Violation]:
    """Every rule of FOCUS 1.2 that the file breaks, read back as another tool would; it must sum to the invoices."""
    payable = {focus.invoice_id(invoice, rated.contract): invoice.total for invoice in rated.invoices.invoices}
    if file_format == "parquet":
        return check(focus_files.read_parquet(out), payable=payable)
    with out.open(encoding="utf-8", newline="") as file:
        return check(list(focus_files.read_csv(file)), payable=payable)


def export_journal(rated: Rated, out: Path) -> None:
    """Write the journal in beancount's text format."""
    with replacing(out) as file:
        for directive in beancount.text(rated.invoices, rated.contract):
            file.write(directive.encode())


def _write_csv(rows: Iterable[Row], file: IO[bytes]) -> int:
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    try:
        return focus_files.write_csv(rows, text)
    finally:
        text.detach()


def _by(dimensions: Sequence[str]) -> By:
    known = {"day", "workload", "line"}
    tags = tuple(name.removeprefix("tag:") for name in dimensions if name.startswith("tag:") and name != "tag:")
    for name in dimensions:
        if name not in known and name.removeprefix("tag:") not in tags:
            raise InputError("U191", f"nothing is split by {name!r}", hint="one of: line, day, workload, tag:NAME")
    return By(workload="workload" in dimensions, day="day" in dimensions, tags=tags)


def _split(plain: Invoices, parts: Invoices) -> Invoices:
    """The exact parts under the plain totals."""
    lines = {invoice.period: invoice.lines for invoice in parts.invoices}
    return replace(plain, invoices=tuple(replace(invoice, lines=lines[invoice.period]) for invoice in plain.invoices))


def _unbooked(rated: Rated, booked: Sequence[Interval]) -> Invoices:
    new = [invoice for invoice in rated.invoices.invoices if invoice.period not in booked]
    corrections = rated.corrections or ()
    if corrections:
        new = _with_corrections(new, corrections, _next_period(rated.contract, booked))
    return replace(rated.invoices, invoices=tuple(new))


def _with_corrections(new: list[Invoice], corrections: tuple[Line, ...], period: Interval) -> list[Invoice]:
    amount = sum((line.amounts.billed for line in corrections), Decimal(0))
    first = next((invoice for invoice in new if invoice.period == period), Invoice(period, (), Decimal(0), Decimal(0)))
    rest = [invoice for invoice in new if invoice.period != period]
    return [replace(first, lines=(*first.lines, *corrections), total=first.total + amount), *rest]


def _next_period(contract: Contract, booked: Sequence[Interval]) -> Interval:
    """The billing period after the last booked one: that bills what the booked ones have wrong."""
    end = max(period.end for period in booked)
    after = [period for period in billing_periods(contract) if period.start >= end]
    return after[0] if after else max(booked)


def _json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError("U108", "this is not JSON", where=Place(str(path)), why=str(error)) from error
