"""`offtake export`: files that conform, from usage and from JSON, and words for what cannot be."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.cli.main import run
from offtake.export import focus_files
from offtake.export.focus_check import check
from offtake.export.focus_columns import COLUMNS
from offtake.export.focus_rules import RULES

CONTRACT = """
contract: acme-2026
buyer: Acme Corp
vendor: anthropic
term: {from: 2026-01-01, until: 2026-04-01, time_zone: America/New_York, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime], access: [api]}
prices: {discounts: [{models: claude-*, share: 15%}], cache: catalog}
commitments:
  - id: spend
    amount: 300 USD / month
    pool: all_models
    counts_at: contracted
    true_up: month
    prepaid: {share: 50%, discount: 5%, as: cash}
failed_requests:
  {http_5xx: free, timeout: free, vendor_truncation: free, refusal: billed, client_cancel: billed, client_error: billed}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    write_usage(tmp_path / "usage.csv", date(2026, 1, 1), 85)
    return tmp_path


def write_usage(path: Path, start: date, days: int) -> None:
    lines = ["id,used_at,model,input_tokens,output_tokens,tag:team"]
    for n in range(days):
        day = start + timedelta(days=n)
        lines += [f"{day}-{team},{day}T1{n % 10}:00:00Z,claude-opus-4-5,{300_000 + n},{77_777},{team}" for team in "ab"]
    path.write_text("\n".join(lines) + "\n")


def export(files: Path, *arguments: str, usage: str = "usage.csv") -> int:
    where = [str(files / usage)] if usage else []
    return run(["export", *arguments[:1], *where, "--contract", str(files / "contract.yaml"), *arguments[1:]])


