"""Which level to sign: the least expected cost, with no level among the choices.

Where the discount covers all usage, a commitment is a floor, and a larger promise buys nothing by itself: it is the
price of the level. So the choice is over levels, of E[fee + max(C, contracted demand)], and every one of these amounts
comes out of rating.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from offtake.planner.commitment.futures import Futures
from offtake.planner.commitment.offer import NO_COMMITMENT, Applies, Level, RatedOffer
from offtake.values.errors import InputError
from offtake.values.money import divide, quantize, total

SHOWN = {"low": Decimal("0.1"), "middle": Decimal("0.5"), "high": Decimal("0.9")}
PLACES = 4


@dataclass(frozen=True, slots=True)
class LevelCost:
    """A level over one set of futures, in dollars a window as rated. `shortfall_share`: how often it is not reached."""

    level: Level
    expected: Decimal
    low: Decimal
    middle: Decimal
    high: Decimal
    shortfall_share: Decimal
    utilisation: Decimal


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """All levels, none first; `chosen` has the least expected cost, the smaller promise where two are equal."""

    futures: Futures
    levels: tuple[LevelCost, ...]

    @property
    def chosen(self) -> LevelCost:
        """The advice."""
        return min(self.levels, key=lambda each: (each.expected, each.level.commitment))


@dataclass(frozen=True, slots=True)
class LevelBacktest:
    """The choice made with the first rows only, rated on the last ones, in dollars."""

    fitted_rows: int
    judged_rows: int
    level: Level
    cost: Decimal
    uncommitted: Decimal
    best: Level
    best_cost: Decimal

    @property
    def relative_cost(self) -> Decimal:
        """No commitment is 1.0000."""
        return quantize(divide(self.cost, self.uncommitted), PLACES)

    @property
    def best_relative_cost(self) -> Decimal:
        """What hindsight would have chosen."""
        return quantize(divide(self.best_cost, self.uncommitted), PLACES)

    @property
    def lost_money(self) -> bool:
        """Whether no commitment would have been cheaper."""
        return self.cost > self.uncommitted

    @property
    def saving_captured(self) -> Decimal:
        """The saving as a share of what hindsight would have saved; 1 where nothing could be saved or was lost."""
        possible = self.uncommitted - self.best_cost
        if possible <= 0:
            return Decimal(0 if self.lost_money else 1)
        return quantize(divide(self.uncommitted - self.cost, possible), PLACES)


def choose(levels: Sequence[Level], applies: Applies, futures: Futures) -> LevelChoice:
    """Every level rated on every future."""
    return LevelChoice(futures, tuple(_cost(level, applies, futures) for level in (NO_COMMITMENT, *levels)))


def judge(
    level: Level, levels: Sequence[Level], applies: Applies, demand: Sequence[Decimal], part: Decimal, fitted_rows: int,
    judged_rows: int,
) -> LevelBacktest:  # fmt: skip
    """What a level would have cost over `demand`: windows that are each `part` of a level's own window, pro rata."""
    if not any(demand):
        raise InputError(
            "P645", "the last periods, which the advice is judged by, have no demand at all",
            why="nothing can be said of a commitment for demand that has ended",
            hint="leave out what has been switched off, or judge by more rows: --judge ROWS",
        )  # fmt: skip
    costs = {each: _sum(each.for_part(part), applies, demand) for each in (NO_COMMITMENT, *levels)}
    best = min(costs, key=lambda each: (costs[each], each.commitment))
    uncommitted = costs[NO_COMMITMENT]
    return LevelBacktest(fitted_rows, judged_rows, level, costs[level], uncommitted, best, costs[best])


def _sum(level: Level, applies: Applies, demand: Sequence[Decimal]) -> Decimal:
    offer = RatedOffer(level, applies)
    return total(offer.cost(each) for each in demand)


def _cost(level: Level, applies: Applies, futures: Futures) -> LevelCost:
    offer = RatedOffer(level, applies)
    demand = futures.demand
    used = [min((1 - level.discount) * each, level.commitment) for each in demand]
    short = sum(each < level.commitment for each in used)
    promised = level.commitment * len(demand)
    return LevelCost(
        level,
        expected=quantize(divide(total(offer.cost(each) for each in demand), len(demand)), 2),
        **{name: offer.cost(futures.at(share)) for name, share in SHOWN.items()},
        shortfall_share=quantize(divide(Decimal(short), len(demand)), PLACES),
        utilisation=quantize(divide(total(used), promised), PLACES) if promised else Decimal(0),
    )
