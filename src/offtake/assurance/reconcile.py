"""Reconciling a bill: both sides cell by cell, every difference explained, nothing lost.

    bill (streamed, folded) ──┐
                              ├─► cells ─► prices ─► quantities ─► differences, with clause and arithmetic
    usage ─► rating by day ───┘

The order in which causes are tested is that of `alternatives.py` (prices), then `moves.py` (quantities). What no cause
explains is reported as unexplained, so that Σ differences + rounding = theirs − ours always.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext

from offtake.assurance.alternatives import Alternatives
from offtake.assurance.bill import Bill
from offtake.assurance.cells import Cell, cells_of
from offtake.assurance.difference import BillTotals, Reconciliation, in_order
from offtake.assurance.expected import Part, drawdowns, others_of, parts_of
from offtake.assurance.explain import explain
from offtake.assurance.moves import settle
from offtake.assurance.other_charges import ChargeComparison
from offtake.assurance.report import Report, shown
from offtake.catalog.list_price import ListPrices
from offtake.contract.contract import Contract
from offtake.rating.breakdown import unrounded
from offtake.rating.clauses.steps import conditions_met
from offtake.rating.compiled import CompiledTerms
from offtake.rating.facts import Fact
from offtake.rating.lines import Invoices
from offtake.rating.planning import By
from offtake.rating.rate import rate
from offtake.rating.source import Source
from offtake.usage.charge import Charge
from offtake.usage.rows import Rejected
from offtake.values.errors import CatalogError, InputError
from offtake.values.money import EXACT, ZERO
from offtake.values.periods import Interval

_STRAY_MOST = 20
"""A period with fewer than a twentieth of the busiest period's rows is not what the bill is for: its rows are late."""


@dataclass(frozen=True, slots=True)
class _Span:
    """The billing periods that are compared, and their days [first, last) as ordinals."""

    periods: tuple[Interval, ...]
    first: int
    last: int

    @property
    def interval(self) -> Interval:
        return Interval(self.periods[0].start, self.periods[-1].end)


def fold(bill: Bill, charges: Iterable[Charge | Rejected]) -> list[Rejected]:
    """Read one file into a bill; gives back the rows that could not be read."""
    rejected = []
    bill.next_file()
    with localcontext(EXACT):
        for row in charges:
            if isinstance(row, Rejected):
                rejected.append(row)
            else:
                bill.add(row)
    bill.rejected += len(rejected)
    return rejected


def reconcile(
    bill: Bill,
    source: Source,
    contract: Contract,
    catalog: ListPrices,
    facts: Sequence[Fact] = (),
    *,
    span: Interval | None = None,
) -> Reconciliation:
    """Compare a folded bill with what the contract gives for the usage.

    Compared are the billing periods of `span`, else those that the bill is for. Raises InputError U171 where the bill
    has nothing in the term.
    """
    with localcontext(EXACT):
        rounding = contract.signed.billing.rounding
        bill.settle(rounding.mode, rounding.places)
        terms = _compiled(contract, catalog, facts, source)
        compared = _compared(bill, terms, span)
        invoices = rate(
            source, unrounded(contract), catalog, facts, by=By(day=True, day_zone=bill.zone),
            span=_with_neighbours(compared, terms, source),
        )  # fmt: skip
        return _Comparison(bill, terms, compared, invoices).result()


