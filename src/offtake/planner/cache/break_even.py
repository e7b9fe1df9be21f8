"""Closed forms: when caching pays, from the multiples alone. Exact fractions.

With a read at r and a write at w times the input price:

    (w − 1) / (w − r)    the share of input read above which writing all the rest pays     5 m: 5/23, 1 h: 10/19
    (w − 1) / (1 − r)    the reads per write above which one write pays                    5 m: 5/18, 1 h: 10/9
    (w − r) / r          the pings that cost as much as writing once more                  5 m: 23/2
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from offtake.planner.cache.rules import CacheRules, microseconds


@dataclass(frozen=True, slots=True)
class BreakEven:
    """For one TTL. None where a figure has no sense: reads that cost as much as input never pay, and who caches by
    itself promises no TTL that a ping could renew.
    """

    ttl: str
    read_share: Fraction | None
    reads_per_write: Fraction | None
    pings: Fraction | None
    keep_alive_minutes: Fraction | None


def break_even(rules: CacheRules, ttl: str) -> BreakEven:
    """The break-evens of a TTL."""
    read, write = rules.read, rules.write(ttl)
    pays = read < 1
    pings = (write - read) / read if read and write > read and not rules.automatic else None
    minutes = pings * Fraction(microseconds(ttl), 60_000_000) if pings is not None else None
    return BreakEven(
        ttl,
        (write - 1) / (write - read) if pays and write > read else None,
        (write - 1) / (1 - read) if pays else None,
        pings,
        minutes,
    )


def ratio_range(rules: CacheRules, ttl: str, cacheable: Fraction) -> tuple[Fraction, Fraction]:
    """The lowest and highest ratio that can be, where prompts are not known and so much of the input is cacheable.

    Lowest: all of it is read. Highest: all of it is written and nothing is ever read. No hit rate is assumed.
    """
    return 1 - cacheable * (1 - rules.read), 1 + cacheable * max(rules.write(ttl) - 1, Fraction(0))
