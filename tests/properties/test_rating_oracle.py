"""The engine against an oracle that was written apart from it: any mix of clauses, token by token.

Amounts agree by billing period, kind of line and clause.
"""

from __future__ import annotations

from hypothesis import given

from offtake.contract.contract import Contract
from offtake.rating.rate import rate_records
from tests.examples import CLAUSE, LAW
from tests.rating_oracle.comparing import differences, facts_of
from tests.rating_oracle.deals import Case, cases


def assert_agrees(case: Case, contract: Contract) -> None:
    """The engine's bill is the oracle's, every row is priced, every line has an id."""
    invoices = rate_records(case.records, contract, case.book, facts_of(case), span=contract.span)

    assert {} == differences(case, invoices)
    for invoice in invoices.invoices:
        ids = [line.id for line in invoice.lines]
        assert sorted(set(ids)) == sorted(ids)
    assert invoices.control.complete
    assert invoices.control.balanced


@CLAUSE
@given(cases("prices"))
def test_unit_prices(case: Case) -> None:
    """Freeze, discounts, fixed prices, steps, price drops, channels, hours, workloads, cache: each token by itself."""
    assert_agrees(case, case.contract)


@CLAUSE
@given(cases("prices", amended=True))
def test_amended_unit_prices(case: Case) -> None:
    """Any term of prices that changes inside a billing period, beside list prices that change there too."""
    assert_agrees(case, case.contract)


@CLAUSE
@given(cases("prices", "tiers"))
def test_tiers(case: Case) -> None:
    """Graduated and volume bands, of money and of tokens, over windows that cut billing periods."""
    assert_agrees(case, case.contract)


@CLAUSE
@given(cases("commitments"))
def test_commitments(case: Case) -> None:
    """Contracted cost + shortfall + overage premium, with minimum, prepayment, rollover, ramp and pools."""
    assert_agrees(case, case.contract)


@CLAUSE
@given(cases("commitments", amended=True))
def test_amended_commitments(case: Case) -> None:
    """An amount or a discount that changes inside a window, prorated by days or not."""
    assert_agrees(case, case.contract)


@CLAUSE
@given(cases("credits", "fees", "tiers"))
def test_credits_and_fees(case: Case) -> None:
    """Grants in their burn order, flat fees, blocks, support, from the text of the file."""
    assert_agrees(case, case.written)


@LAW
@given(cases("prices", "tiers", "commitments", "credits", "fees", amended=True))
def test_everything(case: Case) -> None:
    """Any mix of clauses."""
    assert_agrees(case, case.contract)
