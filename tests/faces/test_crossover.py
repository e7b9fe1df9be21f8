"""`offtake crossover`: the words, the JSON, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faces.conftest import Offtake

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts"
AGGREGATOR = ("--aggregator", CONTRACTS / "aggregator-customer" / "contract.yaml")
OPUS = ("--model", "claude-opus-4.7", "--at", "2026-06-01")


def test_the_table_says_what_to_beat_and_where_it_turns(offtake: Offtake) -> None:
    done = offtake("crossover", *OPUS, "--model", "gpt-5.4", *AGGREGATOR)

    assert 0 == done.code
    assert "claude-opus-4.7: 19.81% off list (the aggregator gives 15.00%)" in done.out
    assert "anthropic negotiates from $50,000 to $100,000 a month on" in done.out
    assert "direct is cheaper above 22.17%, from $100,000 a month on" in done.out
    assert "$150,000   $120,283.02     -$14,717      -$7,217        +$283" in done.out
    assert "(-$4,953)" in done.out


def test_the_json_is_the_whole_surface(offtake: Offtake) -> None:
    axes = ("--spend", "150k", "--spend", "300_000", "--direct-discount", "20%", "--bonus", "0%", "--bonus", "6%")
    document = json.loads(offtake("crossover", *OPUS, *AGGREGATOR, *axes, "--format", "json").out)
    surface = document["surface"]

    assert 4 == len(surface)
    assert {
        "spend": "150000", "vendors": 1, "direct_discount": "0.20", "bonus": "0.06", "direct_open": "yes",
        "list": "150000.00", "aggregator": "120283.02", "direct": "120000.00", "mixed": "120000.00",
        "difference": "283.02", "cheapest": "direct",
    } == surface[1]  # fmt: skip
    assert ["0.150000", "0.198113"] == [each["direct_discount"] for each in document["break_even"]]
    assert {"low": "0.333", "high": "0.667"} == document["threshold"][0]["usage_multiple"]


def test_discounts_instead_of_a_file(offtake: Offtake) -> None:
    done = offtake(
        "crossover", *OPUS, "--aggregator-discount", "claude-*=15%", "--bonus", "6%", "--spend", "150k",
        "--direct-discount", "20%", "--format", "csv",
    )  # fmt: skip

    assert "150000,1,0.20,0.06,yes,150000.00,120283.02,120000.00,120000.00,283.02,direct" == done.out.splitlines()[1]


def test_an_own_threshold(offtake: Offtake) -> None:
    own = ("--account-executive", "200k", "--spend", "150k", "--format", "json")
    document = json.loads(offtake("crossover", *OPUS, *AGGREGATOR, *own).out)

    assert {"low": "200000.00", "high": "200000.00"} == document["models"][0]["account_executive"]
    assert {"no"} == {cell["direct_open"] for cell in document["surface"]}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (OPUS, 2, "error[P604]: say what the aggregator asks, once"),
        ((*OPUS, *AGGREGATOR, "--aggregator-discount", "*=15%"), 2, "error[P604]"),
        (AGGREGATOR, 2, "Missing option '--model'"),
        ((*OPUS, *AGGREGATOR, "--spend", "0"), 2, "no amount above zero"),
        ((*OPUS, *AGGREGATOR, "--mix", "0:0"), 2, "no mix of tokens"),
        ((*OPUS, *AGGREGATOR, "--account-executive", "100k..50k"), 2, "no threshold"),
        ((*AGGREGATOR, "--model", "nonsense"), 3, "error[K301]"),
        ((*AGGREGATOR, "--model", "claude-haiku-4-5", "--at", "2026-06-01"), 1, "claude-haiku-4-5"),
        ((*OPUS, "--aggregator", ROOT / "README.md"), 3, "error[C2"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], code: int, words: str, offtake: Offtake) -> None:
    done = offtake("crossover", *arguments)

    assert (code, "") == (done.code, done.out)
    assert words in done.err


def test_credits_and_commitments_of_a_month_are_left_out(offtake: Offtake) -> None:
    """15% off Opus, without the launch credit of 50,000 and the yearly commitment that stand in the contract."""
    mid_size = ("--aggregator", CONTRACTS / "mid-size" / "contract.yaml")
    asked = (*OPUS, *mid_size, "--spend", "100k", "--direct-discount", "20%", "--format", "json")
    (cell,) = json.loads(offtake("crossover", *asked).out)["surface"]

    assert "85000.00" == cell["aggregator"]


def test_a_model_that_costs_nothing_is_named(offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "free.yaml"
    path.write_text("prices: [{model: free-1, vendor: x-ai, input_mtok: 0, output_mtok: 0, source: test}]\n")
    asked = ("--model", "free-1", "--catalog", path, "--aggregator-discount", "*=10%", "--at", "2026-06-01")
    done = offtake("crossover", *asked)

    assert (2, "") == (done.code, done.out)
    assert "error[P608]: free-1 costs nothing by the token" in done.err
