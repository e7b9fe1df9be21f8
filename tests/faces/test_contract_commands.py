"""`offtake init`, `check`, `show`, `diff`, `explain` and `catalog`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.faces.conftest import CONTRACT, Offtake


@pytest.mark.parametrize("vendor", ["anthropic", "openai", "google", "mistral"])
def test_init_writes_ten_lines_that_check_clean(vendor: str, offtake: Offtake, tmp_path: Path) -> None:
    out = tmp_path / "contract.yaml"
    done = offtake(
        "init", "--vendor", vendor, "--discount", "15%", "--commitment", "600_000 USD / year", "--out", out,
        "--start", "2026-01-01",
    )  # fmt: skip

    assert (0, "") == (done.code, done.out)
    assert "next: offtake check" in done.err
    assert 10 == len(out.read_text().splitlines())
    assert (0, f"{out}: every use has one price and one policy\n", "") == offtake("check", out, "--strict")


def test_init_asks_nothing_without_a_terminal(offtake: Offtake, tmp_path: Path) -> None:
    done = offtake("init", "--out", tmp_path / "contract.yaml")

    assert 2 == done.code
    assert "give --vendor" in done.err
    assert not (tmp_path / "contract.yaml").exists()


def test_init_writes_over_nothing(offtake: Offtake, contract: Path) -> None:
    assert 2 == offtake("init", "--vendor", "openai", "--out", contract).code
    assert CONTRACT == contract.read_text()
    assert "vendor: openai" in offtake("init", "--vendor", "openai", "--out", contract, "--dry-run").out
    assert 0 == offtake("init", "--vendor", "openai", "--out", contract, "--force").code


@pytest.mark.parametrize(
    ("flag", "value"), [("--vendor", "nobody"), ("--discount", "15"), ("--discount", "120%"), ("--commitment", "lots")]
)
def test_init_refuses_what_it_cannot_read(flag: str, value: str, offtake: Offtake, tmp_path: Path) -> None:
    answers = {"--vendor": "openai"} | {flag: value}
    done = offtake("init", *(word for pair in answers.items() for word in pair), "--out", tmp_path / "c.yaml")

    assert 2 == done.code
    assert value in done.err


def test_check_gives_every_finding_with_its_place(offtake: Offtake, contract: Path) -> None:
    contract.write_text(CONTRACT.replace("15%", "15").replace("fees: {", "fees: {bonus: 1, "))
    done = offtake("check", contract)

    assert 3 == done.code
    assert 2 == len(re.findall(rf"^{re.escape(str(contract))}:\d+:\d+: error\[C\d+\]", done.out, flags=re.MULTILINE))
    assert done.out.endswith("2 errors, 0 warnings\n")


def test_check_lets_warnings_pass_but_not_when_strict(offtake: Offtake, contract: Path) -> None:
    contract.write_text(CONTRACT.replace("order_form §2", "side_letter §2"))

    assert 0 == offtake("check", contract).code
    assert 1 == offtake("check", contract, "--strict").code
    document = json.loads(offtake("check", contract, "--format", "json").out)
    assert (0, 1, "C262") == (document["errors"], document["warnings"], document["findings"][0]["code"])


def test_show_gives_terms_and_prices_in_force(offtake: Offtake, contract: Path) -> None:
    document = json.loads(offtake("show", contract, "--at", "2026-03-01", "--format", "json").out)
    terms = {term["path"]: term for term in document["terms"]}
    prices = {(price["model"], price["channel"], price["meter"]): price for price in document["prices"]}
    price = prices["claude-opus-4-7", "batch", "output_tokens"]

    assert "15%" == terms["prices.discounts[0].share"]["value"]
    assert f"{contract}:8:" in terms["prices.discounts[0].share"]["where"]
    assert "order_form §2 (Order Form 1)" == terms["prices.discounts[0].share"]["paper"]
    assert ("0.000012500000", "0.000010625000") == (price["list"], price["contracted"])
    assert ["prices.basis", "prices.discounts[0]", "prices.batch", "prices.batch"] == [
        step["clause"] for step in price["steps"]
    ]


def test_show_why_follows_a_term_through_its_amendments(offtake: Offtake, contract: Path) -> None:
    contract.write_text(
        CONTRACT + "amendments:\n"
        '  - {effective: 2026-07-01, document: "Amendment 1", changes: {"prices.discounts[0].share": 20%}}\n'
    )
    done = offtake("show", contract, "--why", "prices.discounts[0].share", "--format", "json")
    (term,) = json.loads(done.out)["history"]

    assert [("2026-01-01T00:00:00Z", "15%", "as signed"), ("2026-07-01T00:00:00Z", "20%", "Amendment 1")] == [
        (value["from"], value["value"], value["document"]) for value in term["values"]
    ]
    assert "Amendment 1" in offtake("show", contract, "--why", "prices.discounts").out


def test_show_why_derives_a_models_prices(offtake: Offtake, contract: Path) -> None:
    done = offtake("show", contract, "--why", "claude-opus-4.7", "--at", "2026-03-01")

    assert "claude-opus-4-7 · input_tokens · realtime · api: $4.2500/M (list $5.0000/M)" in done.out
    assert 2 == offtake("show", contract, "--why", "claude-nothing").code


def test_diff_names_what_changed_and_where(offtake: Offtake, contract: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(CONTRACT.replace("15%", "20%"))
    done = offtake("diff", contract, other, "--format", "json")
    changes = json.loads(done.out)["changes"]

    assert 1 == done.code
    assert [("prices.discounts[0].share", "15%", "20%")] == [
        (change["path"], change["before"], change["after"]) for change in changes
    ]
    assert changes[0]["after_place"].startswith(f"{other}:8:")
    assert (0, "no difference\n", "") == offtake("diff", contract, contract)


def test_diff_compares_two_dates_of_one_contract(offtake: Offtake, contract: Path) -> None:
    contract.write_text(
        CONTRACT + "amendments: [{effective: 2026-07-01, document: A1, changes: {fees.platform: 50 USD / month}}]\n"
    )
    assert 1 == offtake("diff", contract).code
    assert 1 == offtake("diff", contract, "--from", "2026-06-30", "--until", "2026-07-01").code
    assert 0 == offtake("diff", contract, "--from", "2026-03-01", "--until", "2026-06-30").code


def test_explain_derives_a_line_with_places_and_papers(offtake: Offtake, usage: Path, contract: Path) -> None:
    lines = json.loads(offtake("rate", usage, "--contract", contract, "--format", "json").out)["invoices"][0]["lines"]
    line = next(each for each in lines if each["meter"] == "output_tokens" and each["channel"] == "batch")
    done = offtake("explain", usage, "--contract", contract, "--line", line["id"], "--format", "json")
    (explained,) = json.loads(done.out)["lines"]

    assert [
        ("prices.basis", "list $25/M", ""),
        ("prices.discounts[0]", "15.00% off: $21.25/M", "order_form §2 (Order Form 1)"),
    ] == [(step["clause"], step["what"], step["paper"]) for step in explained["steps"][:2]]
    assert "prices.batch" == explained["steps"][2]["clause"]
    assert f"{contract}:8:" in explained["steps"][1]["where"]


def test_explain_says_why_a_failure_is_free_and_a_fee_is_due(offtake: Offtake, usage: Path, contract: Path) -> None:
    free = offtake("explain", usage, "--contract", contract, "--model", "claude-haiku-4.5", "--meter", "input_tokens")
    lines = json.loads(offtake("rate", usage, "--contract", contract, "--format", "json").out)["invoices"][1]["lines"]
    (fee_id,) = [line["id"] for line in lines if line["kind"] == "fee"]
    fee = offtake("explain", usage, "--contract", contract, "--at", "2026-02-10", "--line", fee_id)

    assert "free by failed_requests.http_5xx" in free.out
    assert "fees.platform" in fee.out


def test_explain_hints_at_near_ids(offtake: Offtake, usage: Path, contract: Path) -> None:
    done = offtake("explain", usage, "--contract", contract, "--line", "2026-01-01/fees.platfrom")

    assert 2 == done.code
    assert "near: 2026-01-01/fees.platform" in done.err
    assert 2 == offtake("explain", usage, "--contract", contract).code


def test_the_lock_keeps_what_it_has(offtake: Offtake, contract: Path) -> None:
    lock = contract.with_name("prices.lock.yaml")

    assert 2 == offtake("catalog", "diff", contract).code
    assert 0 == offtake("catalog", "lock", contract, "--dry-run").code
    assert not lock.exists()
    assert 0 == offtake("catalog", "lock", contract).code
    first = lock.read_text()
    assert 0 == offtake("catalog", "lock", contract).code
    assert first == lock.read_text()
    assert 0 == offtake("catalog", "diff", contract).code


def test_a_locked_price_is_the_one_that_rates(offtake: Offtake, usage: Path, contract: Path) -> None:
    offtake("catalog", "lock", contract)
    before = offtake("rate", usage, "--contract", contract).out
    lock = contract.with_name("prices.lock.yaml")
    lock.write_text(re.sub(r"(output_tokens: )25$", r"\g<1>50", lock.read_text(), flags=re.MULTILINE))
    after = offtake("rate", usage, "--contract", contract).out
    diff = offtake("catalog", "diff", contract, "--format", "json")

    assert "$21.2500/M" in before
    assert "$42.5000/M" in after
    assert 1 == diff.code
    assert {("50", "25")} == {(each["locked"], each["listed"]) for each in json.loads(diff.out)["changes"]}


def test_list_prices_are_shown_by_model(offtake: Offtake) -> None:
    prices = json.loads(offtake("catalog", "show", "claude-opus-4.7", "--format", "json").out)["prices"]

    assert "0.000005" in {price["price"] for price in prices if price["meter"] == "input_tokens"}
    assert "claude-opus-4-7\n" in offtake("catalog", "show", "--vendor", "anthropic").out
    assert 3 == offtake("catalog", "show", "claude-opus-47x").code
