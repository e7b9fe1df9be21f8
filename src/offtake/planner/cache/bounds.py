"""What no policy can beat under the same rules: how much is left to gain by being cleverer.

Each block is looked at by itself, by one who knows when it comes again: leave it plain, write it for one of the TTLs,
or read it where it is still kept. Minima and breakpoints are ignored, so it is never above a policy of these TTLs
that sends no pings.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import lcm

from offtake.planner.cache.rules import CacheRules, microseconds
from offtake.planner.cache.tally import decimal
from offtake.planner.cache.trace import Trace


def clairvoyant(trace: Trace, rules: Sequence[CacheRules], ttls: Sequence[str]) -> Decimal | None:
    """The least ratio with these TTLs to choose from, block by block. None for a trace without input."""
    total = sum(request.input_tokens for request in trace.requests)
    if not total:
        return None
    scale = lcm(
        *(part.denominator for each in rules for part in (each.read, *(each.write(ttl) for ttl in ttls)))
    )  # so that costs are whole numbers
    lives = [microseconds(ttl) for ttl in ttls]
    reads = [int(each.read * scale) for each in rules]
    writes = [[int(each.write(ttl) * scale) for ttl in ttls] for each in rules]
    models, depth, parent = len(trace.models), trace.tree.depth, trace.tree.parent
    state: dict[int, tuple[int, list[int], int]] = {}  # block run of a model -> last seen, cost by choice, its tokens
    cost = 0
    for request in trace.requests:
        block, model = request.block_tokens, request.model
        cost += scale * (request.input_tokens - min(depth[request.tail] * block, request.input_tokens))
        for node in trace.tree.path(request.tail):
            key = node * models + model
            if key not in state:
                tokens = min(depth[node] * block, request.input_tokens) - depth[parent[node]] * block
                state[key] = request.at, [scale, *writes[model]], tokens
                continue
            last, costs, tokens = state[key]
            least, gap = min(costs), request.at - last
            renewed = [least + scale]
            for choice, life in enumerate(lives):
                written = least + writes[model][choice]
                kept = costs[choice + 1] + reads[model] if gap <= life else written
                renewed.append(min(written, kept))
            state[key] = request.at, renewed, tokens
    cost += sum(min(costs) * tokens for _, costs, tokens in state.values())
    return decimal(Fraction(cost, scale * total))
