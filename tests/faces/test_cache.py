"""`offtake cache` as people and scripts see it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.faces.conftest import Offtake

EXAMPLE = Path(__file__).parents[2] / "contracts" / "example-trace.jsonl"
ROW = {"at": "2026-03-02T09:00:00Z", "workload": "chat", "model": "claude-sonnet-4-5", "input_tokens": 2100,
       "output_tokens": 10, "prefix": ["a", "b"], "block_tokens": 1024}  # fmt: skip


def written(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def test_json_has_the_keys_that_scripts_use(offtake: Offtake) -> None:
    done = offtake("cache", EXAMPLE, "--format", "json")
    document = json.loads(done.out)
    keys = ["policy", "ttl", "read_share", "write_share", "input_cost_ratio", "holdout_ratio"]

    assert 0 == done.code
    assert keys == list(document["policies"][0])[: len(keys)]
    assert ["none", "end", "end", "from-turn:2"] == [row["policy"] for row in document["policies"][:4]]
    assert {"documents": "static", "chat": "from-turn:2", "agent": "keep-alive:11"} == {
        row["workload"]: row["policy"] for row in document["advice"]["workloads"]
    }


@pytest.mark.parametrize("policy", ["end", "static", "from-turn:3", "keep-alive:2", "auto"])
def test_one_policy_is_shown_beside_no_caching(offtake: Offtake, policy: str) -> None:
    rows = json.loads(offtake("cache", EXAMPLE, "--policy", policy, "--format", "json").out)["policies"]

    assert {"none", policy} == {row["policy"] for row in rows}


def test_the_table_says_the_advice_first_and_the_break_evens_last(offtake: Offtake) -> None:
    out = offtake("cache", EXAMPLE).out

    assert out.startswith(
        "A breakpoint at the end of prompts from turn 2 on, 1h: 43.0% off the input on the second half"
    )
    assert "21.74%" in out
    assert "57.5 min" in out


def test_csv_has_a_row_a_policy(offtake: Offtake) -> None:
    lines = offtake("cache", EXAMPLE, "--policy", "end", "--format", "csv").out.splitlines()

    assert ["policy,ttl,read_share,write_share,input_cost_ratio,holdout_ratio,cost"] == lines[:1]
    assert ["none", "end", "end"] == [line.partition(",")[0] for line in lines[1:]]


def test_a_model_prices_the_trace_and_text_rules_do_not(offtake: Offtake) -> None:
    priced = json.loads(offtake("cache", EXAMPLE, "--rules", "claude-opus-4-7", "--format", "json").out)
    ratios = json.loads(offtake("cache", EXAMPLE, "--rules", "anthropic:ttl=5m", "--format", "json").out)

    assert priced["policies"][0]["cost"].startswith("11.756735")
    assert {None} == {row["cost"] for row in ratios["policies"]}
    assert {None, "5m"} == {row["ttl"] for row in ratios["policies"]}


def test_a_vendor_that_caches_by_itself_has_its_cache_only(offtake: Offtake) -> None:
    rows = json.loads(offtake("cache", EXAMPLE, "--rules", "gpt-5.2", "--format", "json").out)["policies"]
    refused = offtake("cache", EXAMPLE, "--rules", "gpt-5.2", "--policy", "end")

    assert [("none", None), ("auto", "5m"), ("auto", "10m"), ("auto", "1h")] == [(r["policy"], r["ttl"]) for r in rows]
    assert all(row["offered"] and row["cost"] for row in rows)
    assert (2, True) == (refused.code, "P616" in refused.err)


def test_under_a_contract_the_tokens_cost_its_prices(offtake: Offtake, contract: Path) -> None:
    def cost(*more: object) -> list[str]:
        done = offtake("cache", EXAMPLE, "--policy", "end", "--format", "json", *more)
        return [row["cost"] for row in json.loads(done.out)["policies"]]

    assert "7.054041000000" == cost()[0]
    assert "5.995934850000" == cost("--contract", contract)[0]  # 15% off


def test_a_contract_that_prices_the_cache_makes_the_rules(offtake: Offtake, contract: Path) -> None:
    agreed = "cache: {read: 0.2, write_5m: 1.5, write_1h: 3, min_prefix_tokens: 2048}"
    contract.write_text(contract.read_text().replace("cache: catalog", agreed))
    done = offtake("cache", EXAMPLE, "--policy", "end", "--contract", contract, "--format", "json")
    (rules,) = json.loads(done.out)["rules"]

    assert ("0.200000", {"5m": "1.500000", "1h": "3.000000"}, 2048) == (
        rules["read"], rules["writes"], rules["min_prefix_tokens"],
    )  # fmt: skip


def test_a_model_outside_of_the_contract_is_refused(offtake: Offtake, contract: Path) -> None:
    done = offtake("cache", EXAMPLE, "--contract", contract, "--rules", "gpt-5.2")

    assert (3, True) == (done.code, "K301" in done.err)


def test_usage_without_prefix_ids_gets_a_range_and_no_hit_rate(offtake: Offtake, tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    usage.write_text(
        "used_at,model,input_tokens,output_tokens\n"
        "2026-03-02T09:00:00Z,claude-sonnet-4-5,3000,10\n2026-03-02T09:01:00Z,claude-sonnet-4-5,1000,10\n"
    )
    done = offtake("cache", usage, "--format", "json")
    document = json.loads(done.out)

    assert (0, []) == (done.code, document["policies"])
    # Three quarters of the input are long enough: 1 - 0.75 × 0.9 and 1 + 0.75 × 0.25.
    assert {"ttl": "5m", "lowest_ratio": "0.325000", "highest_ratio": "1.187500"} == document["observed"][0]["range"][0]
    assert document["observed"][0]["measured_ratio"] is None
    assert "does not say which prompts begin alike" in document["advice"]["sentence"]


def test_models_whose_rules_nobody_knows_are_left_out_and_named(offtake: Offtake, tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    head = "used_at,model,input_tokens,output_tokens\n"
    known, unknown = (f"2026-03-02T09:00:00Z,{model},3000,10\n" for model in ("claude-sonnet-4-5", "gemini-2.5-pro"))
    usage.write_text(head + known + unknown)
    done = offtake("cache", usage, "--format", "csv")

    assert 1 == done.code
    assert "left out: the least prefix that gemini-2.5-pro caches" in done.err
    assert ["workload,model,ttl,lowest_ratio,highest_ratio,measured_ratio",
            ",claude-sonnet-4-5,5m,0.100000,1.250000,",
            ",claude-sonnet-4-5,1h,0.100000,2.000000,"] == done.out.splitlines()  # fmt: skip
    usage.write_text(head + unknown)
    assert (3, True) == ((alone := offtake("cache", usage)).code, "P614" in alone.err)


def test_a_usage_file_of_ours_gets_the_same_range(offtake: Offtake, usage: Path, tmp_path: Path) -> None:
    parquet = tmp_path / "usage.parquet"
    assert 0 == offtake("import", usage, "--out", parquet).code
    plain, columnar = (json.loads(offtake("cache", each, "--format", "json").out) for each in (usage, parquet))

    assert plain["observed"] == columnar["observed"]


def test_usage_that_was_cached_says_what_it_cost(offtake: Offtake, usage: Path) -> None:
    document = json.loads(offtake("cache", usage, "--format", "json").out)
    chat = next(row for row in document["observed"] if row["model"] == "claude-opus-4.7" and row["workload"] == "chat")

    # A million plain and half a million read: (1 + 0.05) / 1.5.
    assert "0.700000" == chat["measured_ratio"]


def test_a_trace_without_models_says_whose_rules_stand_in(offtake: Offtake, tmp_path: Path) -> None:
    trace = written(
        tmp_path / "t.jsonl",
        {"timestamp": 0, "input_length": 1100, "output_length": 1, "hash_ids": [0, 1, 2]},
        {"timestamp": 1000, "input_length": 1600, "output_length": 1, "hash_ids": [0, 1, 3, 4]},
    )
    done = offtake("cache", trace, "--policy", "end", "--format", "json")

    assert "names no model" in done.err
    # 1,024 of 2,700 tokens are read, all others written: (1100 × 1.25 + 576 × 1.25 + 102.4) / 2700.
    assert "0.813852" == json.loads(done.out)["policies"][1]["input_cost_ratio"]


def test_sessions_are_read_gzipped_and_priced_twice(offtake: Offtake, tmp_path: Path) -> None:
    trace = tmp_path / "sessions.jsonl.gz"
    rows = [
        ["s", "p", 0.0, "claude-opus-4-6", 6400, 10, 0, [[1, 100]]],
        ["s", "p", 9.5, "claude-opus-4-6", 7040, 10, 100, [[101, 10]]],
    ]
    trace.write_bytes(gzip.compress("".join(f"{json.dumps(row)}\n" for row in rows).encode()))
    row = json.loads(offtake("cache", trace, "--at", "2026-06-01", "--format", "json").out)["policies"][1]

    assert row["cost"] == row["cost_left_branches_forgotten"]
    # 7,040 written at 6.25, 6,400 read at 0.50, 20 out at 25 dollars a million.
    assert "0.047700000000" == row["cost"]


def test_bad_rows_are_named_and_the_rest_is_replayed(offtake: Offtake, tmp_path: Path) -> None:
    trace = written(tmp_path / "t.jsonl", ROW, "not json", {**ROW, "prefix": "ab"}, {**ROW, "input_tokens": -1},
                    {**ROW, "at": "yesterday"}, {**ROW, "prefix": ["a", "b", "c", "d"]}, ROW)  # fmt: skip
    done = offtake("cache", trace, "--format", "json")

    assert (1, 2) == (done.code, json.loads(done.out)["requests"])
    assert [f"{trace}:{line}" for line in (2, 3, 4, 5, 6)] == [
        each.partition(": ")[0] for each in json.loads(done.out)["rejected"]
    ]
    assert "rejected[U108]" in done.err
    assert "… and 2 more" in done.err


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "U110"),
        ("\n\n", "U110"),
        ('{"at": 1, "input_tokens": 5, "prefix": [], "block_tokens": 0}\n', "U110"),
        ('{"hello": 1}\n', "U120"),
        ("\x00\x01\x02", "U142"),
    ],
)
def test_a_file_without_a_trace_is_refused(offtake: Offtake, tmp_path: Path, content: str, code: str) -> None:
    trace = tmp_path / "t.jsonl"
    trace.write_text(content)
    done = offtake("cache", trace)

    assert (2, True) == (done.code, code in done.err), done.err


@pytest.mark.parametrize(
    ("arguments", "exit_code", "code"),
    [
        (("--rules", "anthropic:read=cheap"), 2, "P612"),
        (("--rules", "claude-opus-99"), 3, "K301"),
        (("--rules", "gemini-2.5-pro"), 3, "P614"),
        (("--policy", "magic"), 2, "P615"),
    ],
)
def test_flags_that_cannot_be(offtake: Offtake, arguments: tuple[str, ...], exit_code: int, code: str) -> None:
    done = offtake("cache", EXAMPLE, *arguments)

    assert (exit_code, True) == (done.code, code in done.err)


def test_requests_without_a_model_among_others_are_refused(offtake: Offtake, tmp_path: Path) -> None:
    trace = written(tmp_path / "t.jsonl", ROW, {**ROW, "model": ""})

    assert (2, True) == ((done := offtake("cache", trace)).code, "U103" in done.err)
    assert 0 == offtake("cache", trace, "--rules", "claude-sonnet-4-5").code


def test_out_takes_the_answer(offtake: Offtake, tmp_path: Path) -> None:
    out = tmp_path / "answer.json"
    done = offtake("cache", EXAMPLE, "--format", "json", "--out", out)

    assert ("", 0) == (done.out, done.code)
    assert "policies" in json.loads(out.read_text())
