"""The engine's results in the shape of the oracle's, and where the two differ.

Where money is divided the engine cuts on its 1e-12 grid, and the oracle does not cut at all: hence the tolerance, a
thousandth of a millionth of a dollar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from offtake.rating.compiled import CompiledTerms
from offtake.rating.facts import Fact, PriceDropOptIn, TopUp
from offtake.rating.lines import Invoices, Line
from offtake.rating.rate import rate_records
from offtake.usage.record import UsageRecord
from offtake.values.money import Money
from offtake.values.periods import Interval
from tests.rating_oracle import rate as oracle
from tests.rating_oracle.dates import midnight
from tests.rating_oracle.deals import Case

TOLERANCE = Fraction(1, 10**9)


def facts_of(case: Case) -> list[Fact]:
    """What people did, as the engine takes it."""
    zone = case.deal["term"]["time_zone"]
    found: list[Fact] = [PriceDropOptIn(at=at, models=models) for at, models in case.opt_ins]
    for day, name, dollars in case.top_ups:
        found.append(TopUp(at=midnight(day, zone), id=name, amount=Money(Decimal(dollars), "USD")))
    return found


def compiled(case: Case) -> CompiledTerms:
    """The terms of a case, ready to price."""
    return CompiledTerms(case.contract, case.book, facts_of(case))


def rated(case: Case, records: Iterable[UsageRecord] | None = None, span: Interval | None = None) -> Invoices:
    """The whole term of a case, or a part of it, as the engine rates it."""
    rows = case.records if records is None else records
    return rate_records(rows, case.contract, case.book, facts_of(case), span=span or case.contract.span)


def exact(invoices: Invoices) -> Fraction:
    """What is billed in all, before rounding."""
    return sum((Fraction(each.total) + Fraction(each.residual) for each in invoices.invoices), Fraction(0))


def lines(invoices: Invoices, *kinds: str) -> list[Line]:
    """Every line, or those of some kinds."""
    return [line for each in invoices.invoices for line in each.lines if not kinds or line.kind in kinds]


def billed(found: Iterable[Line]) -> Decimal:
    """Σ billed."""
    return sum((line.amounts.billed for line in found), Decimal(0))


def clause_of(line: Line) -> str:
    """The clause of a line as the oracle names it."""
    if line.kind == "usage":
        return ""
    if line.kind == "adjustment":
        return "prices.tiers"
    return "failed_requests" if line.clause.startswith("failed_requests") else line.clause


def bill_of(case: Case, invoices: Invoices) -> oracle.Bill:
    """The engine's result by billing period, kind and clause; list and contracted cost of usage beside it."""
    found: oracle.Bill = defaultdict(Fraction)
    zone = case.contract.zone
    for invoice in invoices.invoices:
        for line in invoice.lines:
            day = invoice.period.start.astimezone(zone).date()
            found[day, line.kind, clause_of(line)] += Fraction(line.amounts.billed)
            if line.kind == "usage":
                found[day, "list", ""] += Fraction(line.amounts.list)
                found[day, "contracted", ""] += Fraction(line.amounts.contracted)
    return found


def expected_bill(case: Case) -> oracle.Bill:
    """The oracle's bill of the whole term."""
    facts = oracle.Facts(list(case.opt_ins), [(day, name, Fraction(dollars)) for day, name, dollars in case.top_ups])
    return oracle.rate(case.deal, case.book, case.records, facts)


def differences(case: Case, invoices: Invoices) -> dict[tuple[str, ...], tuple[float, float]]:
    """Where the two differ: the oracle's amount and the engine's."""
    expected, actual = expected_bill(case), bill_of(case, invoices)
    return {
        (day.isoformat(), kind, clause): (float(expected.get(key, 0)), float(actual.get(key, 0)))
        for key in sorted({*expected, *actual})
        if abs(expected.get(key, Fraction(0)) - actual.get(key, Fraction(0))) > TOLERANCE
        for day, kind, clause in [key]
    }
