"""`offtake route`: Aider's figures, the shipped example, its pictures and admissions, and what it refuses."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.faces.conftest import Offtake

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "contracts" / "example-evaluation.csv"
EVALS = ROOT / "tests" / "fixtures" / "evals"
DATA = os.environ.get("OFFTAKE_DATA")


@pytest.mark.parametrize(
    ("floor", "confidence", "chosen", "cost"),
    [
        ("0.5", "0", "DeepSeek-V3.2-Exp (Chat)", "0.8756"),
        ("0.6", "0", "DeepSeek-V3.2-Exp (Chat)", "0.8756"),
        ("0.7", "0", "DeepSeek-V3.2-Exp (Chat)", "0.8756"),
        ("0.7", "0.95", "gpt-5 (low)", "10.3713"),
        ("0.75", "0", "gpt-5 (low)", "10.3713"),
        ("80%", "0", "gpt-5 (low)", "10.3713"),
        ("0.84", "0", "gpt-5 (medium)", "17.6930"),
    ],
)
def test_the_cheapest_that_passes_aider(offtake: Offtake, floor: str, confidence: str, chosen: str, cost: str) -> None:
    if not DATA:
        pytest.skip("OFFTAKE_DATA names no folder with aider_polyglot.yml")
    done = offtake(
        "route", Path(DATA) / "aider_polyglot.yml", "--floor", floor, "--confidence", confidence, "--format", "json"
    )
    found = json.loads(done.out)

    assert (0, chosen, cost) == (done.code, found["chosen"], found["cost"])
    assert 8 == len(found["front"])
    assert {225} == {row["tasks"] for row in found["front"]}
    assert 18 == len(found["not_comparable"])
    assert 69 == found["compared"] + len(found["not_comparable"])


def test_the_answer_comes_first(offtake: Offtake) -> None:
    done = offtake("route", EXAMPLE, "--floor", "75%", "--at", "2026-11-01")
    lines = done.out.splitlines()

    assert 0 == done.code
    assert "gemini-3.1-pro is the cheapest that passes 75% with 95% confidence: $7.2400 for 200 tasks." == lines[0]
    assert (
        "  claude-haiku-4-5 is cheaper and scores 76.5% of 200 tasks: 2,255 at that score would prove it." == lines[1]
    )
    assert "own-llama-3.3   71.0%" in done.out
    assert "" == done.err


def test_prices_of_today_come_out_of_rating(offtake: Offtake) -> None:
    """Its tokens at list: 1.1M × $2 + 0.42M × $12 = 2.20 + 5.04."""
    done = offtake("route", EXAMPLE, "--floor", "75%", "--at", "2026-11-01", "--price", "--format", "json")
    found = json.loads(done.out)

    assert ("gemini-3.1-pro", "7.240000000000") == (found["chosen"], found["cost"])
    assert "2026-11-01T00:00:00Z" == found["priced_at"]
    assert ["no token counts in the file"] == [row["reason"] for row in found["not_comparable"]]


def test_a_contract_changes_who_is_cheapest(offtake: Offtake, tmp_path: Path) -> None:
    """Half off gpt-5.4: 3.00 + 4.50 at list is 3.75, which undercuts 7.24."""
    contract = tmp_path / "openai.yaml"
    contract.write_text(
        "contract: half\nbuyer: Example\nvendor: openai\n"
        "term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}\n"
        "billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}\n"
        "scope: {models: [gpt-5.4], channels: [realtime], access: [api]}\n"
        "prices: {discounts: [{models: gpt-5.4, share: 50%}]}\nfailed_requests: billed\n"
    )
    done = offtake("route", EXAMPLE, "--floor", "75%", "--at", "2026-11-01", "--contract", contract, "--format", "json")
    found = json.loads(done.out)

    assert ("gpt-5.4", "3.75") == (found["chosen"], found["cost"].rstrip("0"))
    assert {"own-llama-3.3", "claude-haiku-4-5", "gemini-3.1-pro", "claude-opus-4-7", "o3"} == {
        row["model"] for row in found["not_comparable"]
    }


USAGE = """\
id,used_at,model,workload,channel,input_tokens,cache_read_tokens,output_tokens
a1,2026-10-05T12:00:00Z,claude-opus-4.7,chat,realtime,500000,200000,130000
"""


def test_own_traffic_is_scaled_by_the_tokens_that_a_model_needs(offtake: Offtake, tmp_path: Path) -> None:
    """In 1.1/1.4: 392,857 × $2 + 157,143 × $0.2; out 0.42/0.26: 210,000 × $12. On its own model 2.50 + 0.10 + 3.25."""
    usage = tmp_path / "usage.csv"
    usage.write_text(USAGE + "a2,2026-10-05T12:00:00Z,gpt-4.1,chat,realtime,1,0,1\n")
    flags = ("--floor", "75%", "--at", "2026-11-01", "--usage", usage)
    found = json.loads(offtake("route", EXAMPLE, *flags, "--format", "json").out)

    assert ("gemini-3.1-pro", Decimal("3.3371426")) == (found["chosen"], Decimal(found["cost"]))
    assert Decimal("5.85") == Decimal({row["model"]: row["cost"] for row in found["front"]}["claude-opus-4-7"])
    assert "left out: 1 request of gpt-4.1" in found["warnings"][0]


def test_a_model_run_in_two_ways_needs_to_be_told_which_the_traffic_is(offtake: Offtake, tmp_path: Path) -> None:
    evals, usage = tmp_path / "evals.csv", tmp_path / "usage.csv"
    row = "claude-opus-4-7,{},0.9,200,1,1400000,{},\n"
    evals.write_text(
        "model,settings,score,n,cost,input_tokens,output_tokens,priced_as\n"
        + row.format("low", 260000)
        + row.format("high", 520000)
    )
    usage.write_text(USAGE)
    done = offtake("route", evals, "--floor", "75%", "--at", "2026-11-01", "--usage", usage)
    told = offtake(
        "route", evals, "--floor", "75%", "--at", "2026-11-01", "--usage", usage, "--now", "claude-opus-4-7 (high)",
        "--format", "json",
    )  # fmt: skip

    assert (2, True) == (done.code, "--now 'claude-opus-4-7 (low)'" in done.err)
    assert Decimal("4.225") == Decimal(json.loads(told.out)["cost"])  # half of the output: 2.50 + 0.10 + 1.625


def test_traffic_of_no_evaluated_model_is_refused(offtake: Offtake, tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(USAGE.replace("claude-opus-4.7", "gpt-4.1"))
    done = offtake("route", EXAMPLE, "--floor", "75%", "--at", "2026-11-01", "--usage", usage)

    assert (2, True) == (done.code, "error[P638]: no traffic is of a model that was evaluated" in done.err)


def test_admissions_are_written_and_the_contract_checks(offtake: Offtake, tmp_path: Path) -> None:
    term, contract = tmp_path / "admissions.yaml", tmp_path / "contract.yaml"
    offtake("route", EXAMPLE, "--floor", "75%", "--at", "2026-11-01", "--admissions", term, "--workloads", "support-*")
    contract.write_text((ROOT / "contracts/start/contract.yaml").read_text() + term.read_text())

    assert 0 == offtake("check", "--strict", contract).code


def test_an_old_run_is_pointed_out(offtake: Offtake) -> None:
    done = offtake("route", EXAMPLE, "--floor", "75%", "--at", "2027-06-01")

    assert "warning[P639]: the run of gemini-3.1-pro is of 2026-10-01: its 90 days ended on 2026-12-30" in done.err


@pytest.mark.parametrize("name", ["front.svg", "front.html"])
def test_the_front_as_a_picture(offtake: Offtake, tmp_path: Path, name: str) -> None:
    out = tmp_path / name
    done = offtake("route", EXAMPLE, "--floor", "75%", "--at", "2026-11-01", "--out", out)
    text = out.read_text()
    drawn = ElementTree.fromstring(text[text.index("<svg") : text.index("</svg>") + len("</svg>")])
    kinds = [each.get("class") for each in drawn.iter() if each.tag.endswith("circle")]

    assert 0 == done.code
    assert (1, 3, 1) == (kinds.count("chosen"), kinds.count("best"), kinds.count("dot"))
    assert "<script" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_logs_of_inspect_and_the_point_score(offtake: Offtake) -> None:
    files = [EVALS / "inspect_small.json", EVALS / "inspect_large.json"]
    done = offtake("route", *files, "--floor", "0.6", "--confidence", "0", "--format", "json")

    assert ("openai/gpt-5.4-mini", "0.00127") == (json.loads(done.out)["chosen"], json.loads(done.out)["cost"])


def test_results_of_promptfoo_as_csv(offtake: Offtake) -> None:
    done = offtake("route", EVALS / "promptfoo.json", "--floor", "0.6", "--format", "csv")

    assert [
        "anthropic:messages:claude-haiku-4-5,0.700000,0.441699,10,0.0032,0.000400000000",
        "openai:chat:gpt-5.4,0.900000,0.652281,10,0.0210,0.002100000000",
    ] == [",".join(line.split(",")[:6]) for line in done.out.splitlines()[1:]]


def test_where_nothing_passes_the_exit_code_is_one(offtake: Offtake) -> None:
    done = offtake("route", EXAMPLE, "--floor", "0.99", "--at", "2026-11-01", "--format", "json")

    assert (1, None, None) == (done.code, json.loads(done.out)["chosen"], json.loads(done.out)["cost"])


@pytest.mark.parametrize(
    ("text", "flags", "code", "words"),
    [
        ("model,score,n,cost\na,0.7,0,1\n", (), "P632", "evals.csv:2: error[P632]: n is 0"),
        ("model,score,n,cost\na,70.2,9,1\n", (), "P631", "evals.csv:2: error[P631]: the score 70.2 lies outside"),
        ("model,score,n,cost\na,.7,9,-1\n", (), "P634", "evals.csv:2: error[P634]: the cost -1 of a is negative"),
        ("suite,model,score,n,cost\nx,a,.7,9,1\ny,b,.7,9,1\n", (), "P635", "results of 2 suites: x (evals.csv:2), y"),
        ("suite,model,score,n,cost\nx,a,.7,9,1\n", ("--suite", "z"), "P635", "no results of the suite 'z'"),
        ("model,score,n,cost\na,.7,9,1\n", ("--confidence", "0.2"), "P636", "a confidence of 0.2"),
        ("model,score,n,cost\na,.7,9,1\n", ("--margin", "0.6"), "P636", "a margin of 0.6"),
        ("model,score,n,cost\na,.7,9,1\n", ("--admissions", "a.yaml"), "P638", "no model passes"),
        ("", (), "P630", "evals.csv: error[P630]: the file is empty"),
        ("a;b\n1;2\n", (), "P630", "evals.csv:1: error[P630]: no column model"),
    ],
)  # fmt: skip
def test_bad_input_is_told_with_its_place(
    offtake: Offtake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, flags: tuple[str, ...], code: str,
    words: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("evals.csv").write_text(text)
    done = offtake("route", "evals.csv", "--floor", "0.5", *flags)

    assert 2 == done.code
    assert words in done.err
    assert f"[{code}]" in done.err
    assert not Path("a.yaml").exists()


@pytest.mark.parametrize("floor", ["70", "-1", "much", "nan", "0"])
def test_a_floor_that_is_no_share_is_refused(offtake: Offtake, floor: str) -> None:
    done = offtake("route", EXAMPLE, f"--floor={floor}")

    assert 2 == done.code
    assert "0.7" in done.err


def test_one_suite_of_several_is_taken_by_name(offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "evals.csv"
    path.write_text("suite,model,score,n,cost\nx,a,.9,99,1\ny,b,.9,99,1\n")
    done = offtake("route", path, "--floor", "0.5", "--suite", "y", "--format", "json")

    assert ("b", ["x"]) == (json.loads(done.out)["chosen"], json.loads(done.out)["other_suites"])


def test_runs_of_different_length_are_pointed_out(offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "evals.csv"
    path.write_text("model,score,n,cost\na,.9,50,1\nb,.9,100,9\n")

    assert "warning[P635]: a was run on 50 tasks, b on 100" in offtake("route", path, "--floor", "0.5").err
