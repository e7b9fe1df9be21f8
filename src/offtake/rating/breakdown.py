"""Invoices by something other than their lines: by model, workload, day or tag.

A split must not change what is billed. So the totals are those of the plain invoices, and the parts are exact (not
rounded): Σ parts + unallocated = total + residual. Unallocated is what no usage carries by itself: fees, shortfalls,
adjustments, grants.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from offtake.contract.contract import Contract
from offtake.contract.schema.terms import Rounding
from offtake.rating.lines import Amounts, Invoice, Invoices, Line
from offtake.rating.planning import By
from offtake.values.errors import InputError
from offtake.values.money import EXACT, ZERO

DIMENSIONS = ("model", "workload", "day", "tag:NAME")


@dataclass(frozen=True, slots=True)
class Part:
    """One value's share of an invoice: amounts as of a line, with the high ones where they differ."""

    quantity: Decimal = ZERO
    amounts: Amounts = field(default_factory=Amounts)
    high: Amounts | None = None

    def plus(self, line: Line) -> Part:
        """With one more line."""
        above = (self.high or self.amounts).plus(line.high or line.amounts)
        amounts = self.amounts.plus(line.amounts)
        return Part(self.quantity + line.quantity, amounts, None if above == amounts else above)


@dataclass(frozen=True, slots=True)
class Breakdown:
    """An invoice in parts, by value of the dimension, sorted; `unallocated` is the rest of total + residual."""

    invoice: Invoice
    parts: Mapping[str, Part]
    unallocated: Decimal


def by_of(dimension: str) -> By:
    """What rating must keep apart for a dimension. InputError for one that there is not."""
    if dimension.startswith("tag:") and len(dimension) > len("tag:"):
        return By(tags=(dimension.removeprefix("tag:"),))
    if dimension in ("line", "record", "model"):
        return By()
    if dimension in ("workload", "day"):
        return By(workload=dimension == "workload", day=dimension == "day")
    known = ", ".join(("line", "record", *DIMENSIONS))
    raise InputError("U191", f"nothing is split by {dimension!r}", hint=f"one of: {known}")


def unrounded(contract: Contract) -> Contract:
    """The same contract with exact lines, for splits that must add up."""
    rounding = Rounding(where="invoice", places=12, mode="half_even")
    versions = tuple(
        replace(
            version,
            terms=version.terms.model_copy(
                update={"billing": version.terms.billing.model_copy(update={"rounding": rounding})}
            ),
        )
        for version in contract.versions
    )
    return replace(contract, versions=versions)


def break_down(printed: Invoices, exact: Invoices, dimension: str) -> tuple[Breakdown, ...]:
    """The printed invoices in parts. `exact` is the same usage rated `unrounded` and by the dimension."""
    lines = {invoice.period: invoice.lines for invoice in exact.invoices}
    return tuple(_broken_down(invoice, lines.get(invoice.period, ()), dimension) for invoice in printed.invoices)


def _broken_down(invoice: Invoice, lines: Iterable[Line], dimension: str) -> Breakdown:
    found: dict[str, Part] = {}
    for line in lines:
        value = line.model if dimension == "model" else line.by.get(dimension)
        if value is not None and (line.model or dimension != "model"):
            found[value] = found.get(value, Part()).plus(line)
    billed = sum((part.amounts.billed for part in found.values()), ZERO)
    rest = EXACT.subtract(EXACT.add(invoice.total, invoice.residual), billed)
    return Breakdown(invoice, {value: found[value] for value in sorted(found)}, rest)
