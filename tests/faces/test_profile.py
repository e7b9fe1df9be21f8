"""`offtake profile`: the words, the JSON that others script against, and what it refuses."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faces.conftest import HEADER, Offtake

SAME_PRICES = ("--at", "2026-06-01")


def test_the_answer_comes_first(offtake: Offtake, usage: Path) -> None:
    done = offtake("profile", usage, *SAME_PRICES)
    lines = done.out.splitlines()

    assert 0 == done.code
    assert "Which lever moves the bill" == lines[0]
    assert (
        "  chat · claude-opus-4.7: input-heavy: batch and caching both move the bill "
        "(batch saves $5.12, caching saves $1.91, "
        "the cache in use saves $2.25)"
    ) == lines[1]
    assert (
        "  nightly · claude-opus-4.7 · batch: output-heavy: it runs in batch already; caching moves the bill"
        in lines[2]
    )
    assert "Priced at list of 2026-06-01. Caching is taken to read 70% of the input" in done.out


def test_the_json_of_a_workload(offtake: Offtake, usage: Path) -> None:
    document = json.loads(offtake("profile", usage, *SAME_PRICES, "--format", "json").out)
    chat = document["workloads"][0]

    assert ("list", "USD", None) == (document["contract"], document["currency"], document["priced_as"])
    assert ("chat", "claude-opus-4.7", 1, "7.500") == tuple(
        chat[name] for name in ("workload", "model", "requests", "in_out_ratio")
    )
    assert "10.25" == f"{float(chat['cost']):.2f}"
    assert {"cost", "saving", "share", "reason"} == set(chat["saving"]["batch"])
    assert (None, None) == (chat["prefix_repeat"], chat["models"])


def test_a_declared_rule_says_what_may_wait(offtake: Offtake, usage: Path) -> None:
    done = offtake("profile", usage, *SAME_PRICES, "--batchable", "ch*=25%", "--format", "json")

    assert ["0.25", "1", "0.25"] == [each["batchable"] for each in json.loads(done.out)["workloads"]]


def test_two_rules_that_clash(offtake: Offtake, usage: Path) -> None:
    done = offtake("profile", usage, "--batchable", "ch*=25%", "--batchable", "ch*=30%")

    assert 2 == done.code
    assert "error[P600]: two rules say what of 'chat' may wait: ch* and ch*" in done.err


def test_models_to_choose_among(offtake: Offtake, usage: Path) -> None:
    models = ("--model", "claude-opus-4.7", "--compare", "gpt-5.4", "--compare", "claude-haiku-4-5")
    done = offtake("profile", usage, *SAME_PRICES, *models, "--format", "json")
    choice = json.loads(done.out)["workloads"][0]["models"]

    assert "claude-haiku-4-5" == choice["cheapest"]
    assert [{"from": "0.000", "to": None, "model": "claude-haiku-4-5"}] == choice["cheapest_by_ratio"]
    assert 3 == len(choice["flips"])


def test_a_model_without_a_price_is_named_and_the_rest_is_shown(offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(
        HEADER
        + "a1,2026-01-05T12:00:00Z,own-model-7,chat,,realtime,ok,10,,10\n"
        + "a2,2026-01-05T12:00:00Z,gpt-5.4,chat,,realtime,ok,10,,10\n"
        + "a3,2026-01-05T12:00:00Z,gpt-5.4,chat,,realtime,odd,10,,10\n"
    )
    done = offtake("profile", path, *SAME_PRICES)

    assert 1 == done.code
    assert "chat · own-model-7: no price: no model 'own-model-7' in the catalogue" in done.out
    assert f"{path}:4: rejected[U102]: unknown outcome 'odd'" in done.err


def test_the_csv_has_a_row_a_workload(offtake: Offtake, usage: Path) -> None:
    rows = offtake("profile", usage, *SAME_PRICES, "--format", "csv").out.splitlines()

    assert 4 == len(rows)
    assert rows[0].startswith("workload,vendor,model,channel")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--batchable", "25%"), 2, "is not a rule; write WORKLOAD=SHARE"),
        (("--batchable", "chat=250%"), 2, "lies outside of 0% to 100%"),
        (("--compare", "nonsense"), 3, "error[K301]: no model 'nonsense' in the catalogue"),
        (("--cache-read", "0.7"), 2, "a share is written with a percent sign"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], code: int, words: str, offtake: Offtake, usage: Path) -> None:
    done = offtake("profile", usage, *arguments)

    assert (code, "") == (done.code, done.out)
    assert words in done.err


def test_no_usage_is_refused(offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text(HEADER)
    done = offtake("profile", path)

    assert 2 == done.code
    assert "error[P602]: there is no usage to profile" in done.err


def test_dollars_are_those_of_rate_also_above_a_context_threshold(offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    rows = (f"a{size},2026-06-01T12:00:00Z,gpt-5.4,chat,,realtime,ok,{size},,100" for size in (1_000, 272_000, 500_000))
    path.write_text(HEADER + "\n".join(rows) + "\n")
    rated = json.loads(offtake("rate", path, "--format", "json").out)
    (chat,) = json.loads(offtake("profile", path, *SAME_PRICES, "--format", "json").out)["workloads"]

    assert Decimal(rated["total"]) == Decimal(chat["cost"])


def test_a_trace_with_prefix_ids_says_what_repeats(offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    rows = [
        {"timestamp": 1_000 * number, "input_length": 1_024, "output_length": 10, "hash_ids": [1, 2 + number]}
        for number in range(4)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = ("profile", path, "--model", "claude-opus-4.7", *SAME_PRICES)
    (workload,) = json.loads(offtake(*asked, "--format", "json").out)["workloads"]

    assert {"ever": "0.3750", "within": {"5m": "0.3750", "1h": "0.3750"}} == workload["prefix_repeat"]
    assert "37.5% of the input repeats the beginning of an earlier prompt (37.5% within 5m" in offtake(*asked).out


def test_many_workloads_are_the_dearest_ones_on_screen(offtake: Offtake, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    rows = [f"a{n},2026-06-01T12:00:00Z,gpt-5.4,w{n:02},,realtime,ok,{1_000 + n},,1" for n in range(25)]
    rows += [f"b{n},2026-06-01T12:00:00Z,own-model-7,w{n:02},,realtime,ok,1,,1" for n in range(5)]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    done = offtake("profile", path, *SAME_PRICES)

    assert "w24 · gpt-5.4: " in done.out
    assert "w00 · gpt-5.4" not in done.out
    assert "… and 10 more workloads; --format json or csv has all of them" in done.out
    assert "… and 2 more workloads without a price" in done.err
    assert 31 == len(offtake("profile", path, *SAME_PRICES, "--format", "csv").out.splitlines())


def test_a_contract_with_seats_needs_no_count_of_them(offtake: Offtake, usage: Path) -> None:
    """10% off: the tokens cost the same however many seats there are."""
    contract = Path(__file__).parents[2] / "contracts" / "private-deployment" / "contract.yaml"
    (chat, *_) = json.loads(offtake("profile", usage, "--contract", contract, "--format", "json").out)["workloads"]

    assert Decimal("9.225") == Decimal(chat["cost"])
