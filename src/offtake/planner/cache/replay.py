"""Replay: what each request would have read from the cache, and written to it, under a policy.

    end         a breakpoint at the end of every prompt, or of those from some turn on
    static      breakpoints only where static prefixes end
    keep_alive  as end, and a ping before the entry of a prompt that nobody has continued yet would expire
    automatic   the vendor keeps every block that it saw: no breakpoints

Rules of all: an entry lives for the TTL after it was last read or written; a hit is the longest live entry that the
prompt begins with, in whole blocks, and none below the model's minimum; a cache belongs to one model. A prompt that is
written is written to its last token. TTLs and instants are in microseconds; a TTL of None never ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offtake.planner.cache.trace import Request, Trace

FOR_EVER = 10**30


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tokens by request: read from the cache, written to it, and read by pings. The rest of the input is plain."""

    read: list[int]
    written: list[int]
    pinged: list[int]

    @classmethod
    def of(cls, size: int) -> Outcome:
        """Nothing read, nothing written."""
        return cls([0] * size, [0] * size, [0] * size)


def end(
    trace: Trace, ttl: int | None, minimums: Sequence[int], turn: Sequence[int] = (), from_turn: int = 1
) -> Outcome:
    """A breakpoint at the end of every prompt from `from_turn` on (`turn` by request; not asked for at 1)."""
    outcome, expiry = Outcome.of(len(trace.requests)), _Entries(trace)
    life = FOR_EVER if ttl is None else ttl
    for index, request in enumerate(trace.requests):
        minimum = minimums[request.model]
        hit = expiry.longest(request, minimum)
        if hit is not None:
            expiry.keep(hit, request, life)
            outcome.read[index] = read = trace.tree.depth[hit] * request.block_tokens
        else:
            read = 0
        if request.input_tokens >= minimum and (from_turn <= 1 or turn[index] >= from_turn):
            outcome.written[index] = request.input_tokens - read
            expiry.keep(request.end, request, life)
    return outcome


def static(trace: Trace, ttl: int | None, minimums: Sequence[int]) -> Outcome:
    """Breakpoints only where a static prefix ends: the longest one of each prompt."""
    outcome, expiry, is_static = Outcome.of(len(trace.requests)), _Entries(trace), trace.static()
    life = FOR_EVER if ttl is None else ttl
    for index, request in enumerate(trace.requests):
        breakpoint_at = next((node for node in trace.tree.path(request.end) if is_static[node]), None)
        hit = expiry.longest(request, minimums[request.model])
        if hit is not None:
            expiry.keep(hit, request, life)
            outcome.read[index] = trace.tree.depth[hit] * request.block_tokens
        if breakpoint_at is not None:
            tokens = trace.tree.depth[breakpoint_at] * request.block_tokens
            if tokens >= minimums[request.model] and tokens > outcome.read[index]:
                outcome.written[index] = tokens - outcome.read[index]
                expiry.keep(breakpoint_at, request, life)
    return outcome


def automatic(trace: Trace, ttl: int | None, minimums: Sequence[int], premium: bool = False) -> Outcome:
    """Every block that was seen within the TTL is read; with `premium` what is not read is billed as written."""
    outcome = Outcome.of(len(trace.requests))
    life = FOR_EVER if ttl is None else ttl
    seen: dict[int, int] = {}
    models, depth = len(trace.models), trace.tree.depth
    for index, request in enumerate(trace.requests):
        hit = None
        for node in trace.tree.path(request.tail):
            key = node * models + request.model
            if hit is None and key in seen and request.at - seen[key] <= life:
                hit = node
            seen[key] = request.at
        if hit is not None:
            tokens = min(depth[hit] * request.block_tokens, request.input_tokens)
            outcome.read[index] = tokens if tokens >= minimums[request.model] else 0
        if premium and request.input_tokens >= minimums[request.model]:
            outcome.written[index] = request.input_tokens - outcome.read[index]
    return outcome


def keep_alive(trace: Trace, ttl: int, minimums: Sequence[int], pings: int) -> Outcome:
    """As `end`; a prompt that nobody has continued is read once in each TTL to keep it, `pings` times at most.

    A ping is a read of the whole entry, one token of output left out. It is counted on the request that wrote the
    entry; a prompt at the end of the trace is pinged until the trace ends.
    """
    outcome, expiry = Outcome.of(len(trace.requests)), _Entries(trace)
    waiting: dict[int, int] = {}  # entry -> the request whose pings keep it
    models = len(trace.models)

    def pinged(index: int, until: int) -> None:
        request = trace.requests[index]
        sent = min(pings, max(0, -((request.at - until) // ttl) - 1))
        outcome.pinged[index] = sent * trace.tree.depth[request.end] * request.block_tokens

    last_of = _ends(trace)
    for index, request in enumerate(trace.requests):
        hit = expiry.longest(request, minimums[request.model])
        if hit is not None:
            outcome.read[index] = trace.tree.depth[hit] * request.block_tokens
            expiry.keep(hit, request, ttl)
            before = waiting.pop(hit * models + request.model, None)
            if before is not None:
                pinged(before, request.at)
        if request.input_tokens >= minimums[request.model]:
            outcome.written[index] = request.input_tokens - outcome.read[index]
            key = request.end * models + request.model
            if key in waiting:
                pinged(waiting[key], request.at)
            expiry.keep(request.end, request, (pings + 1) * ttl)
            waiting[key] = index
    for index in waiting.values():
        pinged(index, last_of[index])
    return outcome


def _ends(trace: Trace) -> list[int]:
    """When the clock of each request ends: that of its session, or of the whole trace."""
    last: dict[str, int] = {}
    for request in trace.requests:
        session = request.session if trace.clock == "session" else ""
        last[session] = max(last.get(session, request.at), request.at)
    return [last[request.session if trace.clock == "session" else ""] for request in trace.requests]


class _Entries:
    """Live entries: until when each prefix of each model is kept."""

    def __init__(self, trace: Trace) -> None:
        self._tree, self._models = trace.tree, len(trace.models)
        self._until: dict[int, int] = {}

    def longest(self, request: Request, minimum: int) -> int | None:
        """The node of the longest live entry that the prompt begins with; None where it is below the minimum."""
        parent, until, models, node = self._tree.parent, self._until, self._models, request.end
        while node >= 0:
            key = node * models + request.model
            if key in until and until[key] >= request.at:
                return node if self._tree.depth[node] * request.block_tokens >= minimum else None
            node = parent[node]
        return None

    def keep(self, node: int, request: Request, life: int) -> None:
        """Written or read now."""
        if self._tree.parent[node] >= 0:
            self._until[node * self._models + request.model] = request.at + life
