"""A study: a trace replayed under every policy that is asked for, with what comes out by workload and by half."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from offtake.planner.cache import replay
from offtake.planner.cache.bounds import clairvoyant
from offtake.planner.cache.chain import end_of_chain
from offtake.planner.cache.policy import Policy
from offtake.planner.cache.replay import Outcome
from offtake.planner.cache.rules import CacheRules, microseconds, ttls_of
from offtake.planner.cache.tally import Cells, Halves, Tally, decimal, grouped, ratio, tally, weight, whole
from offtake.planner.cache.trace import Trace, Turns, turns

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One policy on the whole trace. `chain` are the sums of `chain.py`, for prompt ends in a trace with agents.

    `is_offered`: a vendor with these rules has this policy; `auto` is otherwise there for comparison only.
    """

    policy: Policy
    rules: tuple[CacheRules, ...]
    cells: Cells
    chain: Cells | None
    is_offered: bool

    @property
    def total(self) -> Tally:
        """All sums."""
        return whole(self.cells.values())

    def ratio(self) -> Decimal | None:
        """The cost of all input over its cost without a cache."""
        return ratio(self.cells, self.rules, self.policy.ttl)

    def holdout_ratio(self) -> Decimal | None:
        """The same of the second half, with the cache as the first half left it."""
        return ratio({cell: sums for cell, sums in self.cells.items() if cell.late}, self.rules, self.policy.ttl)


@dataclass(frozen=True, slots=True)
class Bound:
    """A lower bound: its ratio, and what it takes for granted."""

    name: str
    ttl: str
    ratio: Decimal | None


def run(trace: Trace, rules: Sequence[CacheRules], asked: Iterable[Policy], progress: Progress) -> list[Row]:
    """The rows of the policies, in order; `progress` is called with 1 after each. `rules` are by model of the trace."""
    minimums = [each.min_prefix_tokens for each in rules]
    found_turns, halves = turns(trace, minimums), Halves.of(trace)
    rows = []
    for policy in asked:
        outcome = _replayed(trace, policy, minimums, found_turns, rules)
        chain = None
        if policy.kind == "end" and all(request.stream >= 0 for request in trace.requests):
            chain = tally(trace, end_of_chain(trace, microseconds(policy.ttl), minimums), halves, rules)
        offered = policy.kind != "auto" or all(each.automatic for each in rules)
        charged = tuple(rules) if offered else tuple(_without_premium(each) for each in rules)
        rows.append(Row(policy, charged, tally(trace, outcome, halves, rules), chain, offered))
        progress(1)
    return rows


def _replayed(
    trace: Trace, policy: Policy, minimums: Sequence[int], found: Turns, rules: Sequence[CacheRules]
) -> Outcome:
    ttl = microseconds(policy.ttl) if policy.ttl else 0
    match policy.kind:
        case "none":
            return Outcome.of(len(trace.requests))
        case "static":
            return replay.static(trace, ttl, minimums)
        case "auto":
            premium = all(each.automatic and each.has_premium for each in rules)
            return replay.automatic(trace, ttl, minimums, premium)
        case "keep-alive":
            return replay.keep_alive(trace, ttl, minimums, policy.number)
    return replay.end(trace, ttl, minimums, found.turn, max(policy.number, 1))


def _without_premium(rules: CacheRules) -> CacheRules:
    """The same reads and minimum, as a vendor would have them who caches by itself for nothing."""
    writes = ((rules.ttls[0], Fraction(1)),)
    return CacheRules(
        rules.name, rules.read, writes, rules.min_prefix_tokens, True, rules.source, rules.long_context
    )  # fmt: skip


def bounds(trace: Trace, rules: Sequence[CacheRules], progress: Progress) -> list[Bound]:
    """Bounds from the tightest rules to the loosest: per block for each TTL and for any, and prompt ends for ever."""
    found = []
    ttls = ttls_of(rules)
    for choice in (*((ttl,) for ttl in ttls), *([ttls] if len(ttls) > 1 else [])):
        found.append(Bound("block by block, known beforehand", " or ".join(choice), clairvoyant(trace, rules, choice)))
        progress(1)
    outcome = replay.end(trace, None, [each.min_prefix_tokens for each in rules])
    free = [_without_premium(each) for each in rules]
    cells = tally(trace, outcome, Halves.of(trace), free)
    found.append(Bound("prompt ends, written free", "for ever", ratio(cells, free, "")))
    progress(1)
    return found


def steps(asked: Sequence[Policy], rules: Sequence[CacheRules]) -> int:
    """How often `run` and `bounds` will say that they are on."""
    ttls = len(ttls_of(rules))
    return len(asked) + ttls + (ttls > 1) + 1


def best_per_session(rows: Sequence[Row]) -> Decimal | None:
    """The ratio if every session had the best of no caching and prompt ends at each TTL, known beforehand.

    None for a trace without sessions, or where prompt ends were not asked for.
    """
    chosen = [row for row in rows if row.policy.kind in ("none", "end")]
    if all(row.policy.kind == "none" for row in chosen):
        return None
    total, tokens = Fraction(0), 0
    by_row = [grouped(row.cells, lambda cell: cell.session) for row in chosen]
    if "" in by_row[0]:
        return None
    for session, cells in by_row[0].items():
        tokens += whole(cells.values()).input
        total += min(weight(each[session], row.rules, row.policy.ttl) for each, row in zip(by_row, chosen, strict=True))
    return decimal(total / tokens) if tokens else None
