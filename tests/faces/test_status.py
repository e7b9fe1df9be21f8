"""`offtake status`: the figures for scripts, and the words for people."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from offtake.operations.contracts import load_contract
from offtake.operations.forecast_file import read_forecast
from tests.faces.conftest import CONTRACT, HEADER, SUITE, Offtake, accept

COMMITMENT = (
    "commitments: [{id: spend, amount: 1_200 USD / year, pool: all_models, counts_at: contracted, true_up: quarter}]\n"
)


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """Haiku's input at 1 USD a million less 15%, a fee of 100 a month, 300 a quarter committed."""
    path = tmp_path / "committed.yaml"
    path.write_text(CONTRACT + COMMITMENT)
    return path


@pytest.fixture
def days(tmp_path: Path) -> Path:
    """Ten days of 2 million tokens, teams in turn: 17 USD contracted."""
    path = tmp_path / "days.csv"
    rows = [
        f"d{day},2026-01-{day:02}T12:00:00Z,claude-haiku-4-5,chat,{team},realtime,ok,2000000,,"
        for day, team in enumerate(("search", "ads") * 5, 1)
    ]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


def document(offtake: Offtake, *arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(offtake("status", *arguments, "--format", "json").out)
    return found


def test_json_says_where_the_commitment_stands(offtake: Offtake, days: Path, committed: Path) -> None:
    found = document(offtake, days, "--contract", committed, "--at", "2026-01-11")
    each = found["commitments"][0]

    assert (1, "small", "USD", True) == tuple(
        found[name] for name in ("schema_version", "contract", "currency", "complete")
    )
    assert (Decimal(300), Decimal(17), Decimal(283)) == tuple(
        Decimal(each[name]) for name in ("committed", "drawn", "left")
    )
    assert {"from": "2026-01-01T00:00:00Z", "until": "2026-04-01T00:00:00Z"} == each["window"]
    assert ("0.111111", "0.056667", "0.510000") == (each["time_share"], each["drawn_share"], each["pace"])
    assert Decimal(153) == Decimal(each["projection"]["drawn"]["mid"])  # 90 days × 1.70
    assert Decimal(147) == Decimal(each["projection"]["shortfall"]["mid"])
    assert "2026-04-01T00:00:00Z" in [date["at"] for date in found["next_dates"]]


def test_without_an_instant_it_is_the_last_row(offtake: Offtake, days: Path, committed: Path) -> None:
    found = document(offtake, days, "--contract", committed)

    assert "2026-01-10T12:00:00.000001Z" == found["at"]
    assert Decimal(17) == Decimal(found["commitments"][0]["drawn"])


@pytest.mark.parametrize("method", ["blended", "marginal"])
def test_both_allocations_sum_to_the_invoices(offtake: Offtake, days: Path, committed: Path, method: str) -> None:
    found = document(offtake, days, "--contract", committed, "--by", "tag:team", "--allocate", method)
    allocation = found["allocation"]

    assert ["ads", "search"] == [share["value"] for share in allocation["shares"]]
    assert "117.00" == found["invoiced"]  # 17 of usage and the platform fee
    parts = sum((Decimal(share["total"]) for share in allocation["shares"]), Decimal(allocation["residual"]))
    assert Decimal("117.00") == parts
    assert (Decimal(0) if method == "blended" else Decimal(100)) == Decimal(allocation["residual"])


def test_the_words_begin_with_the_commitment(offtake: Offtake, days: Path, committed: Path) -> None:
    done = offtake("status", days, "--contract", committed, "--at", "2026-01-11", "--by", "tag:team")

    assert 0 == done.code
    assert done.out.startswith("small on 2026-01-11\n\nCommitment spend")
    assert "  left         $283.00\n" in done.out
    assert "  pace         0.51 × an even draw\n" in done.out
    assert "Who bears the invoices (blended)" in done.out


def test_csv_has_a_row_a_commitment(offtake: Offtake, days: Path, committed: Path) -> None:
    done = offtake("status", days, "--contract", committed, "--at", "2026-01-11", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.out)))

    assert ["spend"] == [row["id"] for row in rows]
    assert Decimal(147) == Decimal(rows[0]["projection.shortfall.mid"])


def test_silence_is_named(offtake: Offtake, days: Path, committed: Path) -> None:
    done = offtake("status", days, "--contract", committed, "--at", "2026-02-01")

    assert "the last usage is 21 days before 2026-02-01" in done.err


