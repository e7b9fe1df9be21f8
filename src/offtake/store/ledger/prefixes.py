"""The prompts of recorded requests as block ids, for replaying a cache: of workloads that opted in to caching.

A settlement names its blocks by the bytes that they have; a replay counts tokens. What a block has is its share of the
tokens that the vendor counted, and the first request that has a block decides, so that equal prefixes stay equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from offtake.store.ledger.history import events
from offtake.store.ledger.ledger import Ledger
from offtake.usage.prefixes.request import PrefixRequest, joined

BLOCK_TOKENS = 64


def prefix_requests(ledger: Ledger) -> Iterator[PrefixRequest]:
    """The requests with prefixes whose usage is known, by the instant at which they were sent."""
    ends: dict[str, int] = {}
    numbers: dict[tuple[str, int], int] = {}
    settled = [
        event for event in events(ledger, "settle")
        if event.get("prefixes") and event.get("usage_known", True) and event.get("context_tokens")
    ]  # fmt: skip
    for event in sorted(settled, key=lambda each: int(each["used_at"])):
        yield _request(event, ends, numbers)


def _request(event: Mapping[str, Any], ends: dict[str, int], numbers: dict[tuple[str, int], int]) -> PrefixRequest:
    """`ends`: where each prefix ends, in tokens. `numbers`: the block ids given so far."""
    tokens, blocks = int(event["context_tokens"]), event["prefixes"]
    total = sum(length for _, length in blocks)
    ids: list[int] = []
    passed = 0
    for name, length in blocks:
        passed += length
        if not name:
            break
        end = min(ends.setdefault(name, tokens * passed // total), tokens) // BLOCK_TOKENS
        ids += [numbers.setdefault((name, number), len(numbers)) for number in range(len(ids), end)]
    return PrefixRequest(
        at=int(event["used_at"]), input_tokens=tokens, output_tokens=int(event["quantities"].get("output_tokens", 0)),
        block_tokens=BLOCK_TOKENS, runs=joined((each, 1) for each in ids), model=str(event["model"]),
        workload=str(event.get("workload", "")),
    )  # fmt: skip
