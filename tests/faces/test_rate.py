"""`offtake rate`: what others script against, to the digit."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.faces.conftest import HEADER, USAGE, Offtake


def rated(offtake: Offtake, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(offtake("rate", *arguments, "--format", "json").out)
    return found


def billed(lines: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(line["billed"]) for line in lines), Decimal(0))


def test_the_tables_give_totals_first(offtake: Offtake, usage: Path, contract: Path) -> None:
    done = offtake("rate", usage, "--contract", contract)

    assert 0 == done.code
    assert (
        """\
small · USD

 invoice from     list   contracted    billed
 ────────────────────────────────────────────
 2026-01-01     $15.25       $12.96   $112.95
 2026-02-01      $4.00        $1.70   $101.70

 total                                $214.65
"""
        in done.out
    )
    assert done.out.index("total") < done.out.index("Lines from 2026-01-01")
    assert "4 rows: 3 priced, 1 free\n" == done.err


def test_json_says_what_was_rated_with_what(offtake: Offtake, usage: Path, contract: Path) -> None:
    found = rated(offtake, usage, "--contract", contract)

    assert 1 == found["schema_version"]
    assert ("small", "USD", True) == (found["contract"], found["currency"], found["complete"])
    assert 64 == len(found["contract_hash"])
    assert found["catalog_version"].startswith("genai-prices ")
    assert [{"from": "2026-01-01", "until": "2026-02-01"}, {"from": "2026-02-01", "until": "2026-03-01"}] == [
        invoice["period"] for invoice in found["invoices"]
    ]
    assert ["112.95", "101.70"] == [invoice["total"] for invoice in found["invoices"]]
    assert "214.65" == found["total"]


def test_each_line_carries_its_arithmetic(offtake: Offtake, usage: Path, contract: Path) -> None:
    lines = rated(offtake, usage, "--contract", contract)["invoices"][0]["lines"]
    line = next(each for each in lines if each["meter"] == "input_tokens" and each["channel"] == "realtime")

    assert ("prices.discounts[0]", "order_form §2") == (line["clause"], line["source"])
    assert ("1000000", "0.000004250000", "4.25") == (line["quantity"], line["unit_price"], line["billed"])
    assert "1,000,000 × $4.25/M = 4.25" in line["why"]
    assert Decimal("112.95") == billed(lines)


def test_control_totals_hold_every_row(offtake: Offtake, usage: Path, contract: Path) -> None:
    rows = USAGE + USAGE.splitlines()[1] + "\n"  # a duplicate
    rows += "a5,2026-02-07T12:00:00Z,claude-haiku-4-5,chat,,realtime,ok,-1,,200000\n"
    rows += "a4,2026-02-07T12:00:00Z,claude-haiku-4-5,chat,,realtime,ok,2,,2\n"  # a4 says something else
    rows += "a6,2026-02-07T12:00:00Z,gpt-5.4,chat,,realtime,ok,2,,2\n"  # not in scope
    rows += "a7,2025-02-07T12:00:00Z,claude-haiku-4-5,chat,,realtime,ok,2,,2\n"  # before the term
    usage.write_text(rows)
    done = offtake("rate", usage, "--contract", contract, "--format", "json")
    control = json.loads(done.out)["control"]

    assert 1 == done.code
    assert (9, 2, 1) == (control["records"], control["priced"], control["free"])
    assert 2 == control["conflicts"], "of two rows that contradict each other none is believed"
    assert [1] * 4 == [control[name] for name in ("duplicates", "rejected", "unpriced", "outside_term")]
    assert f"{usage}:7: rejected[U105]: input_tokens is negative: -1" in done.err
    assert "(not complete)" in done.err


def test_rejected_rows_are_kept(offtake: Offtake, usage: Path, contract: Path, tmp_path: Path) -> None:
    usage.write_text(HEADER + "a5,2026-02-07T12:00:00Z,claude-haiku-4-5,chat,,realtime,ok,-1,,200000\n")
    rejects = tmp_path / "rejects.jsonl"

    assert 1 == offtake("rate", usage, "--contract", contract, "--rejects", rejects).code
    assert "a5,2026-02-07" in json.loads(rejects.read_text())["row"]


@pytest.mark.parametrize(
    ("by", "january"),
    [
        ("model", {"claude-opus-4-7": "12.9625"}),
        ("workload", {"chat": "8.7125", "nightly": "4.25"}),
        ("day", {"2026-01-05": "8.7125", "2026-01-06": "4.25"}),
        ("tag:team", {"search": "12.9625"}),
    ],
)
def test_parts_and_the_unallocated_rest_are_the_invoice(
    by: str, january: dict[str, str], offtake: Offtake, usage: Path, contract: Path
) -> None:
    found = rated(offtake, usage, "--contract", contract, "--by", by)
    first = found["invoices"][0]

    assert {name: Decimal(amount) for name, amount in january.items()} == {
        line[by]: Decimal(line["billed"]) for line in first["lines"]
    }
    assert Decimal(100) == Decimal(first["unallocated"])
    assert Decimal(first["total"]) + Decimal(first["residual"]) == billed(first["lines"]) + Decimal(100)
    assert "214.65" == found["total"], "a split never changes what is billed"


def test_a_record_a_line(offtake: Offtake, usage: Path, contract: Path) -> None:
    done = offtake("rate", usage, "--contract", contract, "--by", "record")
    *records, rest = [json.loads(line) for line in done.out.splitlines()]

    assert [("a1", "8.7125"), ("a2", "4.25"), ("a3", "0"), ("a4", "1.7")] == [
        (each["id"], f"{Decimal(each['total']).normalize():f}") for each in records
    ]
    assert all(Decimal(each["total"]) == billed(each["lines"]) for each in records)
    assert (None, "200") == (rest["id"], f"{Decimal(rest['unallocated']):.0f}")
    assert ["fees.platform"] == [line["clause"] for line in rest["lines"]]


def test_csv_has_a_row_a_line(offtake: Offtake, usage: Path, contract: Path) -> None:
    done = offtake("rate", usage, "--contract", contract, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))

    assert Decimal("214.65") == sum(Decimal(row["billed"]) for row in rows)


def test_a_span_shows_its_periods_only(offtake: Offtake, usage: Path, contract: Path) -> None:
    found = rated(offtake, usage, "--contract", contract, "--from", "2026-02-01", "--until", "2026-03-01")

    assert ["2026-02-01"] == [invoice["period"]["from"] for invoice in found["invoices"]]
    assert 2 == offtake("rate", usage, "--contract", contract, "--from", "2026-03-01", "--until", "2026-02-01").code


def test_without_a_contract_list_prices_are_billed_unrounded(offtake: Offtake, usage: Path) -> None:
    found = rated(offtake, usage)

    assert Decimal("19.25") == Decimal(found["total"])
    assert {"prices.basis"} == {line["clause"] for invoice in found["invoices"] for line in invoice["lines"]}


def test_the_same_again_needs_no_correction(offtake: Offtake, usage: Path, contract: Path, tmp_path: Path) -> None:
    booked = tmp_path / "booked.json"
    offtake("rate", usage, "--contract", contract, "--format", "json", "--out", booked)
    again = rated(offtake, usage, "--contract", contract, "--previous", booked)

    assert [] == again["corrections"]
    assert json.loads(booked.read_text())["invoices"] == again["invoices"]


def test_late_and_vanished_usage_is_corrected_in_its_own_period(
    offtake: Offtake, usage: Path, contract: Path, tmp_path: Path
) -> None:
    booked = tmp_path / "booked.json"
    offtake("rate", usage, "--contract", contract, "--format", "json", "--out", booked)
    rows = USAGE.splitlines(keepends=True)
    rows[1] = rows[1].replace(",1000000,500000,", ",2000000,500000,")  # a million tokens came late: 4.25
    usage.write_text("".join(rows[:-1]))  # and a4 was no usage: 0.85 + 0.85
    found = rated(offtake, usage, "--contract", contract, "--previous", booked)

    assert [("2026-01-01", "4.25"), ("2026-02-01", "-0.85"), ("2026-02-01", "-0.85")] == [
        (line["corrects"]["from"], line["billed"]) for line in found["corrections"]
    ]
    assert "2.55" == found["corrected"]
    assert (
        offtake("rate", usage, "--contract", contract, "--previous", booked).out
        == offtake("rate", usage, "--contract", contract, "--previous", booked).out
    )


def test_a_month_that_was_never_booked_is_no_correction(
    offtake: Offtake, usage: Path, contract: Path, tmp_path: Path
) -> None:
    booked = tmp_path / "booked.json"
    offtake("rate", usage, "--contract", contract, "--until", "2026-02-01", "--format", "json", "--out", booked)

    assert [] == rated(offtake, usage, "--contract", contract, "--previous", booked)["corrections"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", "U108"),
        ("[]", "U192"),
        ('{"invoices": [{"lines": []}]}', "U192"),
        ('{"invoices": [], "contract": "other", "currency": "USD"}', "U193"),
    ],
)
def test_what_is_no_invoice_corrects_nothing(
    text: str, code: str, offtake: Offtake, usage: Path, contract: Path, tmp_path: Path
) -> None:
    previous = tmp_path / "previous.json"
    previous.write_text(text)
    done = offtake("rate", usage, "--contract", contract, "--previous", previous)

    assert (2, True) == (done.code, f"error[{code}]" in done.err)


def test_a_bucket_whose_outcome_is_not_known_gives_a_range(offtake: Offtake, usage: Path, contract: Path) -> None:
    usage.write_text("id,used_at,grain,model,input_tokens\nb1,2026-01-05T00:00:00Z,day,claude-opus-4.7,1000000\n")
    found = rated(offtake, usage, "--contract", contract)
    ranges = [line["billed"] for line in found["invoices"][0]["lines"] if isinstance(line["billed"], dict)]
    strict = offtake("rate", usage, "--contract", contract, "--strict")

    assert {"low": "100.00", "high": "104.25"} == found["total"]
    assert "4.25" in [each["high"] for each in ranges]
    assert "100.00" in [line["billed"] for line in found["invoices"][0]["lines"]], "what does not differ is one amount"
    assert (2, True) == (strict.code, "error[R413]" in strict.err)


def test_nothing_is_left_where_rating_fails(offtake: Offtake, usage: Path, contract: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text("what was there")
    usage.write_text("")

    assert 2 == offtake("rate", usage, "--contract", contract, "--out", out).code
    assert "what was there" == out.read_text()


def test_an_unknown_split_is_named(offtake: Offtake, usage: Path) -> None:
    done = offtake("rate", usage, "--by", "colour")

    assert 2 == done.code
    assert "nothing is split by 'colour'" in done.err
