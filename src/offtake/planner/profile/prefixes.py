"""How much of the input repeats the beginning of an earlier prompt: what a cache could serve at most, before any rule.

Only traces with prefix ids say it. Minimum lengths, breakpoints and prices are left to `offtake cache`; here it is the
shape of the traffic: of all input tokens, those in whole blocks that an earlier prompt to the same model began with.

    three prompts of 1,000 tokens, the second and third begin with 800 tokens of the first, a minute and two hours later
    ever 1,600 / 3,000 = 53.3%    within an hour 800 / 3,000 = 26.7%
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from offtake.planner.cache.trace import Trace
from offtake.values.money import divide, quantize

MINUTE = 60 * 1_000_000
WITHIN = {"5m": 5 * MINUTE, "1h": 60 * MINUTE}
"""How long ago the same beginning may have been used last, in microseconds."""


@dataclass(frozen=True, slots=True)
class PrefixRepeat:
    """Shares of the input tokens: repeated at all, and within each time to live of the beginning's last use."""

    ever: Decimal
    within: Mapping[str, Decimal]


@dataclass(slots=True)
class _Tokens:
    all: int = 0
    ever: int = 0
    within: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WITHIN, 0))


def prefix_repeats(traces: Iterable[Trace]) -> dict[str, PrefixRepeat]:
    """By model as the traces name it ("" where they name none), over all of the traces; each has a cache of its own."""
    sums: dict[str, _Tokens] = {}
    for trace in traces:
        _add(trace, sums)
    return {
        model: PrefixRepeat(
            _share(tokens.ever, tokens.all), {ttl: _share(count, tokens.all) for ttl, count in tokens.within.items()}
        )
        for model, tokens in sums.items()
        if tokens.all
    }


def _add(trace: Trace, sums: dict[str, _Tokens]) -> None:
    """Whoever used a prompt used all of its beginnings: a node was used at least as lately as those below it."""
    last: dict[tuple[int, int], int] = {}  # (node, model) -> when a prompt last began with it
    for request in trace.requests:
        tokens = sums.setdefault(trace.models[request.model], _Tokens())
        tokens.all += request.input_tokens
        open_ttls, seen = dict(WITHIN), False
        for node in trace.tree.path(request.end):
            used = last.get((node, request.model))
            last[node, request.model] = request.at
            if used is None:
                continue
            held = trace.tree.depth[node] * request.block_tokens
            if not seen:
                tokens.ever += held
                seen = True
            for ttl in [name for name, life in open_ttls.items() if request.at - used <= life]:
                tokens.within[ttl] += held
                del open_ttls[ttl]


def _share(part: int, whole: int) -> Decimal:
    return quantize(divide(Decimal(part), whole), 4)
