"""Where the discount ends at the commitment: the newsvendor's fractile, exactly.

A committed piece costs 1 − d whether it is used or not, a piece beyond costs 1 − do. One more committed piece is worth
its price as long as demand exceeds the commitment with a probability above (1 − d) ÷ (1 − do), so the best commitment q
has F(q) = (d − do) ÷ (1 − do). With overage at list (do = 0): commit the d-quantile of demand. A discount of 20%
is a reason to commit what is used in four periods of five, not the average.

Reserved throughput is the same sum: h for an hour of a unit, p for what it serves at the rate card, d = 1 − h ÷ p.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from offtake.values.money import EXACT, ZERO, divide, quantize, total

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Deal:
    """Shares off the list price: on the committed part, and beyond it (below the first)."""

    discount: Decimal
    overage_discount: Decimal = ZERO

    @classmethod
    def reserved(cls, price: Decimal, on_demand: Decimal) -> Deal:
        """Reserved throughput: `price` of a unit for an hour, and what that unit serves in a full hour `on_demand`."""
        return cls(quantize(ONE - divide(price, on_demand), 12))

    @property
    def fractile(self) -> Decimal:
        """(d − do) ÷ (1 − do), to 60 digits; zero where the discount beyond is as good: nothing is worth a promise."""
        gain = self.discount - self.overage_discount
        return divide(gain, ONE - self.overage_discount) if gain > 0 else ZERO

    def cost(self, commitment: Decimal, demand: Sequence[Decimal]) -> Decimal:
        """In units of list price: what the commitment and all beyond it cost over these windows."""
        return EXACT.add(
            EXACT.multiply(EXACT.multiply(ONE - self.discount, commitment), Decimal(len(demand))),
            EXACT.multiply(ONE - self.overage_discount, total(max(ZERO, each - commitment) for each in demand)),
        )

    def relative_cost(self, commitment: Decimal, demand: Sequence[Decimal]) -> Decimal:
        """The cost by what the same demand costs without any commitment (1.000), to 60 digits."""
        return divide(self.cost(commitment, demand), EXACT.multiply(ONE - self.overage_discount, total(demand)))

    def best(self, demand: Sequence[Decimal]) -> Decimal:
        """The cheapest commitment for demand that is known: with hindsight, or for a sample."""
        return quantile(demand, self.fractile)

    def best_in_units(self, demand: Sequence[Decimal], unit: Decimal) -> Decimal:
        """The same in whole units of capacity: the cheaper neighbour (the cost is convex), the smaller of two equal."""
        units = divide(self.best(demand), unit)
        around = [EXACT.multiply(units.to_integral_value(rounding), unit) for rounding in (ROUND_FLOOR, ROUND_CEILING)]
        return min(around, key=lambda commitment: (self.cost(commitment, demand), commitment))


def quantile(demand: Sequence[Decimal], share: Decimal) -> Decimal:
    """The smallest demand that at least `share` of the windows stay at or below; zero for a share of zero."""
    if share <= 0:
        return ZERO
    rank = int(EXACT.multiply(quantize(share, 40), Decimal(len(demand))).to_integral_value(ROUND_CEILING))
    return sorted(demand)[rank - 1]
