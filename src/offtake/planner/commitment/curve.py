"""Coverage and utilisation: how much of demand a commitment covers, how much of the commitment is used.

A larger commitment covers more and is used less; the curve shows what each step buys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from offtake.planner.commitment.fractile import Deal, quantile
from offtake.values.money import EXACT, divide, quantize, total

PLACES = 4
_SHARES = tuple(Decimal(tenth).scaleb(-1) for tenth in range(1, 11))


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One commitment. `share` is the fractile of demand at which it lies; the others are shares to four places."""

    share: Decimal
    commitment: Decimal
    coverage: Decimal
    utilisation: Decimal
    relative_cost: Decimal


def curve(deal: Deal, demand: Sequence[Decimal]) -> tuple[CurvePoint, ...]:
    """The tenths of demand, from the first to the largest period; each commitment once."""
    commitments = dict.fromkeys(quantile(demand, share) for share in _SHARES)
    return tuple(point(deal, demand, commitment) for commitment in commitments)


def point(deal: Deal, demand: Sequence[Decimal], commitment: Decimal) -> CurvePoint:
    """What a commitment would have done over these windows."""
    served = total(min(each, commitment) for each in demand)
    promised = EXACT.multiply(commitment, Decimal(len(demand)))
    below = sum(each <= commitment for each in demand)
    return CurvePoint(
        share=_share(Decimal(below), Decimal(len(demand))),
        commitment=commitment,
        coverage=_share(served, total(demand)),
        utilisation=_share(served, promised),
        relative_cost=quantize(deal.relative_cost(commitment, demand), PLACES),
    )


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return quantize(divide(part, whole), PLACES) if whole else Decimal(0)