def test_focus_parquet_by_day_and_team(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = files / "focus.parquet"
    split = ("--by", "day", "--by", "tag:team")
    assert 0 == export(files, "focus", "--format", "parquet", "--out", str(out), *split, "--check")
    rows = focus_files.read_parquet(out)
    assert [] == [str(violation) for violation in check(rows, whole_term=True, payable=payable(files, capsys))]
    assert {'{"team":"a"}', '{"team":"b"}', None} == {row["Tags"] for row in rows}
    day = next(row for row in rows if row["SkuMeter"] == "Input Tokens")
    assert datetime(2026, 1, 1, 5, tzinfo=UTC) == day["ChargePeriodStart"]
    assert datetime(2026, 1, 2, 5, tzinfo=UTC) == day["ChargePeriodEnd"]


def test_focus_csv_by_line_has_the_lines_of_the_invoice(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = files / "focus.csv"
    assert 0 == export(files, "focus", "--out", str(out), "--by", "line")
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(focus_files.read_csv(file))
    found = check(rows, whole_term=True, rounding=Decimal("0.005"), payable=payable(files, capsys))
    assert [] == [str(violation) for violation in found]


def test_a_file_that_breaks_a_rule_is_told(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("offtake.export.focus_sku.pricing_unit", lambda line: "per million")
    assert 1 == export(files, "focus", "--out", str(files / "focus.csv"), "--check")
    assert "row 1: UnitFormat-A-000-M: PricingUnit is a unit" in capsys.readouterr().err


def test_json_of_rate_gives_the_same_rows(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rated, one, other = files / "rated.json", files / "one.csv", files / "other.csv"
    rate_json(files / "usage.csv", rated)
    assert 0 == export(files, "focus", "--out", str(one), "--by", "line")
    assert 0 == export(files, "focus", "--from-json", str(rated), "--out", str(other), usage="")
    assert one.read_text() == other.read_text()


def test_the_export_reads_back_as_the_usage_that_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At list price, in UTC days: every meter and channel comes back from the FOCUS reader with its quantity."""
    meters = "input_tokens,output_tokens,cache_read_tokens,cache_write_5m_tokens,cache_write_1h_tokens"
    (tmp_path / "usage.csv").write_text(
        f"id,used_at,model,channel,{meters}\n"
        "a,2026-02-01T10:00:00Z,claude-opus-4-5,realtime,1,2,3,4,5\n"
        "b,2026-02-02T10:00:00Z,claude-opus-4-5,batch,6,7,8,9,10\n"
    )
    assert 0 == run(["export", "focus", str(tmp_path / "usage.csv"), "--out", str(tmp_path / "focus.csv")])
    quantities = []
    for name in ("usage.csv", "focus.csv"):
        capsys.readouterr()
        assert 0 == run(["rate", str(tmp_path / name), "--format", "json"])
        lines = json.loads(capsys.readouterr().out)["invoices"][0]["lines"]
        quantities.append({(line["meter"], line["channel"]): line["quantity"] for line in lines})
    assert 10 == len(quantities[0])
    assert quantities[0] == quantities[1]


def test_corrections_are_billed_in_the_next_period(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    booked, out = files / "booked.json", files / "focus.csv"
    write_usage(files / "early.csv", date(2026, 1, 1), 20)
    rate_json(files / "early.csv", booked)
    assert 0 == export(files, "focus", "--previous", str(booked), "--out", str(out), "--by", "line")
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(focus_files.read_csv(file))
    assert [] == [str(violation) for violation in check(rows)]
    corrections = [row for row in rows if row["ChargeClass"] == "Correction"]
    assert {"2026-01-01 05:00:00+00:00"} == {str(row["ChargePeriodStart"]) for row in corrections}
    assert {"acme-2026/2026-02-01"} == {row["InvoiceId"] for row in corrections}
    assert {"acme-2026/2026-02-01", "acme-2026/2026-03-01"} == {row["InvoiceId"] for row in rows}


def test_the_journal(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = files / "books.beancount"
    assert 0 == export(files, "journal", "--out", str(out))
    assert 'option "title" "acme-2026"' == out.read_text().splitlines()[0]
    assert f"-{sum(payable(files, capsys).values()):.12f} ~ 0 USD" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "moon"], "U191"),
        (["--by", "tag:"], "U191"),
        (["--from-json", "usage.csv"], "either USAGE"),
    ],
)
def test_a_wrong_flag_is_named_and_leaves_no_file(
    files: Path, arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    assert 2 == export(files, "focus", "--out", "focus.csv", *arguments)
    assert words in capsys.readouterr().err
    assert not (files / "focus.csv").exists()


@pytest.mark.parametrize(
    ("text", "code"), [("", "U108"), ("[]", "U192"), ('{"invoices": [{}]}', "U192"), ('{"invoices": []}', "U192")]
)
def test_json_that_holds_no_invoices(files: Path, text: str, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "rated.json").write_text(text)
    json_file = str(files / "rated.json")
    assert 2 == export(files, "focus", "--from-json", json_file, "--out", str(files / "focus.csv"), usage="")
    assert code in capsys.readouterr().err


def test_json_of_another_text_of_the_contract(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rated = files / "rated.json"
    rate_json(files / "usage.csv", rated)
    (files / "contract.yaml").write_text(CONTRACT.replace("15%", "16%"))
    assert 2 == export(files, "focus", "--from-json", str(rated), "--out", str(files / "focus.csv"), usage="")
    assert "U193" in capsys.readouterr().err


def rate_json(usage: Path, out: Path) -> None:
    contract = str(usage.with_name("contract.yaml"))
    assert 0 == run(["rate", str(usage), "--contract", contract, "--format", "json", "--out", str(out)])


def payable(files: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Decimal]:
    capsys.readouterr()
    run(["rate", str(files / "usage.csv"), "--contract", str(files / "contract.yaml"), "--format", "json"])
    invoices = json.loads(capsys.readouterr().out)["invoices"]
    return {f"acme-2026/{invoice['period']['from']}": Decimal(invoice["total"]) for invoice in invoices}


def test_the_reference_names_every_column_and_rule() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/reference/focus.md").read_text()
    columns = [f"| {column.name} | {column.kind.replace('_', '-')} | {column.level} |" for column in COLUMNS]
    assert [] == [row for row in columns if row not in page]
    assert [] == [rule.id for rule in RULES if f"| {rule.id} | {rule.column} {rule.says} |" not in page]
