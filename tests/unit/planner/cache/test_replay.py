"""Replay on prompts that can be counted by hand: blocks of 1,000 tokens, reads at 0.1, writes at 1.25 and 2."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from offtake.planner.cache import replay
from offtake.planner.cache.bounds import clairvoyant
from offtake.planner.cache.chain import end_of_chain
from offtake.planner.cache.rules import microseconds, of_text
from offtake.planner.cache.tally import Halves, ratio, tally
from offtake.planner.cache.trace import STATIC_FAN_OUT, Trace, turns
from offtake.usage.prefixes.request import PrefixRequest, joined
from offtake.values.errors import InputError

BLOCK = 1000
FIVE, HOUR = microseconds("5m"), microseconds("1h")
MINUTE = 60_000_000
MINIMUMS = [1000, 1000]


def trace(*prompts: tuple[int, Sequence[int]], extra: int = 0) -> Trace:
    """Prompts as (minute, blocks) in one cache; `extra` tokens after the last block."""
    found = Trace("trace")
    for minute, blocks in prompts:
        found.add(
            PrefixRequest(
                at=minute * MINUTE, input_tokens=len(blocks) * BLOCK + extra, output_tokens=1, block_tokens=BLOCK,
                runs=joined((each, 1) for each in blocks),
            )
        )  # fmt: skip
    return found.finish()


def agent(*prompts: tuple[int, int, tuple[int, int], str]) -> Trace:
    """One agent's prompts as (minute, blocks taken over, run of new blocks, model)."""
    found = Trace("session")
    for minute, taken_over, new, model in prompts:
        found.add(
            PrefixRequest(
                at=minute * MINUTE, input_tokens=(taken_over + new[1]) * BLOCK, output_tokens=1, block_tokens=BLOCK,
                runs=joined([new] if new[1] else []), taken_over=taken_over, session="s", agent="a", model=model,
            )
        )  # fmt: skip
    return found.finish()


def test_a_prompt_reads_what_an_earlier_prompt_ended_with() -> None:
    found = replay.end(trace((0, [1, 2]), (1, [1, 2, 3]), (2, [1, 9])), FIVE, MINIMUMS)

    # The third begins with block 1 as well, but no prompt ended there.
    assert [0, 2000, 0] == found.read
    assert [2000, 1000, 2000] == found.written


def test_a_part_of_a_block_is_written_and_never_read() -> None:
    found = replay.end(trace((0, [1, 2]), (1, [1, 2]), extra=300), FIVE, MINIMUMS)

    assert ([0, 2000], [2300, 300]) == (found.read, found.written)


def test_a_read_starts_the_time_to_live_anew() -> None:
    kept = replay.end(trace((0, [1]), (4, [1, 2]), (8, [1, 3])), FIVE, MINIMUMS)
    lost = replay.end(trace((0, [1]), (8, [1, 3])), FIVE, MINIMUMS)
    edge = replay.end(trace((0, [1]), (5, [1, 3])), FIVE, MINIMUMS)

    assert ([0, 1000, 1000], [0, 0], [0, 1000]) == (kept.read, lost.read, edge.read)


def test_below_the_minimum_nothing_is_written_or_read() -> None:
    found = replay.end(trace((0, [1]), (1, [1, 2]), (2, [1, 2, 3])), FIVE, [2000])

    assert ([0, 0, 2000], [0, 2000, 1000]) == (found.read, found.written)


def test_from_the_second_turn_on_only_continued_prompts_are_written() -> None:
    made = trace((0, [1, 2]), (1, [1, 2, 3]), (2, [1, 2, 3, 4]), (3, [7, 8]))
    found_turns = turns(made, MINIMUMS)
    found = replay.end(made, FIVE, MINIMUMS, found_turns.turn, 2)

    assert [1, 2, 3, 1] == list(found_turns.turn)
    assert ([0, 0, 3000, 0], [0, 3000, 1000, 0]) == (found.read, found.written)
    assert [MINUTE, MINUTE, None, None] == list(found_turns.wait)


