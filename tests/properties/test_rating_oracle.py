"""The engine against an oracle that was written apart from it: any mix of clauses, token by token.

Amounts agree by billing period, kind of line and clause. Where money is divided the engine cuts on its 1e-12 grid, and
the oracle does not cut at all: hence the tolerance, a thousandth of a millionth of a dollar.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

from hypothesis import HealthCheck, given, settings

from offtake.rating.lines import Invoices, Line
from offtake.rating.rate import rate_records
from tests.rating_oracle import rate as oracle
from tests.rating_oracle.deals import Case, cases

TOLERANCE = Fraction(1, 10**9)
SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck), report_multiple_bugs=False)


def clause_of(line: Line) -> str:
    """The clause of a line as the oracle names it."""
    if line.kind == "usage":
        return ""
    if line.kind == "adjustment":
        return "prices.tiers"
    return "failed_requests" if line.clause.startswith("failed_requests") else line.clause


def bill_of(case: Case, invoices: Invoices) -> oracle.Bill:
    """The engine's result by billing period, kind and clause."""
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


def differences(case: Case, invoices: Invoices) -> dict[tuple[str, ...], tuple[float, float]]:
    """Where the two differ: the oracle's amount and the engine's."""
    expected, actual = oracle.rate(case.deal, case.book, case.records), bill_of(case, invoices)
    return {
        (day.isoformat(), kind, clause): (float(expected.get(key, 0)), float(actual.get(key, 0)))
        for key in sorted({*expected, *actual})
        if abs(expected.get(key, Fraction(0)) - actual.get(key, Fraction(0))) > TOLERANCE
        for day, kind, clause in [key]
    }


def assert_agrees(case: Case) -> None:
    """The engine's bill is the oracle's, and every line has an id of its own."""
    invoices = rate_records(case.records, case.contract, case.book, span=case.contract.span)

    assert {} == differences(case, invoices)
    for invoice in invoices.invoices:
        ids = [line.id for line in invoice.lines]
        assert sorted(set(ids)) == sorted(ids)
    assert invoices.control.complete
    assert invoices.control.balanced


@SLOW
@given(cases("prices"))
def test_unit_prices(case: Case) -> None:
    """Freeze, discounts, fixed prices, steps, price drops, channels, hours, workloads, cache: each token by itself."""
    assert_agrees(case)


@SLOW
@given(cases("prices", "tiers"))
def test_tiers(case: Case) -> None:
    """Graduated and volume bands, of money and of tokens, over windows that cut billing periods."""
    assert_agrees(case)


@SLOW
@given(cases("commitments"))
def test_commitments(case: Case) -> None:
    """Contracted cost + shortfall + overage premium, with minimum, prepayment, rollover, ramp and pools."""
    assert_agrees(case)


@SLOW
@given(cases("commitments", amended=True))
def test_amended_commitments(case: Case) -> None:
    """An amount or a discount that changes inside a window, prorated by days or not."""
    assert_agrees(case)


@SLOW
@given(cases("credits", "fees", "tiers"))
def test_credits_and_fees(case: Case) -> None:
    """Grants in their burn order, flat fees, blocks, support."""
    assert_agrees(case)


@SLOW
@given(cases("prices", "tiers", "commitments", "credits", "fees", amended=True))
def test_everything(case: Case) -> None:
    """Any mix of clauses."""
    assert_agrees(case)
