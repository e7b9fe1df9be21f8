"""`offtake value`: tables, JSON, CSV and a page; and what it refuses, with a code and a hint."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faces.conftest import Offtake

pytest.importorskip("numpy", reason="the extra `plan` is not installed")

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
MID_SIZE = CONTRACTS / "mid-size" / "contract.yaml"
NEGOTIATION = """\
negotiation: mid-size
stances:
  commitments[spend].amount: {offered: 1_500_000 USD / year, ask: 900_000 USD / year}
  prices.discounts[0].share: {ask: 25%}
"""


@pytest.fixture
def demand(tmp_path: Path) -> Path:
    path = tmp_path / "demand.csv"
    path.write_text(
        "period,dollars\n" + "".join(f"2025-{month:02},{120_000 + month * 1_000}\n" for month in range(1, 9))
    )
    return path


def document(offtake: Offtake, *arguments: object) -> Any:
    done = offtake("value", *arguments, "--paths", 10, "--format", "json")
    assert (0, "") == (done.code, done.err)
    return json.loads(done.out)


def test_every_clause_has_a_worth_or_a_reason(offtake: Offtake, demand: Path) -> None:
    found = document(offtake, MID_SIZE, "--demand", demand)

    assert 12 == found["months"]
    assert Decimal(found["cost"]["value"]) > 0
    clauses = {each["path"]: each for each in found["clauses"]}
    assert "priced" == clauses["prices.price_drops"]["status"]
    assert "the frozen price stays when list falls" == clauses["prices.price_drops"]["off"]
    assert "order_form §2.5" == clauses["prices.price_drops"]["source"]
    assert {"price-changes"} == {each["assumption"] for each in clauses["prices.price_drops"]["sensitivity"]}
    assert "needs" == clauses["prices.new_models"]["status"]
    assert "not_priceable" == clauses["alerts"]["status"]
    assert all(each["reason"] for each in clauses.values() if each["status"] != "priced")
    assert found["pairs"]


def test_usage_is_demand_too(offtake: Offtake, contract: Path, usage: Path) -> None:
    found = document(offtake, contract, "--demand", usage)

    clauses = {each["path"]: each for each in found["clauses"]}
    assert Decimal("-1200.00") == Decimal(clauses["fees.platform"]["value"])
    assert Decimal(clauses["failed_requests"]["value"]) > 0
    assert Decimal(clauses["prices.discounts[0]"]["value"]) > 0


def test_a_usage_file_of_ours_is_the_same_demand(offtake: Offtake, contract: Path, usage: Path, tmp_path: Path) -> None:
    ours = tmp_path / "usage.parquet"
    assert 0 == offtake("import", usage, "--out", ours).code

    assert document(offtake, contract, "--demand", usage) == document(offtake, contract, "--demand", ours)


def test_one_line_changed_is_dollars_a_year(offtake: Offtake, demand: Path) -> None:
    found = document(offtake, MID_SIZE, "--demand", demand, "--change", "commitment.amount=900_000")

    change = found["package"]
    assert [{"path": "commitment.amount", "to": "900000"}] == change["edits"]
    assert [] == found["clauses"]


def test_a_package_is_priced_whole_and_each_part_alone(offtake: Offtake, demand: Path) -> None:
    found = document(
        offtake, MID_SIZE, "--demand", demand, "--change", "commitment.amount=900_000",
        "--change", "prices.discounts[0].share=25%",
    )  # fmt: skip

    whole = Decimal(found["package"]["value"])
    alone = [Decimal(each["value"]) for each in found["changes"]]
    assert 2 == len(alone)
    assert max(alone) < whole


def test_positions_of_the_negotiation_are_priced(offtake: Offtake, demand: Path, tmp_path: Path) -> None:
    beside = tmp_path / "contract.yaml"
    beside.write_text(MID_SIZE.read_text())
    (tmp_path / "contract.negotiation.yaml").write_text(NEGOTIATION)
    found = document(offtake, beside, "--demand", demand, "--stances", "--change", "prices.batch=catalog")

    worth = {(each["name"], each["edits"][0]["path"]): Decimal(each["value"]) for each in found["stances"]}
    assert worth["offered", "commitments[spend].amount"] <= 0 <= worth["ask", "commitments[spend].amount"]
    assert 0 < worth["ask", "prices.discounts[0].share"]


def test_the_table_answers_first(offtake: Offtake, demand: Path) -> None:
    done = offtake("value", MID_SIZE, "--demand", demand, "--paths", 4)

    assert done.out.startswith("mid-size costs $")
    for words in ("What each clause is worth", "What the assumptions do", "Without a price", "Taken to be so"):
        assert words in done.out


def test_a_csv_row_is_a_clause(offtake: Offtake, demand: Path) -> None:
    done = offtake("value", MID_SIZE, "--demand", demand, "--paths", 4, "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert "prices.freeze" in {row["path"] for row in rows if row["kind"] == "clause" and row["value"]}


def test_a_page_stands_by_itself(offtake: Offtake, demand: Path, tmp_path: Path) -> None:
    page = tmp_path / "value.html"
    done = offtake("value", MID_SIZE, "--demand", demand, "--paths", 4, "--out", page)

    text = page.read_text()
    assert 0 == done.code
    assert "<svg" in text
    assert "http" not in text
    assert "prices.price_drops" in text
    assert "the right to leave with price drops where the contract has both" in text


def test_a_renewal_cap_may_be_what_is_worth_most(offtake: Offtake, demand: Path, tmp_path: Path) -> None:
    contract, page = tmp_path / "contract.yaml", tmp_path / "value.html"
    contract.write_text(
        "contract: capped\nbuyer: Example Corp\nvendor: anthropic\n"
        "term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}\n"
        "billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}\n"
        "scope: {models: [claude-*], channels: [realtime], access: [api]}\n"
        "prices: {basis: list, cache: catalog}\nfailed_requests: billed\n"
        "renewal: {automatic: false, notice: 60 days, price_cap: 105%}\n"
    )
    done = offtake("value", contract, "--demand", demand, "--paths", 4, "--out", page)

    assert 0 == done.code, done.err
    assert (
        "<code>renewal.price_cap</code> is worth most: without it, the vendor asks 20% more for the year after the "
        "term." in page.read_text()
    )


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--change", "commitment.amont=5"), "P670", "commitments[].amount"),
        (("--change", "commitment.amount"), "P672", "PATH=VALUE"),
        (("--change", "commitment.amount=lots"), "P671", "not valid"),
        (("--change", "term.until=2029-01-01"), "P678", "how long is compared"),
        (("--paths", "1"), "P674", "2 to 20,000"),
        (("--model", "claude-opus-47"), "K301", "nearest"),
        (("--column", "tokens"), "P641", "no column"),
        (("--stances",), "C273", "no stances"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    arguments: tuple[str, ...], code: str, words: str, offtake: Offtake, demand: Path
) -> None:
    done = offtake("value", MID_SIZE, "--demand", demand, "--paths", 2, *arguments)

    assert done.code in (2, 3)
    assert code in done.err
    assert words in done.err


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("period,dollars\n2025-01,-5\n2025-02,5\n", "P643"),
        ("period,dollars\n2025-01,5\n2025-03,5\n", "P644"),
        ("period,dollars\n2025-01,5\n", "P645"),
        ("period,dollars\n2025-01,0\n2025-02,0\n", "P645"),
        ("", "U110"),
    ],
)
def test_a_demand_that_cannot_be_is_refused(text: str, code: str, offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "demand.csv"
    path.write_text(text)
    done = offtake("value", MID_SIZE, "--demand", path, "--paths", 2)

    assert 2 == done.code
    assert code in done.err


def test_flags_of_a_series_do_not_go_with_usage(offtake: Offtake, contract: Path, usage: Path) -> None:
    done = offtake("value", contract, "--demand", usage, "--unit", "tokens", "--paths", 2)

    assert (2, True) == (done.code, "P675" in done.err)
