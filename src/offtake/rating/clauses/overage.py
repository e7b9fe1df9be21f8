"""Overage: what lies beyond the commitment costs its own price.

Clause: `commitments[].overage`. Source: S2 "burst … overage"; m3ter `overage_surcharge_percent`.

Why it matters: the premium is only on the part beyond, and only the difference to what the rate card bills anyway.
Premium = part beyond × (overage price − contracted price), with overage price = contracted or list × (1 + surcharge).
A vendor that had to give notice and did not gets no surcharge (`else: no_surcharge`).

Example: 100 committed, 150 drawn at contracted prices, 10% surcharge: 50 × 10% = 5.00 on top of 150. At list under
20% off: 50 contracted is 62.50 at list: a premium of 12.50.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.schema.commitments import Overage
from offtake.rating.facts import Fact, OverageNotice
from offtake.values.money import ZERO
from offtake.values.periods import Interval


def surcharge(clause: Overage, commitment: str, window: Interval, facts: tuple[Fact, ...]) -> Decimal:
    """The surcharge in force in a window: zero where a notice was due and nobody gave it."""
    if clause.surcharge is None:
        return ZERO
    notice = clause.notice
    if notice and notice.else_ == "no_surcharge":
        given = any(
            isinstance(fact, OverageNotice)
            and fact.by == notice.by
            and fact.commitment in ("", commitment)
            and fact.at in window
            for fact in facts
        )
        return clause.surcharge if given else ZERO
    return clause.surcharge


def premium(clause: Overage, share: Decimal, contracted: Decimal, public: Decimal) -> Decimal:
    """What the part beyond costs more, from its contracted and its list cost."""
    price = public if clause.at == "list" else contracted
    return price * (1 + share) - contracted
