"""Our side of a comparison: the rated lines as parts of cells, and the lines that are no usage of a model.

A bill may show usage at its contracted cost and what balances paid for as credits, or usage net of them. Both are
kept here; `cells.py` takes the one that the bill follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from offtake.rating.draft import Steps
from offtake.rating.lines import Invoices, Line
from offtake.values.money import ZERO, to_pico
from offtake.values.periods import Interval


@dataclass(slots=True)
class Part:
    """Usage of one day that shares a price: `price` in picodollars a piece, 0 where a clause makes it free.

    `contracted` and `billed` are dollars; billed is less where a balance paid (`paid_by`). `high` is what `contracted`
    may be at most where the data cannot decide. `public` is the list price.
    """

    model: str
    vendor: str
    meter: str
    channel: str
    access: str
    region: str
    outcome: str
    day: int
    clause: str
    steps: Steps
    quantity: int
    price: int
    public: int
    contracted: Decimal
    billed: Decimal
    high: Decimal
    paid_by: str = ""

    @property
    def is_free(self) -> bool:
        """Whether a clause says that nobody pays for it."""
        return not self.contracted and not self.high and bool(self.quantity)


@dataclass(frozen=True, slots=True)
class OtherLine:
    """What our side asks beyond usage: a fee, a tier's adjustment, a shortfall, a credit. `high` as in a line."""

    clause: str
    kind: str
    period: Interval
    amount: Decimal
    high: Decimal
    why: str
    lines: int = 1

    @property
    def words(self) -> str:
        """Its arithmetic; of many lines, the first one's."""
        return self.why if self.lines == 1 else f"{self.lines:,} lines, the first: {self.why}"


def parts_of(invoices: Invoices) -> list[Part]:
    """Every usage line as a part. The invoices were rated by day and unrounded."""
    return [_part(line) for invoice in invoices.invoices for line in invoice.lines if line.kind == "usage"]


def others_of(invoices: Invoices, wanted: Interval) -> list[OtherLine]:
    """The lines of other kinds, one a clause and invoice; what bills nothing is left out."""
    found: dict[tuple[str, str, Interval], OtherLine] = {}
    for invoice in invoices.invoices:
        if invoice.period.overlap(wanted) is None:
            continue
        for line in invoice.lines:
            high = (line.high or line.amounts).billed
            if line.kind == "usage" or not (line.amounts.billed or high):
                continue
            key = (line.clause, line.kind, invoice.period)
            before = found.get(key)
            amount = line.amounts.billed
            found[key] = (
                replace(before, amount=before.amount + amount, high=before.high + high, lines=before.lines + 1)
                if before
                else OtherLine(*key, amount, high, line.why)
            )
    return list(found.values())


def drawdowns(
    parts: Iterable[Part], period_of: Callable[[int], Interval], clause_of: Callable[[str], str]
) -> list[OtherLine]:
    """What balances paid for usage, as credits: for bills that show usage gross. `clause_of` gives a balance's term."""
    found: dict[tuple[str, Interval], Decimal] = {}
    for part in parts:
        if part.contracted != part.billed:
            key = (clause_of(part.paid_by), period_of(part.day))
            found[key] = found.get(key, ZERO) + part.billed - part.contracted
    return [
        OtherLine(clause, "credit", period, amount, amount, f"pays {-amount.normalize():,f} of the usage")
        for (clause, period), amount in found.items()
    ]


def _part(line: Line) -> Part:
    amounts, quantity = line.amounts, int(line.quantity)
    high = line.high or amounts
    public = amounts.list or high.list
    return Part(
        model=line.model,
        vendor=line.vendor,
        meter=line.meter,
        channel=line.channel,
        access=line.access,
        region=line.region,
        outcome=line.outcome,
        day=date.fromisoformat(line.by["day"]).toordinal(),
        clause=line.clause if not amounts.contracted else _price_clause(line),
        steps=line.steps,
        quantity=quantity,
        price=to_pico(line.unit_price),
        public=int(public.scaleb(12)) // quantity if quantity else 0,
        contracted=amounts.contracted,
        billed=amounts.billed,
        high=high.contracted,
        paid_by=line.commitment,
    )


def _price_clause(line: Line) -> str:
    """The term that sets the price, also where the line is named after the policy that has it billed."""
    if not line.clause.startswith("failed_requests"):
        return line.clause
    setting = ("prices.basis", "prices.discounts", "prices.fixed", "prices.new_models", "prices.steps", "prices.cache")
    return next((path for path, _ in reversed(line.steps) if path.startswith(setting)), line.clause)
