"""Rate usage record by record: one exact total each, in (used_at, id) order, and what no record carries.

Each record is priced by `price_request` on the position that the records before it left, as the gateway does. The
sum of the totals and `unallocated` is the exact sum of the invoices: both come from the same clauses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from offtake.operations.rate_usage import Session, refuse_ranges
from offtake.rating.clauses.steps import conditions_met
from offtake.rating.compiled import CompiledTerms
from offtake.rating.lines import Invoices
from offtake.rating.request import price_request
from offtake.rating.request_lines import RequestLines
from offtake.rating.run import Position
from offtake.usage.record import UsageRecord
from offtake.values.errors import CatalogError, UnpricedError
from offtake.values.money import EXACT
from offtake.values.periods import Interval


@dataclass(frozen=True, slots=True)
class RecordPrice:
    """What one record costs, unrounded, and the lines that say why."""

    id: str
    total: Decimal
    lines: RequestLines


@dataclass(slots=True)
class ByRecord:
    """Walk `prices` first; afterwards `unallocated` holds, by clause, what the invoices ask for beyond the records."""

    session: Session
    invoices: Invoices
    _billed: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def span(self) -> Interval:
        """From the start of the term, because cumulative terms count from there, to the end of the last invoice."""
        start = self.session.opened.contract.span.start
        shown = self.invoices.invoices
        return Interval(start, shown[-1].period.end if shown else start)

    def prices(self) -> Iterator[RecordPrice]:
        """The priced records of the invoices' periods; a record that nothing prices is among `invoices.unpriced`."""
        opened = self.session.opened
        source = self.session.usage.source
        terms = CompiledTerms(opened.contract, opened.catalog, opened.facts)
        met = conditions_met(terms, source.survey(False), source)
        terms = CompiledTerms(opened.contract, opened.catalog, opened.facts, met)
        first = self.invoices.invoices[0].period.start if self.invoices.invoices else self.span.start
        position: Position | None = None
        for record in source.ordered(self.span):
            try:
                lines, position = price_request(terms, record, position)
            except (UnpricedError, CatalogError):
                continue
            if record.used_at >= first:
                yield self._priced(record, lines)

    def unallocated(self) -> dict[str, Decimal]:
        """Billed amounts by clause that no record carries; rounding of lines is not among them.

        Usage is one entry, and 0 where all is well: a lot that runs out may pay another line of the month than here.
        """
        rest: dict[str, Decimal] = defaultdict(Decimal)
        with localcontext(EXACT):
            exact = self.session.rated(exact=True)
            for invoice in exact.invoices:
                for line in invoice.lines:
                    rest[_name(line.model, line.clause)] += line.amounts.billed
            for clause, billed in self._billed.items():
                rest[clause] -= billed
        return {clause: amount for clause, amount in sorted(rest.items()) if amount}

    def _priced(self, record: UsageRecord, lines: RequestLines) -> RecordPrice:
        with localcontext(EXACT):
            for line in lines:
                self._billed[_name(line.model, line.clause)] += line.amounts.billed
        return RecordPrice(record.id, lines.total, lines)


def _name(model: str, clause: str) -> str:
    return "usage" if model else clause


def rate_by_record(session: Session, strict: bool = False) -> ByRecord:
    """The invoices of open usage, ready to be walked record by record."""
    invoices = session.rated()
    if strict:
        refuse_ranges(invoices)
    return ByRecord(session, invoices)
