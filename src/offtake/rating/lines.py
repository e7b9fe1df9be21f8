"""What rating gives: lines, invoices, control totals. Amounts are exact Decimals in the contract's currency.

`list` is the public price × quantity. `contracted` is the negotiated cost, before commitments and grants. `billed` is
what this invoice asks for. `effective` spreads prepaid money over the usage that it pays: over a term
Σ effective = Σ billed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple

from offtake.values.money import ZERO
from offtake.values.periods import Interval

Kind = Literal["usage", "adjustment", "commitment", "purchase", "fee", "credit", "correction"]


class Amounts(NamedTuple):
    """The four costs of FOCUS."""

    list: Decimal = ZERO
    contracted: Decimal = ZERO
    effective: Decimal = ZERO
    billed: Decimal = ZERO

    def plus(self, other: Amounts) -> Amounts:
        """The sums, cost by cost."""
        return Amounts(
            self.list + other.list,
            self.contracted + other.contracted,
            self.effective + other.effective,
            self.billed + other.billed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an invoice.

    `id` is stable: the same clause on the same usage of the same period has it again, so that re-rating compares.
    `quantity` × `unit_price` is `contracted` for usage. `unit` says what is counted (token, USD, seat, month, …).
    `why` is the arithmetic in words; `steps` the derivation of the unit price as (clause path, sentence) pairs.
    `high` holds the upper amounts where the data cannot decide; then the line's own amounts are the lower ones.
    """

    id: str
    clause: str
    kind: Kind
    period: Interval
    quantity: Decimal
    unit_price: Decimal
    amounts: Amounts
    why: str
    unit: str = "token"
    model: str = ""
    meter: str = ""
    vendor: str = ""
    channel: str = ""
    access: str = ""
    region: str = ""
    outcome: str = ""
    source: str = ""
    commitment: str = ""
    commitment_status: Literal["", "used", "unused"] = ""
    steps: tuple[tuple[str, str], ...] = ()
    by: Mapping[str, str] = field(default_factory=dict)
    high: Amounts | None = None
    corrects: Interval | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """One billing period. `total` is Σ billed as printed (rounded lines); `residual` = exact sum − total."""

    period: Interval
    lines: tuple[Line, ...]
    total: Decimal
    residual: Decimal
    total_high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """records = priced + free + duplicates + conflicts + rejected + unpriced + outside_term, or the run is rejected.

    `not_usage` counts rows that are no usage by their format's own words, such as taxes; they are not among `records`.
    """

    records: int = 0
    priced: int = 0
    free: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    unpriced: int = 0
    outside_term: int = 0
    not_usage: int = 0
    quantities: Mapping[str, int] = field(default_factory=dict)
    priced_quantities: Mapping[str, int] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every record was priced or is free by a term."""
        return not (self.conflicts or self.rejected or self.unpriced)

    @property
    def balanced(self) -> bool:
        """Whether what came in is what went out."""
        parts = (
            self.priced, self.free, self.duplicates, self.conflicts, self.rejected, self.unpriced, self.outside_term,
        )  # fmt: skip
        return self.records == sum(parts)


@dataclass(frozen=True, slots=True)
class Invoices:
    """The result of rating: invoices in period order, the control totals, and what could not be priced and why."""

    contract: str
    contract_hash: str
    catalog_version: str
    currency: str
    invoices: tuple[Invoice, ...]
    control: Control
    unpriced: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        """Σ of the invoices' totals."""
        return sum((invoice.total for invoice in self.invoices), ZERO)
