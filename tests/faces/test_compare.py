"""`offtake compare`: the answer first, the shape that others script against, and bills as vendors write them."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faces.conftest import HEADER, Offtake

OPUS = "claude-opus-4-7"
USAGE = (
    HEADER
    + """\
a1,2026-01-05T12:00:00Z,claude-opus-4-7,chat,search,realtime,ok,1000000,500000,200000
a2,2026-01-06T12:00:00Z,claude-opus-4-7,chat,search,realtime,timeout,400000,,100000
a3,2026-01-07T12:00:00Z,claude-opus-4-7,nightly,search,batch,ok,2000000,,300000
"""
)
COLUMNS = "starts_at,amount,currency,model,meter,quantity,price_mtok,channel,kind,description\n"
# 15% off $5, $0.50 and $25 a million; batch at half: 4.25, 0.425 and 21.25; 2.125 and 10.625.
RIGHT = (
    COLUMNS
    + """\
2026-01-05,4.25,USD,claude-opus-4-7,input_tokens,1000000,4.25,realtime,usage,
2026-01-05,0.2125,USD,claude-opus-4-7,cache_read_tokens,500000,0.425,realtime,usage,
2026-01-05,4.25,USD,claude-opus-4-7,output_tokens,200000,21.25,realtime,usage,
2026-01-07,4.25,USD,claude-opus-4-7,input_tokens,2000000,2.125,batch,usage,
2026-01-07,3.1875,USD,claude-opus-4-7,output_tokens,300000,10.625,batch,usage,
2026-01-01,100.00,USD,,,,,,fee,Platform fee
"""
)


@pytest.fixture
def usage(tmp_path: Path) -> Path:
    path = tmp_path / "usage.csv"
    path.write_text(USAGE)
    return path


def bill(tmp_path: Path, text: str, name: str = "bill.csv") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def compared(offtake: Offtake, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(offtake("compare", *arguments, "--format", "json").out)
    return found


def test_a_right_bill_is_right(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    done = offtake("compare", usage, "--invoice", bill(tmp_path, RIGHT), "--contract", contract)

    assert (0, "") == (done.code, done.err)
    assert """\
