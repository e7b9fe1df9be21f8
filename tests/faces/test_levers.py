"""`offtake levers`: the answer first, the JSON that others script against, a roster, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faces.conftest import Offtake

ROOT = Path(__file__).parents[2]
EXAMPLE = ("--catalog", ROOT / "contracts" / "example-catalog.yaml")
AGGREGATOR = ("--aggregator", ROOT / "contracts" / "aggregator-customer" / "contract.yaml")
PLAYBOOK = ("--batchable", "100%", "--cache-read", "70%", "--cache-write", "0%", *AGGREGATOR, *EXAMPLE)


@pytest.fixture
def month(tmp_path: Path) -> Path:
    """S1's output-heavy month: 500 million in, 1.5 billion out, on Opus 4.7."""
    path = tmp_path / "month.csv"
    path.write_text(
        "used_at,grain,count,model,workload,input_tokens,output_tokens\n"
        "2026-06-01T00:00:00Z,day,250000,claude-opus-4.7,generate,250000000,750000000\n"
        "2026-06-30T00:00:00Z,day,250000,claude-opus-4.7,generate,250000000,750000000\n"
    )
    return path


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("user,last_active,tokens\nada,2026-06-14,9000000\nbob,2026-01-01,10\ncyd,,\n")
    return path


def test_the_answer_comes_first(offtake: Offtake, month: Path) -> None:
    done = offtake("levers", month, *PLAYBOOK)
    lines = done.out.splitlines()

    assert 0 == done.code
    assert "A month costs $40,000.00 now; levers that need no contract leave $15,406.25 (61.5% less)." == lines[0]
    assert (
        "The usage of 2026-06-01 to 2026-06-30 (30 days) × 1.0000 is a month, at list prices of 2026-06-30." == lines[1]
    )
    assert "never moves: Different weights or outputs" in done.out


def test_the_json_of_the_playbook(offtake: Offtake, month: Path) -> None:
    document = json.loads(offtake("levers", month, *PLAYBOOK, "--failed", "1%", "--format", "json").out)
    stack = {step["lever"]: float(step["cost"]["high"]) for step in document["levers"]["stack"]}
    gate = document["gates"][0]

    assert {
        "batch": 20_000,
        "cache": 19_212.5,
        "route": 19_212.5,
        "aggregator": 16_330.625,
        "bonus": 15_406.25,
    } == stack
    assert ("account_executive", "closed", "50000.00") == (gate["gate"], gate["opening"], gate["opens_at"]["low"])
    assert {"low": "2.602", "high": "5.205"} == gate["usage_multiple"]
    assert 188 == len(document["asks"]["anthropic"])
    assert [375.0] == [float(each["value"]["low"]) for each in document["worth"] if "FR-01" in each["asks"]]
    assert document["seats"] is None


def test_nothing_declared_saves_nothing_and_says_what_each_lever_needs(offtake: Offtake, month: Path) -> None:
    done = offtake("levers", month)

    assert "no lever can be pulled yet" in done.out.splitlines()[0]
    for flag in ("--batchable SHARE", "--cache-read SHARE", "--admissible MODEL", "--aggregator FILE"):
        assert flag in done.out
    assert "caching pays on claude-opus-4.7 when over 21.74% of the input is read back" in done.out


def test_an_excluded_lever_is_shown_with_the_reason(offtake: Offtake, month: Path) -> None:
    done = offtake("levers", month, "--batchable", "100%", "--retention", "none")

    assert "not possible: batch at anthropic: zero retention is required: Message Batches" in done.out
    assert "not possible: files at anthropic" in done.out


def test_an_account_executive_opens_the_gate(offtake: Offtake, month: Path) -> None:
    done = offtake("levers", month, "--account-executive", "anthropic", "--asks")

    assert "PR-01   Negotiated rate card" in done.out
    (row,) = [line for line in done.out.splitlines() if line.startswith(" PR-01 ")]
    assert row.split()[4:] == ["open", "moves"]


def test_own_gates_go_over_ours(offtake: Offtake, month: Path, tmp_path: Path) -> None:
    own = tmp_path / "gates.yaml"
    own.write_text(
        "gates: [{gate: account_executive, vendor: anthropic, from: 2026-01-01, source: our broker,\n"
        "         opens_at: {low: 20_000 USD / month, high: 40_000 USD / month}}]\n"
    )
    document = json.loads(offtake("levers", month, "--gates", own, "--format", "json").out)

    assert ("open", "our broker") == (document["gates"][0]["opening"], document["gates"][0]["source"])


def test_months_scale_what_was_seen(offtake: Offtake, month: Path) -> None:
    document = json.loads(offtake("levers", month, "--months", "1/2", "--format", "json").out)

    assert 80_000 == float(document["now"])


def test_a_contract_may_be_what_is_in_force(offtake: Offtake, month: Path, contract: Path) -> None:
    document = json.loads(offtake("levers", month, "--contract", contract, "--format", "json").out)

    assert ("small", 34_000.0) == (document["contract"], float(document["now"]))


def test_seats_without_usage(offtake: Offtake, roster: Path) -> None:
    done = offtake("levers", "--roster", roster, "--paid", 5, "--seat-price", 40, "--at", "2026-06-15")

    assert (
        "Seats: 5 paid, 1 of 3 people active since 2026-05-16, 4 idle.\n"
        "  $200.00 a month, of which $160.00 for idle seats\n"
    ) == done.out


def test_seats_against_the_api(offtake: Offtake, month: Path, roster: Path) -> None:
    """Two billion tokens for 40,000 are 20 a million: a seat at 40 pays from two million tokens on."""
    seats = ("--roster", roster, "--seat-price", "40 USD", "--at", "2026-06-15")
    document = json.loads(offtake("levers", month, *seats, "--format", "json").out)

    assert (2_000_000, 1, 2) == tuple(
        document["seats"][key] for key in ("break_even_tokens", "above_break_even", "metered")
    )


def test_csv_has_a_row_for_each_step(offtake: Offtake, month: Path) -> None:
    lines = offtake("levers", month, *PLAYBOOK, "--format", "csv").out.splitlines()

    assert "how,lever,cost_low,cost_high,saving_low,saving_high,workloads" == lines[0]
    assert ["alone,batch", "alone,cache", "alone,aggregator"] == [line.rsplit(",", 5)[0] for line in lines[1:4]]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--cache-read", "80"), 2, "a share is written with a percent sign"),
        (("--cache-read", "80%..60%"), 2, "the range begins with its lower end"),
        (("--cache-read", "120%"), 2, "lies outside of 0% to 100%"),
        (("--cache-read", "80%", "--cache-write", "30%"), 2, "P622"),
        (("--admissible", "gpt-99"), 3, "K301"),
        (("--admissible", "gpt-5.4*0x"), 2, "a multiple of tokens lies above zero"),
        (("--months", "0"), 2, "is not a number of months"),
        (("--account-executive", "anthropic=maybe"), 2, "write yes, no, VENDOR or VENDOR=no"),
        (("--region", "mars"), 2, "P623"),
        (("--paid", "4"), 2, "P626"),
    ],
)
def test_what_cannot_be_is_refused(
    offtake: Offtake, month: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = offtake("levers", month, *arguments)

    assert (code, "") == (done.code, done.out)
    assert words in done.err


def test_nothing_to_weigh(offtake: Offtake, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("used_at,model,input_tokens\n")

    assert "P625" in offtake("levers").err
    assert "P620" in offtake("levers", empty).err
