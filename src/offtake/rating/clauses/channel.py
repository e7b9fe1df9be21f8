"""Channel: batch, flex and priority, priced from the realtime price or by their own catalogue price.

Clause: `prices.batch`, `prices.flex`, `prices.priority`.
Source: S1 "Batch / async APIs: 50% off both input and output".

Why it matters: batch halves the bill of work that can wait, input and output alike, and not of searches
or other calls. A channel is either a share of
the realtime price or its own catalogue price (`catalog`, and what `basis: list` means where nothing is said): exactly
one applies, never both.

Example: opus output at $25.00/M, 15% off, `batch: {share: 50%}`: 25.00 × 0.85 × 0.50 = $10.625/M.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.schema.prices import ChannelPrice
from offtake.rating.draft import Draft, per_million


def share(draft: Draft) -> Decimal | None:
    """The share off that this channel gives, to be combined with the others; None for none."""
    clause = _clause(draft)
    return clause.share if clause and draft.question.meter.is_token else None


def surcharge(draft: Draft) -> None:
    """A channel that costs more: the surcharge comes on the combined price and never competes with discounts."""
    clause = _clause(draft)
    if clause and clause.surcharge is not None and draft.question.meter.is_token:
        draft.scale(1 + clause.surcharge)
        path = f"prices.{draft.question.channel}"
        draft.note(path, f"{clause.surcharge:.2%} on: {per_million(draft.price, draft.question.meter)}")


def _clause(draft: Draft) -> ChannelPrice | None:
    if draft.question.channel == "realtime":
        return None
    clause = getattr(draft.terms.prices, draft.question.channel)
    return clause if isinstance(clause, ChannelPrice) else None