class _Comparison:
    """One comparison under way."""

    def __init__(self, bill: Bill, terms: CompiledTerms, compared: _Span, invoices: Invoices) -> None:
        self.bill = bill
        self.terms = terms
        self.compared = compared
        self.invoices = invoices
        self.unit = Decimal(1).scaleb(-bill.decimals)
        self.report = Report(terms.contract, bill.zone)
        parts = parts_of(invoices)
        self.parts = [part for part in parts if compared.first <= part.day < compared.last]
        self.beside = _quantities(part for part in parts if not compared.first <= part.day < compared.last)
        self.others = others_of(invoices, compared.interval)

    def result(self) -> Reconciliation:
        cells = cells_of(self.bill, self.parts, self.compared.first, self.compared.last, self._named())
        self._follow_the_bill(cells.values())
        alternatives = Alternatives(self.terms, self.bill.zone)
        pending = [each for cell in cells.values() for each in explain(cell, self.report, alternatives, self.unit)]
        settle(pending, self.report, alternatives, self.beside)
        for cell in cells.values():
            self._leave_nothing(cell)
        self._strays()
        charges = self._charges()
        touched = [cell for cell in cells.values() if cell.explained != cell.ours]
        contract = self.terms.contract
        ours = sum((cell.ours for cell in cells.values()), ZERO) + sum((line.amount for line in self.others), ZERO)
        return Reconciliation(
            contract=contract.signed.contract,
            contract_hash=contract.hash,
            catalog_version=self.terms.catalog.version,
            currency=contract.signed.term.currency,
            from_=date.fromordinal(self.compared.first),
            until=date.fromordinal(self.compared.last),
            theirs=self.bill.amount,
            ours=ours + charges.undecided,
            differences=in_order(self.report.differences),
            bill=self._totals(),
            control=self.invoices.control,
            rounding=sum((cell.passed for cell in cells.values()), ZERO) + charges.rounding,
            undecided=self.report.undecided + charges.undecided,
            cells=len(cells),
            matched=len(cells) - len(touched),
            unpriced=self.invoices.unpriced,
        )

    def _named(self) -> _Names:
        return _Names(self.terms, {part.model for part in self.parts})

    def _follow_the_bill(self, cells: Iterable[Cell]) -> None:
        """Where balances paid for usage, see whether the bill shows it gross, with credits, or net of them."""
        paid = [cell for cell in cells if any(part.billed != part.contracted for part in cell.parts)]
        net = sum(_nearer_net(cell) for cell in paid)
        if 2 * net > len(paid):
            for part in self.parts:
                if part.billed != part.contracted:
                    part.contracted = part.high = part.billed
                    part.price = part.price if part.billed else 0
        else:
            self.others += drawdowns(self.parts, self._period_of, self._balance)

    def _balance(self, names: str) -> str:
        """The term of what paid, by the balances that a line names: the first commitment or credit among them."""
        signed = self.terms.contract.signed
        terms = {each.id: f"commitments[{index}]" for index, each in enumerate(signed.commitments)}
        terms |= {each.name: f"credits[{index}]" for index, each in enumerate(signed.credits)}
        return next((path for name, path in terms.items() if name in names.split(", ")), names)

    def _period_of(self, day: int) -> Interval:
        noon = datetime.combine(date.fromordinal(day), time(12), self.bill.zone).astimezone(UTC)
        return self.terms.periods[self.terms.period(noon)]

    def _leave_nothing(self, cell: Cell) -> None:
        rest = cell.theirs - cell.passed - cell.explained
        if rest:
            why = f"{shown(rest)} of {shown(cell.theirs)} that no price and no quantity explains"
            clause = cell.parts[0].clause if cell.is_fine and cell.parts else "prices"
            self.report.add([cell], [rest], "unexplained", clause, why)

    def _strays(self) -> None:
        """Rows of days that the bill is not for: their own bill has them."""
        named = self._named()
        for key, rows in self.bill.usage_rows():
            if self.compared.first <= key.start < self.compared.last or not rows.amount:
                continue
            cell = Cell(key._replace(model=named(key.model), channel=""), where=rows.where)
            when = date.fromordinal(key.start)
            why = f"usage of {when} on a bill for {self._days}: {shown(rows.amount)}"
            self.report.add([cell], [rows.amount], "timing", "billing.period", why)

    @property
    def _days(self) -> str:
        first, last = date.fromordinal(self.compared.first), date.fromordinal(self.compared.last - 1)
        return f"{first} to {last}"

    def _charges(self) -> ChargeComparison:
        comparison = ChargeComparison(self.report, list(self.bill.others.values()), list(self.others))
        comparison.run()
        return comparison

    def _totals(self) -> BillTotals:
        bill = self.bill
        charges = sum(each.rows for each in bill.others.values())
        usage = bill.rows - charges - bill.taxes - bill.overlapping
        return BillTotals(
            bill.rows + bill.rejected, usage, charges, bill.taxes, bill.overlapping, bill.rejected, bill.amount,
            bill.tax, dict(sorted(bill.quantities.items())), bill.decimals,
        )  # fmt: skip


