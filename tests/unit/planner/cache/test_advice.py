"""Who deserves a write, and what is advised: chosen on the first half, judged on the second."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from offtake.planner.cache.admission import admissions
from offtake.planner.cache.advice import NOTHING_ASKED, Advice, advise
from offtake.planner.cache.policy import NONE, policies
from offtake.planner.cache.rules import of_text
from offtake.planner.cache.study import run
from offtake.planner.cache.trace import Trace
from offtake.usage.prefixes.request import PrefixRequest, joined

MINUTE = 60_000_000
RULES = [of_text("anthropic:min=1000")]


def trace(*prompts: tuple[int, Sequence[int]], workload: str = "chat") -> Trace:
    """Prompts as (minute, blocks of 1,000 tokens)."""
    found = Trace("trace")
    for minute, blocks in prompts:
        found.add(
            PrefixRequest(
                at=minute * MINUTE, input_tokens=len(blocks) * 1000, output_tokens=1, block_tokens=1000,
                runs=joined((each, 1) for each in blocks), workload=workload,
            )
        )  # fmt: skip
    return found.finish()


def advice(made: Trace, policy: str = "all") -> Advice:
    asked = policies(policy, RULES)
    return advise(run(made, RULES, asked if NONE in asked else [NONE, *asked], lambda done: None), made.models)


def test_prompts_that_repeat_are_cached_and_the_second_half_says_what_it_saved() -> None:
    found = advice(trace(*((minute, [1, 2, 3]) for minute in range(9))), "end")

    # First half: 3,750 + 3 × 300 of 12,000; second half: five reads of 3,000, which end where the prompt does.
    assert ("end", "5m") == (found.whole.policy.name, found.whole.policy.ttl)
    assert (Decimal("0.387500"), Decimal("0.100000")) == (found.whole.fit_ratio, found.whole.holdout_ratio)
    assert "90.0% off the input on the second half (61.2% on the first)" in found.sentence


def test_prompts_that_never_repeat_are_not_cached() -> None:
    found = advice(trace(*((minute, [minute, 100 + minute]) for minute in range(9))))

    assert "none" == found.whole.policy.name
    assert found.sentence.startswith("Do not cache")


def test_what_paid_on_the_first_half_and_lost_on_the_second_is_said() -> None:
    first = [(minute, [1, 2]) for minute in range(4)]
    second = [(minute, [minute, 100 + minute]) for minute in range(20, 24)]
    found = advice(trace(*first, *second), "end")

    assert Decimal("1.250000") == found.whole.holdout_ratio
    assert "lost 25.0% on the second" in found.sentence


def test_too_little_traffic_to_judge_is_said() -> None:
    found = advice(trace((0, [1, 2])), "end")

    assert (None, "none") == (found.whole.holdout_ratio, found.whole.policy.name)


def test_nothing_is_advised_where_nothing_that_is_offered_was_asked_for() -> None:
    assert NOTHING_ASKED == advice(trace((0, [1]), (1, [1])), "auto").sentence


def test_how_long_an_automatic_cache_keeps_is_not_chosen() -> None:
    rules = [of_text("openai:min=1000")]
    made = trace((0, [1]), (1, [1]), (50, [1]), (52, [1]))
    found = advise(run(made, rules, policies("all", rules), lambda done: None), made.models)

    assert ("auto", "5m") == (found.whole.policy.kind, found.whole.policy.ttl)
    assert found.sentence.endswith("Up to 90.0% off if it keeps for 1h.")


def test_turns_are_judged_where_their_time_to_live_ended_before_the_trace() -> None:
    made = trace((0, [1]), (1, [7]), (2, [1, 2]), (4, [1, 2, 3]), (30, [9]))
    found = {(each.turn, each.ttl): each for each in admissions(made, RULES)}

    # After turn 1: 1 and 7 are judged, 9 is not; 1 is read by the next turn and by the one after it.
    assert (2, Decimal("0.500000"), Decimal("1.000000")) == (
        found[1, "5m"].requests, found[1, "5m"].next_read_share, found[1, "5m"].reads_per_write,
    )  # fmt: skip
    assert (1, Decimal("1.000000"), Decimal("1.000000")) == (
        found[2, "5m"].requests, found[2, "5m"].next_read_share, found[2, "5m"].reads_per_write,
    )  # fmt: skip
    assert (0, None) == (found[1, "1h"].requests, found[1, "1h"].reads_per_write)
