"""The tree against the plainest replay there is: lists of blocks, compared block by block."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offtake.planner.cache import replay
from offtake.planner.cache.bounds import clairvoyant
from offtake.planner.cache.rules import microseconds, of_text
from offtake.planner.cache.tally import Halves, ratio, tally, whole
from offtake.planner.cache.trace import Trace, turns
from offtake.usage.prefixes.request import PrefixRequest, joined

FIVE, HOUR = microseconds("5m"), microseconds("1h")
BLOCK, MINIMUM = 10, 15
RULES = [of_text("anthropic:min=15")]

Prompt = tuple[int, tuple[int, ...], int]
"""(seconds, blocks, tokens after the last block)"""
PROMPTS = st.lists(
    st.tuples(
        st.integers(0, 1000),
        st.lists(st.integers(0, 2), max_size=6).map(tuple),
        st.integers(0, BLOCK - 1),
    ),
    min_size=1,
    max_size=25,
)


def chained(blocks: tuple[int, ...]) -> list[int]:
    """Ids that name a prefix: its blocks as the digits of a number."""
    ids, value = [], 1
    for block in blocks:
        value = value * 3 + block
        ids.append(value)
    return ids


def placed(prompts: list[Prompt], *, plain_ids: bool = False) -> Trace:
    trace = Trace("trace")
    for seconds, blocks, extra in prompts:
        ids = list(blocks) if plain_ids else chained(blocks)
        trace.add(
            PrefixRequest(
                at=seconds * 1_000_000, input_tokens=len(blocks) * BLOCK + extra, output_tokens=0, block_tokens=BLOCK,
                runs=joined((each, 1) for each in ids),
            )
        )  # fmt: skip
    return trace.finish()


def plainest(prompts: list[Prompt], ttl: int) -> tuple[list[int], list[int]]:
    """What is read and written with a breakpoint at every prompt's end, from lists alone."""
    entries: dict[tuple[int, ...], int] = {}
    reads, writes = [], []
    for seconds, blocks, extra in sorted(prompts, key=lambda prompt: prompt[0]):
        at, tokens = seconds * 1_000_000, len(blocks) * BLOCK + extra
        live = [k for k in range(1, len(blocks) + 1) if entries.get(blocks[:k], -1) >= at]
        read = live[-1] * BLOCK if live and live[-1] * BLOCK >= MINIMUM else 0
        if read:
            entries[blocks[: live[-1]]] = at + ttl
        writes.append(tokens - read if tokens >= MINIMUM else 0)
        if tokens >= MINIMUM and blocks:
            entries[blocks] = at + ttl
        reads.append(read)
    return reads, writes


@given(PROMPTS)
def test_the_tree_reads_and_writes_what_lists_of_blocks_do(prompts: list[Prompt]) -> None:
    for plain_ids in (False, True):
        found = replay.end(placed(prompts, plain_ids=plain_ids), FIVE, [MINIMUM])

        assert plainest(prompts, FIVE) == (found.read, found.written)


@given(PROMPTS)
def test_no_policy_without_pings_beats_the_bound_and_tokens_sum_to_the_input(prompts: list[Prompt]) -> None:
    trace = placed(prompts)
    found_turns, halves = turns(trace, [MINIMUM]), Halves.of(trace)
    bound = clairvoyant(trace, RULES, ("5m", "1h"))
    for ttl in ("5m", "1h"):
        life = microseconds(ttl)
        outcomes = [
            replay.end(trace, life, [MINIMUM]),
            replay.end(trace, life, [MINIMUM], found_turns.turn, 2),
            replay.static(trace, life, [MINIMUM]),
        ]
        for outcome in outcomes:
            cells = tally(trace, outcome, halves, RULES)
            total, found = whole(cells.values()), ratio(cells, RULES, ttl)
            assert total.read + total.written + total.plain == total.input
            assert min(total.read, total.written, total.plain) >= 0
            assert found is None or (bound is not None and bound <= found)


@given(PROMPTS)
def test_a_longer_life_never_reads_less(prompts: list[Prompt]) -> None:
    trace = placed(prompts)
    for policy in (replay.end, replay.automatic):
        short, longer, for_ever = (sum(policy(trace, ttl, [0]).read) for ttl in (FIVE, HOUR, None))

        assert short <= longer <= for_ever


@given(PROMPTS)
def test_an_automatic_cache_reads_at_least_what_breakpoints_do(prompts: list[Prompt]) -> None:
    trace = placed(prompts)
    automatic, end = replay.automatic(trace, FIVE, [MINIMUM]), replay.end(trace, FIVE, [MINIMUM])

    assert all(one >= other for one, other in zip(automatic.read, end.read, strict=True))
