"""Replay of agents from one number a request: how much of its agent's previous prompt the next prompt takes over.

The plainest reading of a session file, and a check on the tree: what a prompt may read is what is left of its agent's
last prompt. So entries on a branch that the agent left are gone when it comes back, and another model reads what the
one before it wrote. It differs from the tree where an agent goes back to a branch (fewer reads) or changes its model
(more reads); together they show how much that matters.
"""

from __future__ import annotations

from collections.abc import Sequence

from offtake.planner.cache.replay import Outcome
from offtake.planner.cache.trace import Trace


def end_of_chain(trace: Trace, ttl: int, minimums: Sequence[int]) -> Outcome:
    """A breakpoint at the end of every prompt, as `replay.end`, of a trace with agents. TTL in microseconds."""
    outcome = Outcome.of(len(trace.requests))
    chains: dict[int, list[tuple[int, int]]] = {}  # stream -> (tokens of an entry, kept until), the longest last
    for index, request in enumerate(trace.requests):
        minimum = minimums[request.model]
        entries = [each for each in chains.get(request.stream, ()) if each[0] <= request.taken_over]
        read = max((tokens for tokens, until in entries if until >= request.at), default=0)
        if read >= minimum and read > 0:
            outcome.read[index] = read
            entries = [(tokens, request.at + ttl if tokens == read else until) for tokens, until in entries]
        if request.input_tokens >= minimum:
            outcome.written[index] = request.input_tokens - outcome.read[index]
            whole = trace.tree.depth[request.end] * request.block_tokens
            entries = [each for each in entries if each[0] != whole]
            entries.append((whole, request.at + ttl))
        chains[request.stream] = [each for each in entries if each[1] >= request.at]
    return outcome
