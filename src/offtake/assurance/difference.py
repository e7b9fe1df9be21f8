"""What a comparison gives: differences, each with cause, clause and arithmetic, and the claims that they make up.

A difference is theirs − ours: positive means overbilled. Differences of one cell are a chain: the first starts at what
our side says of the cell, each next one where the last one ended, the last one ends at what the bill says. So on any
cell, and over all of them, Σ differences = theirs − ours exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from offtake.rating.lines import Control
from offtake.values.errors import Place
from offtake.values.money import EXACT, ZERO, total

Kind = Literal[
    "price", "quantity", "cache kind", "tier", "failed request billed", "rounding", "timing", "unknown"
]  # fmt: skip

KIND_OF: Mapping[str, Kind] = {
    "list price": "price",
    "price before a change": "price",
    "price of another date": "price",
    "channel": "price",
    "production price": "price",
    "reserved capacity": "price",
    "unknown price": "price",
    "missing credit": "price",
    "fee amount": "price",
    "cache kind": "cache kind",
    "context tier": "tier",
    "volume tier": "tier",
    "failed request": "failed request billed",
    "duplicate": "quantity",
    "quantity": "quantity",
    "rounding": "rounding",
    "timing": "timing",
    "unknown charge": "unknown",
    "missing charge": "unknown",
    "unexplained": "unknown",
}
"""The kind that each cause belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: `cause` says what went wrong in a few words, `why` how much in one sentence.

    [start, end) are the days of the cell; `model` and `meter` are empty where the bill does not tell them apart.
    `clause` is the term that decides, `place` where it stands in the file, `source` the paper's paragraph. Quantities
    are pieces and unit prices dollars a piece; None where one side does not say, or where they are no part of it. `row`
    is where the bill's first row about it stands.
    """

    cause: str
    clause: str
    theirs: Decimal
    ours: Decimal
    why: str
    model: str = ""
    meter: str = ""
    channel: str = ""
    start: date
    end: date
    theirs_quantity: int | None = None
    ours_quantity: int | None = None
    theirs_unit_price: Decimal | None = None
    ours_unit_price: Decimal | None = None
    place: Place | None = None
    source: str = ""
    row: Place | None = None

    @property
    def kind(self) -> Kind:
        """The family of its cause."""
        return KIND_OF[self.cause]

    @property
    def amount(self) -> Decimal:
        """Dollars: positive where the bill asks too much."""
        return EXACT.subtract(self.theirs, self.ours)

    @property
    def days(self) -> str:
        """One day, or the first and the last: `2026-02-01/2026-02-28`."""
        last = self.end - timedelta(days=1)
        return f"{self.start}" if last <= self.start else f"{self.start}/{last}"


@dataclass(frozen=True, slots=True)
class Claim:
    """Differences of one cause under one clause on one model: what one paragraph of a letter to the vendor says."""

    differences: tuple[Difference, ...]

    @property
    def first(self) -> Difference:
        """The largest of them."""
        return self.differences[0]

    @property
    def amount(self) -> Decimal:
        """Σ of its differences."""
        return total(each.amount for each in self.differences)

    @property
    def meters(self) -> tuple[str, ...]:
        """The meters that it touches, in order of dollars."""
        return tuple(dict.fromkeys(each.meter for each in self.differences if each.meter))

    @property
    def days(self) -> int:
        """How many days (or longer spans) it touches."""
        return len({(each.start, each.end) for each in self.differences})


@dataclass(frozen=True, slots=True)
class BillTotals:
    """What the bill holds: rows = usage + charges + taxes + overlapping + rejected; `amount` is without taxes.

    `charges` are rows of no usage, such as fees and credits. `overlapping` rows stand in two of the files under one id
    and count once. `quantities` sums what the rows count, by meter. `decimals` is what the bill rounds to.
    """

    rows: int = 0
    usage: int = 0
    charges: int = 0
    taxes: int = 0
    overlapping: int = 0
    rejected: int = 0
    amount: Decimal = ZERO
    tax: Decimal = ZERO
    quantities: Mapping[str, int] = field(default_factory=dict)
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result: differences by dollars, and the control totals of both sides.

    theirs − ours = Σ differences + rounding. `rounding` is what fair rounding of the bill's own rows adds up to.
    `undecided` is how much of `ours` the usage leaves open, decided here in the vendor's favour. `matched` and `cells`
    count the cells compared; `clean` also says that none of them differs. `from_` and `until` are the days compared.
    """

    contract: str
    contract_hash: str
    catalog_version: str
    currency: str
    from_: date
    until: date
    theirs: Decimal
    ours: Decimal
    differences: tuple[Difference, ...]
    bill: BillTotals
    control: Control
    rounding: Decimal = ZERO
    undecided: Decimal = ZERO
    cells: int = 0
    matched: int = 0
    unpriced: tuple[str, ...] = ()

    @property
    def difference(self) -> Decimal:
        """What the bill asks beyond what the contract gives."""
        return EXACT.subtract(self.theirs, self.ours)

    @property
    def overbilled(self) -> Decimal:
        """Σ of the claims above zero."""
        return total(claim.amount for claim in self.claims if claim.amount > 0)

    @property
    def underbilled(self) -> Decimal:
        """−Σ of the claims below zero: what the bill forgot."""
        return EXACT.minus(total(claim.amount for claim in self.claims if claim.amount < 0))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The differences by cause, clause, model and direction, by dollars."""
        return claims(self.differences)

    @property
    def complete(self) -> bool:
        """Whether every row of both sides was read, believed and priced."""
        return self.control.complete and not self.bill.rejected


def claims(differences: Iterable[Difference]) -> tuple[Claim, ...]:
    """Differences grouped into claims; both in order of dollars, overbilled before underbilled of the same size."""
    found: dict[tuple[str, str, str, bool], list[Difference]] = {}
    for each in sorted(differences, key=_order):
        found.setdefault((each.cause, each.clause, each.model, each.amount < 0), []).append(each)
    grouped = [Claim(tuple(each)) for each in found.values()]
    return tuple(sorted(grouped, key=lambda claim: (-abs(claim.amount), -claim.amount)))


def in_order(differences: Iterable[Difference]) -> tuple[Difference, ...]:
    """Differences by dollars, then by day, model and meter."""
    return tuple(sorted(differences, key=_order))


def _order(each: Difference) -> tuple[Decimal, Decimal, date, str, str, str]:
    return -abs(each.amount), -each.amount, each.start, each.model, each.meter, each.cause
