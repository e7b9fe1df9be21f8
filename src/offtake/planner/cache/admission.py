"""Who deserves a write: how often prompts are continued in time, turn by turn.

Two questions have two break-evens. Is it worth writing at all? The reads that follow a write must be more than
(w − 1) / (1 − r): 0.2778 for five minutes and 1.1111 for an hour at the usual prices. Is it worth writing now, where
the next turn would write the same? Only the next turn's read counts then, and its share must be more than
(w − 1) / (w − r): 21.74% and 52.63%. First turns of a conversation often pass the one and not the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from offtake.planner.cache.rules import CacheRules, microseconds, ttls_of
from offtake.planner.cache.tally import decimal
from offtake.planner.cache.trace import Trace, Turns, turns

TURNS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Admission:
    """After so many turns (the last row: or more): the share of prompts that are continued within the TTL; and of the
    tokens of prompts long enough to be written, the share that the next turn reads and how often they are read in all.

    Only `requests` whose TTL ended before the trace did are judged; None where there are none.
    """

    turn: int
    ttl: str
    requests: int
    continued_share: Decimal | None
    next_read_share: Decimal | None
    reads_per_write: Decimal | None


def admissions(trace: Trace, rules: Sequence[CacheRules]) -> list[Admission]:
    """The rows, by TTL and turn. Empty where the vendor caches by itself, because then nobody chooses."""
    if all(each.automatic for each in rules):
        return []
    minimums = [each.min_prefix_tokens for each in rules]
    found, last = turns(trace, minimums), trace.requests[-1].at
    rows = []
    for ttl in ttls_of(rules):
        life = microseconds(ttl)
        reads = _reads(found, life)
        judged: dict[int, list[int]] = {min(each, TURNS_SHOWN): [] for each in sorted(found.turn)}
        for index, request in enumerate(trace.requests):
            if trace.clock == "session" or request.at + life <= last:
                judged[min(found.turn[index], TURNS_SHOWN)].append(index)
        for turn, inside in judged.items():
            requests = [(trace.requests[index], reads[index]) for index in inside]
            long = [(each.input_tokens, read) for each, read in requests if each.input_tokens >= minimums[each.model]]
            written = sum(tokens for tokens, _ in long)
            continued = sum(read > 0 for _, read in requests)
            following = sum(tokens for tokens, read in long if read)
            in_all = sum(tokens * read for tokens, read in long)
            shares = _mean(continued, len(inside)), _mean(following, written), _mean(in_all, written)
            rows.append(Admission(turn, ttl, len(inside), *shares))
    return rows


def _reads(found: Turns, life: int) -> list[int]:
    """How many turns in a row continue each request, each within the TTL of the one before."""
    reads = [0] * len(found.turn)
    for index in range(len(reads) - 1, -1, -1):
        after, wait = found.after[index], found.wait[index]
        if after is not None and wait is not None and wait <= life:
            reads[index] = 1 + reads[after]
    return reads


def _mean(total: int, of: int) -> Decimal | None:
    return decimal(Fraction(total, of)) if of else None