The bill is right: nothing differs.
2026-01-01 to 2026-02-01 (exclusive): the bill asks $116.15, the contract gives $116.15
compared 6 rows of the bill with 3 of usage: 7 of 7 cells equal
""" == done.out  # fmt: skip


def test_the_overbilled_dollars_come_first(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    wrong = RIGHT.replace(
        "4.25,USD,claude-opus-4-7,input_tokens,1000000,4.25", "5,USD,claude-opus-4-7,input_tokens,1000000,5"
    )
    done = offtake("compare", usage, "--invoice", bill(tmp_path, wrong), "--contract", contract)

    assert 1 == done.code
    assert "overbilled $0.75: 1 line" == done.out.splitlines()[0]
    assert "prices.discounts[0]" in done.out
    assert "1,000,000 × $5/M billed (the list price), $4.25/M by prices.discounts[0]: 0.75" in done.out


def test_json_is_what_others_script_against(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    failed = "2026-01-06,2.125,USD,claude-opus-4-7,output_tokens,100000,21.25,realtime,usage,\n"
    found = compared(offtake, usage, "--invoice", bill(tmp_path, RIGHT + failed), "--contract", contract)
    (each,) = found["differences"]

    assert (1, "USD", "2.125", "2.125", "0", True) == tuple(
        found[name] for name in ("schema_version", "currency", "difference", "overbilled", "underbilled", "complete")
    )
    assert Decimal(found["theirs"]) - Decimal(found["ours"]) == Decimal("2.125")
    assert {
        "kind": "failed request billed",
        "cause": "failed request",
        "model": OPUS,
        "meter": "output_tokens",
        "channel": "realtime",
        "day": "2026-01-06",
        "theirs": "2.125",
        "ours": "0",
        "amount": "2.125",
        "theirs_quantity": 100_000,
        "ours_quantity": 0,
        "theirs_unit_price": None,
        "ours_unit_price": None,
        "clause": "failed_requests.timeout",
        "place": f"{contract}:11:20",
        "source": "",
        "row": f"{tmp_path / 'bill.csv'}:8",
        "why": "100,000 of timeout requests are billed 2.125; failed_requests.timeout makes them free",
    } == each
    assert {"rows": 7, "usage": 6, "charges": 1, "taxes": 0} == {
        name: found["control"]["theirs"][name] for name in ("rows", "usage", "charges", "taxes")
    }
    assert (3, 2, 1) == tuple(found["control"]["ours"][name] for name in ("records", "priced", "free"))


def test_csv_has_a_row_for_each_difference(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    wrong = RIGHT.replace(
        "4.25,USD,claude-opus-4-7,output_tokens,200000", "6.375,USD,claude-opus-4-7,output_tokens,300000"
    )
    done = offtake("compare", usage, "--invoice", bill(tmp_path, wrong), "--contract", contract, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.out))

    assert ("quantity", "2.125", "the bill counts 300,000, our records 200,000: 100,000 more × $21.25/M = 2.125") == (
        row["kind"], f"{Decimal(row['amount']).normalize():f}", row["why"],
    )  # fmt: skip


def test_a_bill_of_any_columns(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    text = RIGHT.replace("starts_at,amount", "day,usd")
    mapping = ("--map", "starts_at=day", "--map", "amount=usd")
    done = offtake("compare", usage, "--invoice", bill(tmp_path, text), *mapping, "--contract", contract)

    assert (0, "") == (done.code, done.err)


def test_a_row_that_cannot_be_read_is_named_and_counted(
    offtake: Offtake, tmp_path: Path, usage: Path, contract: Path
) -> None:
    done = offtake(
        "compare",
        usage,
        "--invoice",
        bill(tmp_path, RIGHT + "2026-01-08,about 3,USD,,,,,,fee,Odd\n"),
        "--contract",
        contract,
    )

    assert 1 == done.code
    assert "bill.csv:8: rejected[U130]: amount is not a decimal number: 'about 3'" in done.err


def test_a_bill_in_another_currency_is_refused(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    done = offtake("compare", usage, "--invoice", bill(tmp_path, RIGHT.replace("USD", "EUR")), "--contract", contract)

    assert 2 == done.code
    assert "bill.csv:2: error[U170]: the bill is in EUR, the contract in USD" in done.err


def test_a_bill_of_another_time_is_refused(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    done = offtake(
        "compare", usage, "--invoice", bill(tmp_path, RIGHT.replace("2026-", "2020-")), "--contract", contract
    )

    assert 2 == done.code
    assert "error[U171]: nothing on the bill lies in the contract's term" in done.err


def test_the_same_file_twice_is_one_bill(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    again = bill(tmp_path, RIGHT, "again.csv")
    found = compared(offtake, usage, "--invoice", bill(tmp_path, RIGHT), "--invoice", again, "--contract", contract)

    assert ([], 6) == (found["differences"], found["control"]["theirs"]["overlapping"])


def test_the_cost_report_of_anthropic(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    def result(cents: str, token_type: str, tier: str = "standard") -> dict[str, object]:
        return {
            "amount": cents, "currency": "USD", "cost_type": "tokens", "description": token_type, "model": OPUS,
            "service_tier": tier, "token_type": token_type, "context_window": "0-200k", "workspace_id": None,
        }  # fmt: skip

    def bucket(day: int, *results: dict[str, object]) -> dict[str, object]:
        starts, ends = f"2026-01-{day:02d}T00:00:00Z", f"2026-01-{day + 1:02d}T00:00:00Z"
        return {"starting_at": starts, "ending_at": ends, "results": list(results)}

    fifth = bucket(
        5,
        result("425", "uncached_input_tokens"),
        result("212.5", "cache_read_input_tokens"),
        result("425", "output_tokens"),
    )  # ten times too much for the cache reads: the price of input
    seventh = bucket(7, result("425", "uncached_input_tokens", "batch"), result("318.75", "output_tokens", "batch"))
    report = bill(tmp_path, json.dumps({"data": [fifth, seventh], "has_more": False}), "costs.json")
    found = compared(offtake, usage, "--invoice", report, "--contract", contract)

    assert [
        ("cache kind", "cache_read_tokens", "2026-01-05", "1.9125"),
        ("unknown", "", "2026-01-01/2026-01-31", "-100"),
    ] == [
        (each["kind"], each["meter"], each["day"], f"{Decimal(each['amount']).normalize():f}")
        for each in sorted(found["differences"], key=lambda each: -Decimal(each["amount"]))
    ]


def test_the_costs_of_openai(offtake: Offtake, tmp_path: Path) -> None:
    contract = tmp_path / "openai.yaml"
    contract.write_text(
        "contract: o\nbuyer: A\nvendor: openai\n"
        "term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}\n"
        "billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}\n"
        "scope: {models: ['gpt-*'], channels: [realtime], access: [api]}\n"
        "prices: {fixed: {gpt-5.4: {input_mtok: 2, output_mtok: 12, cache_read_mtok: 0.2}}, cache: catalog}\n"
        "failed_requests: billed\n"
    )
    usage = tmp_path / "usage.csv"
    usage.write_text(HEADER + "a1,2026-03-06T01:00:00Z,gpt-5.4,,,realtime,ok,23987,49563,20480\n")

    def result(item: str, value: str, quantity: int) -> str:
        return (
            f'{{"object": "organization.costs.result", "amount": {{"value": {value}, "currency": "usd"}}, '
            f'"line_item": "gpt-5.4-2026-03-05, {item}", "quantity": {quantity}, "project_id": "p"}}'
        )

    # 73,550 input tokens on both sides; our log says 49,563 of them were cached, the bill 65,304.
    results = ", ".join(
        (
            result("input", "0.016492", 8246),
            result("cached input", "0.0130608", 65304),
            result("output", "0.24576", 20480),
        )
    )
    bucket = f'{{"object": "bucket", "start_time": 1772755200, "end_time": 1772841600, "results": [{results}]}}'
    page = f'{{"object": "page", "data": [{bucket}]}}'
    found = compared(offtake, usage, "--invoice", bill(tmp_path, page, "costs.json"), "--contract", contract)
    (each,) = found["differences"]

    assert Decimal(15741) * (Decimal("0.2") - 2) == Decimal(each["amount"]) * 10**6
    assert ("cache kind", "15,741 billed as cache_read_tokens are input_tokens in our records") == (
        each["kind"], each["why"].partition(":")[0],
    )  # fmt: skip
    assert ("0", "0.0283338") == (found["overbilled"], f"{Decimal(found['underbilled']).normalize():f}")


def test_focus_rows(offtake: Offtake, tmp_path: Path, usage: Path, contract: Path) -> None:
    columns = (
        "BilledCost,BillingCurrency,ChargeCategory,ChargeDescription,ChargePeriodStart,ChargePeriodEnd,ConsumedQuantity,"
        "ConsumedUnit,ContractedUnitPrice,PricingUnit,ProviderName,SkuMeter,SkuPriceDetails"
    )

    def row(
        cost: str, day: int, quantity: int, price: str, meter: str, direction: str, tier: str, action: str = ""
    ) -> str:
        details = {"ModelId": OPUS, "TokenDirection": direction, "ServiceTier": tier}
        details |= {"TokenCacheAction": action} if action else {}
        quoted = json.dumps(details).replace('"', '""')
        return (
            f"{cost},USD,Usage,{meter},2026-01-{day:02d}T00:00:00Z,2026-01-{day + 1:02d}T00:00:00Z,{quantity},Tokens,"
            f'{price},1000000 Tokens,Anthropic,{meter},"{quoted}"'
        )

    rows = [
        row("4.25", 5, 1_000_000, "4.25", "Input Tokens", "Input", "standard"),
        row("0.2125", 5, 500_000, "0.425", "Cached Input Tokens", "Input", "standard", "Read"),
        row("4.25", 5, 200_000, "21.25", "Output Tokens", "Output", "standard"),
        row("8.5", 7, 2_000_000, "4.25", "Input Tokens", "Input", "batch"),
        row("3.1875", 7, 300_000, "10.625", "Output Tokens", "Output", "batch"),
        "100,USD,Purchase,Platform fee,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,,,,,Anthropic,,",
        "23.20,USD,Tax,Sales tax,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z,,,,,Anthropic,,",
    ]
    found = compared(
        offtake, usage, "--invoice", bill(tmp_path, "\n".join((columns, *rows)), "focus.csv"), "--contract", contract
    )
    (each,) = found["differences"]

    assert ("price", "channel", "prices.batch", "4.25") == (
        each["kind"], each["cause"], each["clause"], f"{Decimal(each['amount']).normalize():f}",
    )  # fmt: skip
    assert "23.20" == found["control"]["theirs"]["tax"]
