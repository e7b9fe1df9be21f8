"""Prompt cache: reads and writes as multiples of the resulting input price, or at their own list price.

Clause: `prices.cache`.
Source: S1 "cache reads at 0.1× input; cache-write premium of 1.25× (5-min TTL) or 2× (1-hr TTL)".

Why it matters: the multiple applies to what input costs *after* every other clause, so batch and cache stack. Tools
that price one-hour writes at the five-minute price are 37.5% low.

Example: opus input $5.00/M in batch at 50%: input $2.50/M, a cache read 2.50 × 0.1 = $0.25/M, a five-minute write
2.50 × 1.25 = $3.125/M, a one-hour write 2.50 × 2 = $5.00/M.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.schema.prices import Cache
from offtake.contract.schema.terms import Terms
from offtake.rating.draft import Draft, per_million
from offtake.usage.meters import Meter


def multiple(terms: Terms, meter: Meter) -> Decimal | None:
    """The multiple of the input price for this meter; None where the meter has its own price."""
    clause = terms.prices.cache
    if not meter.cache or not isinstance(clause, Cache):
        return None
    value: Decimal = getattr(clause, meter.cache)
    return value


def apply(draft: Draft, times: Decimal, meter: Meter, public: Decimal) -> None:
    """Turn the input's draft into that of a cache meter."""
    draft.scale(times)
    draft.public = public
    draft.clause = f"prices.cache.{meter.cache}"
    draft.note(draft.clause, f"{times.normalize():f} × the input price: {per_million(draft.price, meter)}")
