"""Cache economics: the closed forms, and the published traces to the fourth decimal.

The traces are not in the repository: those tests run where OFFTAKE_DATA names the folder that holds them.
"""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from offtake.operations.cache_economics import CacheEconomics, Replayed, cache_economics
from offtake.planner.cache.break_even import break_even, ratio_range
from offtake.planner.cache.rules import of_text
from offtake.planner.cache.study import Row
from offtake.planner.cache.tally import decimal
from offtake.store.catalogs import open_catalog
from offtake.values.money import quantize

DATA = os.environ.get("OFFTAKE_DATA")
CONVERSATION, SESSIONS = "mooncake_conversation.jsonl", "claude_code_sessions.jsonl.gz"
AT = date(2026, 6, 1)


def at_four(value: Decimal | None) -> str:
    assert value is not None
    return str(quantize(value, 4))


@cache
def study(name: str, rules: str = "", policy: str = "all") -> CacheEconomics:
    if DATA is None or not (Path(DATA) / name).exists():
        pytest.skip(f"OFFTAKE_DATA names no folder with {name}")
    return cache_economics(Path(DATA) / name, rules=rules, policy=policy, at=AT)


def replayed(name: str, rules: str = "", policy: str = "all") -> Replayed:
    found = study(name, rules, policy).replayed
    assert found is not None
    return found


def row(found: Replayed, policy: str, ttl: str) -> Row:
    return next(each for each in found.rows if (each.policy.name, each.policy.ttl) == (policy, ttl))


@pytest.mark.parametrize(
    ("ttl", "read_share", "reads", "minutes"),
    [
        # 0.25 / 1.15, 0.25 / 0.9, (1.25 - 0.1) / 0.1 pings × 5 minutes
        ("5m", Fraction(5, 23), Fraction(5, 18), Fraction(115, 2)),
        # 1 / 1.9, 1 / 0.9, (2 - 0.1) / 0.1 pings × 60 minutes
        ("1h", Fraction(10, 19), Fraction(10, 9), Fraction(1140)),
    ],
)
def test_break_evens_are_exact(ttl: str, read_share: Fraction, reads: Fraction, minutes: Fraction) -> None:
    found = break_even(of_text("anthropic:"), ttl)

    assert (read_share, reads, minutes) == (found.read_share, found.reads_per_write, found.keep_alive_minutes)


def test_break_evens_as_the_playbook_prints_them() -> None:
    five, hour = (break_even(of_text("anthropic:"), ttl) for ttl in ("5m", "1h"))
    found = (five.read_share, hour.read_share, five.reads_per_write, hour.reads_per_write)

    assert ["0.2174", "0.5263", "0.2778", "1.1111"] == [at_four(decimal(each)) for each in found if each is not None]


def test_at_the_break_even_share_caching_everything_costs_as_much_as_nothing() -> None:
    rules = of_text("anthropic:")
    for ttl in rules.ttls:
        read = break_even(rules, ttl).read_share
        assert read is not None
        assert 1 == read * rules.read + (1 - read) * rules.write(ttl)


def test_who_caches_by_itself_takes_no_share_and_no_pings() -> None:
    found = break_even(of_text("openai:"), "5m")

    assert (Fraction(0), Fraction(0)) == (found.read_share, found.reads_per_write)
    assert found.keep_alive_minutes is None


def test_the_range_without_prefix_ids_is_all_read_to_all_written() -> None:
    assert (Fraction(1, 10), Fraction(5, 4)) == ratio_range(of_text("anthropic:"), "5m", Fraction(1))
    assert (Fraction(1), Fraction(1)) == ratio_range(of_text("anthropic:"), "1h", Fraction(0))


@pytest.mark.parametrize(
    ("policy", "ttl", "ratio"),
    [
        ("end", "5m", "0.9697"),
        ("end", "1h", "1.3810"),
        ("from-turn:2", "5m", "0.9338"),
        ("from-turn:2", "1h", "1.0444"),
        ("static", "5m", "1.0000"),
        ("static", "1h", "1.0000"),
        ("auto", "5m", "0.7627"),
        ("auto", "10m", "0.7093"),
        ("auto", "1h", "0.6874"),
    ],
)
def test_conversation_ratios(policy: str, ttl: str, ratio: str) -> None:
    assert ratio == at_four(row(replayed(CONVERSATION), policy, ttl).ratio())


@pytest.mark.parametrize(("ttl", "read", "written"), [("5m", "0.2419", "0.7495"), ("1h", "0.3213", "0.6701")])
def test_conversation_shares(ttl: str, read: str, written: str) -> None:
    total = row(replayed(CONVERSATION), "end", ttl).total

    assert 144_793_823 == total.input
    assert (read, written) == tuple(
        at_four(decimal(Fraction(each, total.input))) for each in (total.read, total.written)
    )


