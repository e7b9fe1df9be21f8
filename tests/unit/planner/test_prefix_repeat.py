"""How much of the input repeats the beginning of an earlier prompt."""

from __future__ import annotations

from decimal import Decimal

from offtake.planner.cache.trace import Trace
from offtake.planner.profile.prefixes import MINUTE, PrefixRepeat, prefix_repeats
from offtake.usage.prefixes.request import PrefixRequest, Run

BLOCK = 100


def trace(*prompts: tuple[int, tuple[Run, ...]], model: str = "") -> Trace:
    """Prompts as (minute, runs of blocks)."""
    found = Trace("trace")
    for minute, runs in prompts:
        tokens = BLOCK * sum(length for _, length in runs)
        found.add(
            PrefixRequest(
                at=minute * MINUTE, input_tokens=tokens, output_tokens=1, block_tokens=BLOCK, runs=runs, model=model
            )
        )
    return found.finish()


def repeat(ever: str, five_minutes: str, hour: str) -> PrefixRepeat:
    return PrefixRepeat(Decimal(ever), {"5m": Decimal(five_minutes), "1h": Decimal(hour)})


def test_the_example_of_the_docstring() -> None:
    """1,000 tokens three times; 800 of them again after a minute, and again two hours later."""
    prompts = trace((0, ((1, 10),)), (1, ((1, 8), (50, 2))), (122, ((1, 8), (70, 2))))

    assert {"": repeat("0.5333", "0.2667", "0.2667")} == prefix_repeats([prompts])


def test_a_shorter_beginning_may_be_the_fresher_one() -> None:
    """The third prompt holds 300 tokens of the first, 40 minutes old, and 100 of the second, which held them too."""
    prompts = trace((0, ((1, 4),)), (39, ((1, 1), (90, 3))), (40, ((1, 3), (95, 1))))

    assert {"": repeat("0.3333", "0.0833", "0.3333")} == prefix_repeats([prompts])


def test_a_repeat_is_of_one_model_and_one_trace() -> None:
    one, two = trace((0, ((1, 4),)), model="a"), trace((1, ((1, 4),)), model="a")

    assert {"a": repeat("0.0000", "0.0000", "0.0000")} == prefix_repeats([one, two])


def test_a_trace_without_input_says_nothing() -> None:
    assert {} == prefix_repeats([trace((0, ()))])
