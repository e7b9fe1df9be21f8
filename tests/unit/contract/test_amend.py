"""Amendments are versions: dated, traceable, and never an overwrite."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from offtake.contract.contract import Contract
from offtake.contract.schema.commitments import Commitment
from offtake.values.errors import ContractError
from tests.unit.contract.writing import TEN_LINES, contract_of

JULY = datetime(2026, 7, 1, tzinfo=UTC)


def amended(*rows: str) -> Contract:
    return contract_of("amendments:\n" + "".join(f"  - {row}\n" for row in rows))


def spend(contract: Contract, at: datetime) -> str:
    commitment: Commitment = contract.as_of(at).commitments[0]
    return str(commitment.amount)


@pytest.mark.parametrize("path", ["commitment.amount", '"commitments[spend].amount"', '"commitments[0].amount"'])
def test_a_change_holds_from_its_day_on(path: str) -> None:
    contract = amended(f"{{effective: 2026-07-01, document: Amendment 1, changes: {{{path}: 1_500_000 USD / year}}}}")

    assert "1,200,000 USD / year" == spend(contract, datetime(2026, 6, 30, 23, 59, tzinfo=UTC))
    assert "1,500,000 USD / year" == spend(contract, JULY)
    assert ["", "Amendment 1"] == [version.document for version in contract.versions]


def test_a_changed_term_stands_in_its_amendment() -> None:
    contract = amended("{effective: 2026-07-01, document: A, changes: {commitment.amount: 1_500_000 USD / year}}")

    assert 11 == contract.place("commitments[0].amount").line
    assert 8 == contract.place("commitments[0].amount", datetime(2026, 2, 1, tzinfo=UTC)).line
    assert 8 == contract.place("commitments[0].pool").line


def test_amendments_take_effect_in_order_of_date_and_not_of_the_file() -> None:
    contract = amended(
        "{effective: 2027-01-01, document: B, changes: {commitment.amount: 3 USD / year}, prorate: none}",
        "{effective: 2026-07-01, document: A, changes: {commitment.amount: 2 USD / year, fees.platform: 9 USD}}",
    )

    assert ["", "A", "B"] == [version.document for version in contract.versions]
    assert ["days", "days", "none"] == [version.prorate for version in contract.versions]
    assert "3 USD / year" == spend(contract, datetime(2027, 6, 1, tzinfo=UTC))
    assert contract.signed.fees is None
    assert contract.versions[2].terms.fees is not None


def test_two_papers_of_one_day_are_one_change() -> None:
    contract = amended(
        "{effective: 2026-07-01, document: A, changes: {commitment.amount: 2 USD / year}}",
        "{effective: 2026-07-01, document: B, changes: {fees.platform: 9 USD / month}}",
    )

    assert ["", "A; B"] == [version.document for version in contract.versions]
    assert "2 USD / year" == spend(contract, JULY)


def test_a_term_can_be_taken_out_and_put_in() -> None:
    contract = amended(
        "{effective: 2026-07-01, document: A, changes: {commitments: removed, "
        '"prices.fixed.claude-haiku-4.5": {input_mtok: 1, output_mtok: 4}, '
        '"prices.discounts[1]": {models: x, share: 1%}}}'
    )
    terms = contract.as_of(JULY)

    assert [] == terms.commitments
    assert ["claude-haiku-4.5"] == list(terms.prices.fixed)
    assert ["*", "x"] == [discount.models for discount in terms.prices.discounts]


def test_an_amendment_can_extend_the_term() -> None:
    contract = amended("{effective: 2027-12-01, document: A, changes: {term.until: 2029-01-01}}")

    assert datetime(2029, 1, 1, tzinfo=UTC) == contract.span.end


def test_the_only_commitment_must_be_the_only_one() -> None:
    two = TEN_LINES.replace("true_up: year}]", "true_up: year}, {id: b, amount: 1 USD / year, pool: {access: [x]}, "
                            "counts_at: list, true_up: year}]")  # fmt: skip
    with pytest.raises(ContractError, match="names the only commitment, but there are 2"):
        contract_of("amendments: [{effective: 2026-07-01, document: A, changes: {commitment.amount: 2 USD}}]\n", two)