class _Names:
    """Our ids of the names that a bill uses; a name that the catalogue does not know stays as it is."""

    def __init__(self, terms: CompiledTerms, known: Iterable[str]) -> None:
        self._terms = terms
        self._found = {name: name for name in ("", *known)}

    def __call__(self, name: str) -> str:
        if name not in self._found:
            try:
                self._found[name] = self._terms.catalog.resolve(name, self._terms.contract.signed.vendor).id
            except CatalogError:
                self._found[name] = name
        return self._found[name]


def _nearer_net(cell: Cell) -> bool:
    net = sum((part.billed for part in cell.parts), ZERO)
    return abs(cell.theirs - net) < abs(cell.theirs - cell.ours)


def _compiled(contract: Contract, catalog: ListPrices, facts: Sequence[Fact], source: Source) -> CompiledTerms:
    terms = CompiledTerms(contract, catalog, facts)
    by_workload = any(version.terms.prices.non_production for version in contract.versions)
    return CompiledTerms(contract, catalog, facts, conditions_met(terms, source.survey(by_workload), source))


def _compared(bill: Bill, terms: CompiledTerms, span: Interval | None) -> _Span:
    """The periods asked for, or those that hold the bulk of the bill's rows and what lies between them."""
    rows: dict[int, int] = {}
    for index, period in enumerate(terms.periods):
        first, last = _ordinals(period, terms)
        for key, folded in bill.cells.items():
            if key.start < last and key.end > first:
                rows[index] = rows.get(index, 0) + sum(group.rows for group in folded.groups.values())
        if not bill.cells and any(charge.start in period for charge in bill.others.values()):
            rows[index] = 1
    most = max(rows.values(), default=0)
    wanted = [index for index, count in rows.items() if count * _STRAY_MOST >= most]
    if span:
        wanted = [index for index, period in enumerate(terms.periods) if period.overlap(span)]
    if not wanted:
        whole = terms.contract.span
        raise InputError(
            "U171", "nothing on the bill lies in the contract's term", hint="compare it under the contract of its time",
            why=f"the term is {whole.start:%Y-%m-%d} to {whole.end:%Y-%m-%d}",
        )  # fmt: skip
    periods = terms.periods[min(wanted) : max(wanted) + 1]
    return _Span(periods, _ordinals(periods[0], terms)[0], _ordinals(periods[-1], terms)[1])


def _ordinals(period: Interval, terms: CompiledTerms) -> tuple[int, int]:
    """The local days of a period."""
    zone = terms.contract.zone
    last = (period.end - timedelta(microseconds=1)).astimezone(zone).toordinal() + 1
    return period.start.astimezone(zone).toordinal(), last


def _with_neighbours(compared: _Span, terms: CompiledTerms, source: Source) -> Interval:
    """The periods with the one before and, where it has usage, the one after: for what was billed in the wrong one."""
    first = max(terms.periods.index(compared.periods[0]) - 1, 0)
    last = terms.periods.index(compared.periods[-1])
    latest = source.survey(False).last
    if latest and latest >= compared.interval.end and last + 1 < len(terms.periods):
        last += 1
    return Interval(terms.periods[first].start, terms.periods[last].end)


def _quantities(parts: Iterable[Part]) -> dict[tuple[str, str, int], int]:
    found: dict[tuple[str, str, int], int] = {}
    for part in parts:
        if not part.is_free:
            key = (part.model, part.meter, part.day)
            found[key] = found.get(key, 0) + part.quantity
    return found
