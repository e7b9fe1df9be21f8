"""The file becomes a contract: exact values, and the place of every term."""

from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256

import pytest

from offtake.contract.parse import parse_bytes
from offtake.contract.schema.failures import OUTCOMES, policy_of
from offtake.values.errors import ContractError, Place
from offtake.values.money import Money
from offtake.values.periods import Interval
from offtake.values.units import MoneyRate
from tests.unit.contract.writing import TEN_LINES, contract_of


def test_ten_lines_are_a_contract() -> None:
    terms = contract_of().signed

    assert "acme-anthropic-2026" == terms.contract
    assert Decimal("0.2") == terms.prices.discounts[0].share
    assert MoneyRate(Money(Decimal(1_200_000), "USD"), "year") == terms.commitments[0].amount
    assert date(2026, 1, 1) == terms.term.from_


def test_a_term_has_the_place_of_its_key() -> None:
    contract = contract_of()

    assert Place("contract.yaml", 7, 36) == contract.place("prices.discounts[0].models")
    assert Place("contract.yaml", 4, 1) == contract.place("term.source"), "the term above, for what is not there"
    assert Place("contract.yaml", 1, 1) == contract.place("sla")


def test_the_hash_is_that_of_the_bytes() -> None:
    data = TEN_LINES.encode()

    assert sha256(data).hexdigest() == parse_bytes(data, "contract.yaml").hash
    assert parse_bytes(data, "c").versions == parse_bytes(b"\xef\xbb\xbf" + data, "c").versions


def test_one_word_decides_every_failed_request() -> None:
    terms = contract_of().signed.failed_requests
    assert terms is not None

    assert {Decimal(1)} == {policy_of(terms, outcome, "output") for outcome in OUTCOMES}


def test_dates_are_local_midnights() -> None:
    contract = contract_of(text=TEN_LINES.replace("time_zone: UTC", "time_zone: America/New_York"))

    start, end = datetime(2026, 1, 1, 5, tzinfo=UTC), datetime(2028, 1, 1, 5, tzinfo=UTC)
    assert Interval(start, end) == contract.span


def test_a_source_is_inherited_from_the_term_above() -> None:
    contract = contract_of("exit: {source: msa §9, convenience: {notice: 60 days, fee_months: 3, fee_base: billed}}\n")

    assert "msa §9" == contract.source("exit.convenience.notice")
    assert "" == contract.source("prices.discounts[0]")


def test_every_problem_is_found_at_once() -> None:
    text = TEN_LINES.replace("share: 20%", "share: 20").replace("anchor: 1", "anchor: 32").replace("buyer", "byer")
    with pytest.raises(ContractError) as caught:
        contract_of(text=text)

    assert ["C211", "C210", "C214", "C213"] == [finding.code for finding in caught.value.findings]
    assert all(finding.where and finding.where.line for finding in caught.value.findings)


def test_a_python_name_is_no_key_of_the_file() -> None:
    with pytest.raises(ContractError, match="unknown key `from_`"):
        contract_of(text=TEN_LINES.replace("{from:", "{from_:"))
