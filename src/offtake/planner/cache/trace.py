"""A trace ready for replay: each request with the node of the tree where its prompt ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from offtake.planner.cache.prefix_tree import PrefixTree
from offtake.usage.prefixes.request import PrefixRequest
from offtake.values.errors import InputError

STATIC_FAN_OUT = 20
"""A prefix with so many different continuations is a static one: instructions, tools, a document that all ask about."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `end` is the node of its last whole block, `tail` that of its last block, whole or not.

    `stream` numbers the agent that it belongs to (-1: the trace has none), `taken_over` the tokens that it shares with
    that agent's request before it. `model` indexes the trace's models.
    """

    at: int
    end: int
    tail: int
    input_tokens: int
    output_tokens: int
    block_tokens: int
    model: int
    workload: str
    session: str
    stream: int
    taken_over: int


@dataclass(slots=True)
class Trace:
    """Requests in time order; those of one session stay together where each session has its own clock."""

    clock: str
    tree: PrefixTree = field(default_factory=PrefixTree)
    requests: list[Request] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    _streams: dict[tuple[str, str], int] = field(default_factory=dict)
    _last: dict[int, tuple[int, int]] = field(default_factory=dict)  # stream -> (end, at)

    def add(self, request: PrefixRequest, model: str = "") -> None:
        """Place one request; `model` stands for its own. InputError where it takes over more than there was."""
        stream = -1
        node = self.tree.root((request.session, request.agent, request.block_tokens))
        if request.session or request.agent:
            stream = self._streams.setdefault((request.session, request.agent), len(self._streams))
            node = self._continued(stream, node, request)
        whole = request.input_tokens // request.block_tokens
        above = self.tree.depth[node]
        blocks = above + sum(length for _, length in request.runs)
        tail = self.tree.extend(node, request.runs)
        end = self.tree.cut(tail, whole) if blocks > whole else tail
        if stream >= 0:
            self._last[stream] = end, request.at
        self.requests.append(
            Request(
                request.at, end, tail, request.input_tokens, request.output_tokens, request.block_tokens,
                self._model(model or request.model), request.workload, request.session, stream,
                request.taken_over * request.block_tokens,
            )
        )  # fmt: skip

    def finish(self) -> Trace:
        """The trace in the order of its clock."""
        if self.clock != "session":
            self.requests.sort(key=lambda request: request.at)
        return self

    def late(self, *, by_workload: bool = False) -> list[bool]:
        """Which requests are in the second half: of the time, or of the sessions where each has its own clock.

        The half of all traffic, or of the request's own workload and model.
        """
        groups: dict[tuple[str, int], list[int]] = {}
        for index, request in enumerate(self.requests):
            key = (request.workload, request.model) if by_workload else ("", 0)
            groups.setdefault(key, []).append(index)
        found = [False] * len(self.requests)
        for inside in groups.values():
            for index, is_late in zip(inside, self._second_half([self.requests[each] for each in inside]), strict=True):
                found[index] = is_late
        return found

    def _second_half(self, requests: Sequence[Request]) -> list[bool]:
        if self.clock == "session":
            order: dict[str, int] = {}
            for request in requests:
                order.setdefault(request.session, len(order))
            return [2 * order[request.session] >= len(order) for request in requests]
        both = requests[0].at + requests[-1].at
        return [2 * request.at >= both for request in requests]

    def static(self) -> list[bool]:
        """Which nodes end a static prefix."""
        return [count >= STATIC_FAN_OUT for count in self.tree.fan_out()]

    def _continued(self, stream: int, root: int, request: PrefixRequest) -> int:
        end, at = self._last.get(stream, (root, request.at))
        if request.taken_over > self.tree.depth[end]:
            raise InputError(
                "P610",
                f"takes over {request.taken_over:,} blocks, its agent's last request had {self.tree.depth[end]:,}",
                where=request.where, why="a request of this agent before it is missing or could not be read",
            )  # fmt: skip
        if request.at < at:
            raise InputError("P611", "comes before the same agent's request above it", where=request.where)
        return self.tree.cut(end, request.taken_over) if request.taken_over else root

    def _model(self, name: str) -> int:
        if name not in self.models:
            self.models.append(name)
        return self.models.index(name)


@dataclass(frozen=True, slots=True)
class Turns:
    """`turn[i]` of each request, from 1; `after[i]` is the first request that continues it, `wait[i]` microseconds
    later (None: nobody does).
    """

    turn: Sequence[int]
    after: Sequence[int | None]
    wait: Sequence[int | None]


def turns(trace: Trace, minimums: Sequence[int]) -> Turns:
    """Who continues whom: the longest earlier prompt that a prompt begins with, if a cache could hold that much.

    A static prefix does not count: what everybody begins with continues nobody. `minimums` are in tokens, by model.
    """
    depth, static = trace.tree.depth, trace.static()
    latest: dict[int, int] = {}  # node -> the latest request that ended there
    turn: list[int] = []
    after: list[int | None] = []
    wait: list[int | None] = []
    for index, request in enumerate(trace.requests):
        before = None
        for node in trace.tree.path(request.end):
            if depth[node] * request.block_tokens < minimums[request.model]:
                break
            if node in latest and not static[node]:
                before = latest[node]
                break
        turn.append(1 if before is None else turn[before] + 1)
        wait.append(None)
        after.append(None)
        if before is not None and after[before] is None:
            after[before], wait[before] = index, request.at - trace.requests[before].at
        latest[request.end] = index
    return Turns(turn, after, wait)
