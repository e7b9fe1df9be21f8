"""The vendors' prompt caches. Pure: `now` (seconds) is an argument.

Two kinds, by the rules that the vendors publish (read November 2026):

`use_marks`, Anthropic and OpenAI from gpt-5.6 on: a prefix is kept where it is marked. A request reads the longest
kept prefix that ends within reach of one of its marks, and writes what lies between that and its marks, each for the
time its mark says. A prefix below the model's minimum is neither read nor written. A read starts its time anew.

`use_blocks`, OpenAI's earlier models: every prefix of whole blocks of 128 tokens is kept, from the minimum on, and
costs nothing to write.
"""

from __future__ import annotations

import hashlib

from offtake.sandbox.prompt import Prompt
from offtake.sandbox.tokens import TOKEN_BYTES
from offtake.sandbox.usage import Usage

KEPT_SECONDS = {"5m": 300, "30m": 1800, "1h": 3600, "12h": 43_200, "24h": 86_400}
LONG = ("1h", "12h")
BLOCK_TOKENS = 128
ENTRIES_MAX = 200_000


class PromptCache:
    """Kept prefixes by hash: until when, and for how long a read keeps them."""

    def __init__(self) -> None:
        self._kept: dict[bytes, tuple[float, int]] = {}

    def use_marks(self, scope: str, prompt: Prompt, minimum: int, reach: int, now: float) -> Usage:
        """The input of this prompt by class. `reach`: so many blocks before a mark a kept prefix is still found."""
        blocks = prompt.blocks
        marks = [index for index, block in enumerate(blocks) if block.keep]
        if not marks or prompt.tokens < minimum:
            return Usage(fresh=prompt.tokens)
        hashes, ends = _prefixes(scope, prompt, marks[-1])
        hit = self._longest(hashes, ends, marks, minimum, reach, now)
        usage = Usage(read=ends[hit] if hit >= 0 else 0)
        reached = usage.read
        if hit >= 0:
            self._refresh(hashes[hit], now)
        for mark in marks:
            if ends[mark] < minimum or ends[mark] < reached:
                continue
            keep = blocks[mark].keep
            if keep in LONG:
                usage.written_long += ends[mark] - reached
            else:
                usage.written_short += ends[mark] - reached
            reached = ends[mark]
            self._keep(hashes[mark], KEPT_SECONDS[keep], now)
        usage.fresh = prompt.tokens - reached
        return usage

    def use_blocks(self, scope: str, prompt: Prompt, minimum: int, seconds: int, now: float) -> Usage:
        """The input of this prompt by class, where caching is the vendor's own affair."""
        total = prompt.tokens
        if total < minimum:
            return Usage(fresh=total)
        stream = b"".join(block.content.ljust(block.tokens * TOKEN_BYTES, b"\0") for block in prompt.blocks)
        size = BLOCK_TOKENS * TOKEN_BYTES
        running = hashlib.blake2b(scope.encode(), digest_size=16)
        read, matching = 0, True
        for number in range(1, (total - 1) // BLOCK_TOKENS + 1):
            running.update(stream[(number - 1) * size : number * size])
            tokens = number * BLOCK_TOKENS
            if tokens < minimum:
                continue
            key = running.digest()
            if matching and self._live(key, now):
                read = tokens
                self._refresh(key, now)
            else:
                matching = False
                self._keep(key, seconds, now)
        return Usage(fresh=total - read, read=read)

    def _longest(
        self, hashes: list[bytes], ends: list[int], marks: list[int], minimum: int, reach: int, now: float
    ) -> int:
        for mark in reversed(marks):
            for index in range(mark, max(-1, mark - reach - 1), -1):
                if ends[index] < minimum:
                    break
                if self._live(hashes[index], now):
                    return index
        return -1

    def _live(self, key: bytes, now: float) -> bool:
        kept = self._kept.get(key)
        return kept is not None and kept[0] > now

    def _refresh(self, key: bytes, now: float) -> None:
        seconds = self._kept[key][1]
        self._kept[key] = (now + seconds, seconds)

    def _keep(self, key: bytes, seconds: int, now: float) -> None:
        kept = self._kept.get(key)
        if kept is not None and kept[0] > now:
            seconds = max(seconds, kept[1])
        self._kept[key] = (now + seconds, seconds)
        if len(self._kept) > ENTRIES_MAX:
            self._kept = {key: each for key, each in self._kept.items() if each[0] > now}
            if len(self._kept) > ENTRIES_MAX:  # all alive: the oldest half goes, as a full cache would do
                self._kept = dict(list(self._kept.items())[ENTRIES_MAX // 2 :])


def _prefixes(scope: str, prompt: Prompt, last: int) -> tuple[list[bytes], list[int]]:
    """The hash of each prefix that ends with a block, and its tokens."""
    running = hashlib.blake2b(scope.encode(), digest_size=16)
    hashes, ends, tokens = [], [], 0
    for block in prompt.blocks[: last + 1]:
        running.update(len(block.content).to_bytes(8, "big"))
        running.update(block.content)
        tokens += block.tokens
        hashes.append(running.digest())
        ends.append(tokens)
    return hashes, ends