def test_static_breakpoints_stand_where_many_prompts_part() -> None:
    prompts = [(minute, [1, 2, 100 + minute]) for minute in range(STATIC_FAN_OUT)]
    found = replay.static(trace(*prompts), FIVE, MINIMUMS)
    few = replay.static(trace(*prompts[1:]), FIVE, MINIMUMS)

    assert [0] + [2000] * (STATIC_FAN_OUT - 1) == found.read
    assert [2000] + [0] * (STATIC_FAN_OUT - 1) == found.written
    assert not any(few.written)


def test_a_static_prefix_continues_nobody() -> None:
    prompts = [(0, [1, 2]), *((minute, [1, 2, 100 + minute]) for minute in range(1, STATIC_FAN_OUT + 1))]

    assert {1} == set(turns(trace(*prompts), MINIMUMS).turn)


def test_an_automatic_cache_keeps_every_block_and_charges_no_write() -> None:
    made = trace((0, [1, 2, 3]), (1, [1, 9]), (2, [1, 2, 8]))
    found = replay.automatic(made, FIVE, MINIMUMS)
    billed = replay.automatic(made, FIVE, MINIMUMS, premium=True)

    assert ([0, 1000, 2000], [0, 0, 0]) == (found.read, found.written)
    assert [3000, 1000, 1000] == billed.written


def test_pings_keep_a_prompt_until_it_is_continued_or_given_up() -> None:
    made = trace((0, [1]), (12, [1, 2]), (100, [9]))
    found = replay.keep_alive(made, FIVE, MINIMUMS, 3)
    fewer = replay.keep_alive(made, FIVE, MINIMUMS, 1)

    # A gap of 12 minutes takes two pings; the second prompt is never continued and gets all three.
    assert [0, 1000, 0] == found.read
    assert [2 * 1000, 3 * 2000, 0] == found.pinged
    assert ([0, 0, 0], [1000, 2000, 0]) == (fewer.read, fewer.pinged)


def test_an_agent_reads_a_branch_that_it_had_left_unless_the_chain_forgets_it() -> None:
    #                    writes 1–4           back to 1–2, then 10      again 3–4 after 1–2
    made = agent((0, 0, (1, 4), "m"), (1, 2, (10, 1), "m"), (2, 2, (3, 2), "m"))

    assert [0, 0, 4000] == replay.end(made, FIVE, MINIMUMS).read
    assert [0, 0, 0] == end_of_chain(made, FIVE, MINIMUMS).read


def test_a_cache_belongs_to_one_model() -> None:
    made = agent((0, 0, (1, 2), "m"), (1, 2, (3, 1), "other"))

    assert [0, 0] == replay.end(made, FIVE, MINIMUMS).read
    assert [0, 2000] == end_of_chain(made, FIVE, MINIMUMS).read


def test_who_takes_over_more_than_there_was_is_refused() -> None:
    with pytest.raises(InputError) as error:
        agent((0, 3, (1, 1), "m"))

    assert "P610" == error.value.code


def test_an_agent_that_goes_back_in_time_is_refused() -> None:
    with pytest.raises(InputError) as error:
        agent((5, 0, (1, 1), "m"), (4, 1, (2, 1), "m"))

    assert "P611" == error.value.code


def test_the_ratio_by_hand() -> None:
    made = trace((0, [1, 2]), (1, [1, 2, 3]))
    rules = [of_text("anthropic:min=1000")]
    cells = tally(made, replay.end(made, FIVE, [1000]), Halves.of(made), rules)

    # 5 blocks in: 2 and 1 written at 1.25, 2 read at 0.1, so (3.75 + 0.2) / 5.
    assert Decimal("0.790000") == ratio(cells, rules, "5m")


def test_the_bound_writes_only_what_comes_again() -> None:
    made = trace((0, [1, 2]), (1, [1, 3]))
    rules = [of_text("anthropic:min=1000")]

    # Block 1 is written and read, the others stay plain: (1.25 + 0.1 + 1 + 1) / 4; for an hour 2.1 is more than 2.
    assert Decimal("0.837500") == clairvoyant(made, rules, ["5m"])
    assert Decimal("1.000000") == clairvoyant(made, rules, ["1h"])