def test_a_contract_without_commitments_still_has_dates(offtake: Offtake, days: Path, contract: Path) -> None:
    found = document(offtake, days, "--contract", contract)

    assert [] == found["commitments"]
    assert "the contract ends" in [date["what"] for date in found["next_dates"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--at", "2025-06-01"), "error[R411]"),
        (("--by", "team"), "write --by tag:team"),
        (("--by", "tag:"), "error[U191]"),
    ],
)
def test_what_cannot_be_is_refused(
    offtake: Offtake, days: Path, committed: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = offtake("status", days, "--contract", committed, *arguments)

    assert 2 == done.code
    assert words in done.err


def test_the_forecast_carries_on_what_the_days_have_drawn(
    offtake: Offtake, days: Path, committed: Path, tmp_path: Path
) -> None:
    file, twice = tmp_path / "forecast.json", tmp_path / "twice.json"
    launch = tmp_path / "events.yaml"
    launch.write_text("events: [{kind: launch, workload: demand, month: 1, factor: 2}]")
    at = ("--contract", committed, "--at", "2026-01-11")

    assert 0 == offtake("status", days, *at, "--forecast", file).code
    assert 0 == offtake("status", days, *at, "--forecast", twice, "--events", launch).code

    found, doubled = json.loads(file.read_text()), json.loads(twice.read_text())
    (spend,) = found["commitments"]
    assert ("small", load_contract(committed).hash) == (found["contract"], found["contract_hash"])
    assert ("spend", "USD", "2026-04-01T00:00:00Z") == (spend["id"], spend["unit"], spend["until"])
    assert Decimal(17) == Decimal(spend["drawn"])
    assert ["2026-01-11T00:00:00Z", "2026-02-10T10:30:00Z", "2026-03-12T21:00:00Z"] == [r["at"] for r in spend["rest"]]
    middle = Decimal(spend["rest"][0]["amounts"][found["permille"].index(500)])
    assert abs(middle - Decimal("1.7") * 80) < 20  # 1.70 a day, 80 days ahead
    later = Decimal(doubled["commitments"][0]["rest"][0]["amounts"][found["permille"].index(500)])
    assert abs(later - 2 * middle) < Decimal("0.02")
    assert read_forecast(file, load_contract(committed), datetime(2026, 1, 12, tzinfo=UTC)).permille[0] == 50


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--events", "events.yaml"), "P647"),
        (("--forecast", "days.csv"), "U148"),
        (("--forecast", "new.json", "--at", "2026-01-01T12:00:00Z"), "P649"),
        (("--forecast", "new.json", "--events", "events.yaml"), "P648"),
    ],
)
def test_a_forecast_that_cannot_be_made_writes_nothing(
    offtake: Offtake,
    days: Path,
    committed: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: str,
) -> None:
    monkeypatch.chdir(days.parent)
    Path("events.yaml").write_text("events: 3")

    done = offtake("status", days, "--contract", committed, *arguments)

    assert 2 == done.code
    assert f"error[{code}]" in done.err
    assert not Path("new.json").exists()
    assert days.read_text().startswith("id,")


def test_strict_refuses_what_the_data_cannot_decide(offtake: Offtake, tmp_path: Path, committed: Path) -> None:
    usage = tmp_path / "daily.csv"
    usage.write_text("used_at,grain,model,input_tokens\n2026-01-05T00:00:00Z,day,claude-haiku-4-5,2000000\n")
    open_ended = document(offtake, usage, "--contract", committed)["commitments"][0]["drawn"]

    assert {"low", "high"} == set(open_ended)
    assert 2 == offtake("status", usage, "--contract", committed, "--strict").code


def test_a_signed_result_says_when_its_model_must_pass_again(
    offtake: Offtake, days: Path, contract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contract.write_text(CONTRACT + SUITE)
    store = tmp_path / "offtake.db"
    accept(contract, store, "claude-haiku-4-5")
    low = accept(contract, store, "claude-opus-4-7", 20)
    monkeypatch.chdir(tmp_path)
    status = ("status", days, "--contract", contract, "--format", "json")

    unread = offtake(*status)
    assert f"{contract.with_name('small.accepted')} was not read: --config or --store" in unread.err
    (tmp_path / "offtake.toml").write_text(
        '[vendors.anthropic]\nwire = "anthropic"\nbase_url = "https://api.anthropic.com"\n'
        '[[contracts]]\nfile = "small.yaml"\n'
    )
    for done in (offtake(*status), offtake(*status, "--store", store)):
        again = [each for each in json.loads(done.out)["next_dates"] if "must pass" in each["what"]]
        assert [("2026-09-01T00:00:00Z", "claude-haiku-4-5 must pass support again", "models.evaluation[0]")] == [
            (each["at"], each["what"], each["clause"]) for each in again
        ]
        assert f"{low} admits nothing: 20 of 30 tasks do not reach a floor of 90%" in done.err
    other = tmp_path / "other.db"
    assert "signed with another store's secret" in offtake(*status, "--store", other).err
    assert [] == list(tmp_path.glob("other.db*"))
