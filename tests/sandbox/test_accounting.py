"""Tokens and caches: what holds for every text and every row of prompts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from offtake.sandbox.prompt import Block, Prompt
from offtake.sandbox.prompt_cache import PromptCache
from offtake.sandbox.tokens import text_of, tokens_of

MINIMUM = 64
BLOCKS = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["", "", "5m", "1h"])), min_size=1, max_size=8)
REQUESTS = st.lists(st.tuples(st.integers(0, 400), BLOCKS), min_size=1, max_size=8)


def prompt_of(blocks: list[tuple[int, str]]) -> Prompt:
    """Blocks of 1 to 121 tokens; one number always makes the same block."""
    return Prompt([Block(str(kind).encode(), 1 + kind * 40, keep) for kind, keep in blocks])


@given(tokens=st.integers(0, 9_000), seed=st.integers(0, 2**32))
def test_a_made_text_has_as_many_tokens_as_asked(tokens: int, seed: int) -> None:
    assert tokens == tokens_of(text_of(tokens, seed))
    assert text_of(tokens + 9, seed).startswith(text_of(tokens, seed))


@given(st.text())
def test_a_text_has_at_most_as_many_tokens_as_bytes(text: str) -> None:
    assert -(-len(text.encode()) // 4) == tokens_of(text) == tokens_of(text.encode()) <= len(text.encode())


@given(REQUESTS)
def test_every_token_is_in_one_class_and_only_what_was_kept_is_read(
    requests: list[tuple[int, list[tuple[int, str]]]],
) -> None:
    cache, now = PromptCache(), 0
    kept: dict[tuple[int, ...], tuple[int, int]] = {}  # prefix of kinds → (until, for how long): a plainer count
    for pause, blocks in requests:
        now += pause
        prompt = prompt_of(blocks)

        usage = cache.use_marks("m", prompt, MINIMUM, reach=20, now=now)

        kinds = [kind for kind, _ in blocks]
        ends = [sum(1 + kind * 40 for kind in kinds[: index + 1]) for index in range(len(kinds))]
        marks = [index for index, (_, keep) in enumerate(blocks) if keep and ends[index] >= MINIMUM]
        last = max((index for index, (_, keep) in enumerate(blocks) if keep), default=-1)
        hits = [i for i in range(last + 1) if ends[i] >= MINIMUM and kept.get((*kinds[: i + 1],), (0, 0))[0] > now]
        expected = ends[max(hits)] if hits else 0
        assert expected == usage.read
        assert prompt.tokens == usage.input
        assert min(usage.fresh, usage.written_short, usage.written_long) >= 0
        assert max([expected, *(ends[mark] for mark in marks)]) == prompt.tokens - usage.fresh
        if hits:
            prefix = (*kinds[: max(hits) + 1],)
            kept[prefix] = (now + kept[prefix][1], kept[prefix][1])
        for mark in marks:
            prefix = (*kinds[: mark + 1],)
            if ends[mark] >= expected:
                seconds = {"5m": 300, "1h": 3600}[blocks[mark][1]]
                if kept.get(prefix, (0, 0))[0] > now:
                    seconds = max(seconds, kept[prefix][1])
                kept[prefix] = (now + seconds, seconds)


@given(st.lists(st.integers(1, 2_000), min_size=1, max_size=6), st.integers(0, 400))
def test_blocks_are_read_whole_and_never_the_last_token(sizes: list[int], pause: int) -> None:
    cache = PromptCache()
    prompt = Prompt([Block(b"x", size) for size in sizes])

    first = cache.use_blocks("m", prompt, 1024, 300, now=0)
    second = cache.use_blocks("m", prompt, 1024, 300, now=pause)

    assert (prompt.tokens, 0) == (first.fresh, first.read)
    whole = (prompt.tokens - 1) // 128 * 128
    assert second.read == (whole if whole >= 1024 and pause < 300 else 0)
    assert prompt.tokens == second.input