@pytest.mark.parametrize(("policy", "ttl", "ratio"), [("end", "5m", "0.9543"), ("end", "1h", "1.3258"),
                                                      ("auto", "5m", "0.7534")])  # fmt: skip
def test_conversation_second_half_with_a_warm_cache(policy: str, ttl: str, ratio: str) -> None:
    assert ratio == at_four(row(replayed(CONVERSATION), policy, ttl).holdout_ratio())


@pytest.mark.parametrize(
    ("minimum", "five", "hour"),
    [(512, "0.9356", "1.3355"), (2048, "0.9710", "1.3770"), (4096, "0.9751", "1.3716")],
)
def test_conversation_by_the_least_prefix(minimum: int, five: str, hour: str) -> None:
    found = replayed(CONVERSATION, f"anthropic:min={minimum}", "end")

    assert [five, hour] == [at_four(row(found, "end", ttl).ratio()) for ttl in ("5m", "1h")]


def test_a_static_prefix_of_one_block_pays_where_it_is_long_enough() -> None:
    assert "0.9617" == at_four(row(replayed(CONVERSATION, "anthropic:min=512", "static"), "static", "5m").ratio())


def test_conversation_bounds() -> None:
    found = {each.ttl: at_four(each.ratio) for each in replayed(CONVERSATION).bounds}

    assert ("0.7693", "0.7457") == (found["5m"], found["5m or 1h"])


def test_after_the_first_turn_too_few_prompts_are_continued_in_time_and_after_the_second_enough() -> None:
    found = {(each.turn, each.ttl): each for each in replayed(CONVERSATION).admissions}
    first, second = found[1, "5m"].next_read_share, found[2, "5m"].next_read_share
    needed = decimal(Fraction(5, 18))

    assert first is not None and second is not None
    assert first < decimal(Fraction(5, 23)) < needed < second
    assert "0.3221" == at_four(found[2, "5m"].continued_share)
    # The trace lasts less than an hour: it cannot say what an hour would have brought.
    assert found[1, "1h"].next_read_share is None


def test_what_is_advised_for_the_conversation_is_to_write_from_the_second_turn_on() -> None:
    advice = replayed(CONVERSATION).advice

    assert ("from-turn:2", "5m") == (advice.whole.policy.name, advice.whole.policy.ttl)
    assert "0.9215" == at_four(advice.whole.holdout_ratio)


@pytest.mark.parametrize(
    ("ttl", "ratio", "read", "written"),
    [("5m", "0.2114", "0.9032", "0.0968"), ("1h", "0.1910", "0.9521", "0.0479")],
)
def test_agent_ratios(ttl: str, ratio: str, read: str, written: str) -> None:
    found = row(replayed(SESSIONS), "end", ttl)
    total = found.total

    assert 6_037_445_403 == total.input
    assert (ratio, read, written) == (
        at_four(found.ratio()),
        *(at_four(decimal(Fraction(each, total.input))) for each in (total.read, total.written)),
    )


def test_agent_bound_and_the_best_of_each_session() -> None:
    found = replayed(SESSIONS)

    assert "0.1390" == at_four(found.bounds[-1].ratio)
    assert found.best_per_session is not None
    assert "0.1801" == at_four(found.best_per_session)


def test_agent_dollars_are_exact() -> None:
    found = replayed(SESSIONS)
    by_row = {(each.policy.name, each.policy.ttl): given for each, given in zip(found.rows, found.dollars, strict=True)}
    none, five, hour = by_row["none", ""], by_row["end", "5m"], by_row["end", "1h"]

    assert none is not None and five is not None and hour is not None
    assert five.chain is not None and hour.chain is not None
    assert (Decimal("25182.372257"), Decimal("474.018410")) == (none.total, none.output)
    assert ["5640.90", "5153.66"] == [str(quantize(each, 2)) for each in (five.chain, hour.chain)]
    # The tree also finds what an agent left on another branch: it never costs more.
    assert five.total < five.chain
    assert hour.total < hour.chain


def test_the_best_ttl_differs_by_agent() -> None:
    found = {(each.workload, each.model): each.policy.ttl for each in replayed(SESSIONS).advice.workloads}

    assert "1h" == found["p", "claude-opus-4-5-20251101"]
    assert "5m" == found["p/agent", "claude-haiku-4-5-20251001"]


def test_the_rules_of_a_model_are_its_dated_prices_and_minimum() -> None:
    from offtake.planner.cache.rules import of_model

    catalog, at = open_catalog(), datetime(2026, 6, 1, tzinfo=UTC)
    opus, gpt = of_model("claude-opus-4-7", catalog, at), of_model("gpt-5.4", catalog, at)

    assert (Fraction(1, 10), {"5m": Fraction(5, 4), "1h": Fraction(2)}, 2048, False) == (
        opus.read, dict(opus.writes), opus.min_prefix_tokens, opus.automatic,
    )  # fmt: skip
    assert (True, False, 1024) == (gpt.automatic, gpt.has_premium, gpt.min_prefix_tokens)
