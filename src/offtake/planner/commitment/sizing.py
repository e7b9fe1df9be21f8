"""Sizing a commitment on a history: three rules, each judged on periods that it has not seen.

fractile   the newsvendor's fractile of past demand: best where the next term is like the last
hedged     the same fractile, of past demand × the growth that real customers had from one period to the next: for a
           level that may move
none       no commitment

The recommendation is the first that would not have lost money on the last periods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

import numpy as np

from offtake.planner.commitment.curve import CurvePoint, curve, point
from offtake.planner.commitment.fractile import Deal
from offtake.planner.demand.backtest import holdout
from offtake.planner.demand.growth import REFERENCE
from offtake.planner.demand.series import Series
from offtake.values.counting import counted
from offtake.values.errors import InputError
from offtake.values.money import ZERO, divide, quantize, total

PLACES = 4
_GROWTH_STEPS = 20
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule, fitted on the first windows, would have done in the last ones; no commitment is 1.0000.

    `saving_captured` is its share of what perfect knowledge of each window would have saved; `captured_of_best` of what
    the best single commitment would have, chosen with hindsight.
    """

    rule: str
    commitment: Decimal
    relative_cost: Decimal
    saving_captured: Decimal
    captured_of_best: Decimal

    @property
    def lost_money(self) -> bool:
        """Whether no commitment would have been cheaper."""
        return self.relative_cost > ONE


@dataclass(frozen=True, slots=True)
class Backtest:
    """All rules on one split; `best_relative_cost` is hindsight, `average_relative_cost` promises the mean."""

    fitted_windows: int
    judged_windows: int
    trials: tuple[Trial, ...]
    best_relative_cost: Decimal
    average_relative_cost: Decimal

    def trial(self, rule: str) -> Trial:
        """What one rule did."""
        return next(trial for trial in self.trials if trial.rule == rule)


@dataclass(frozen=True, slots=True)
class Sizing:
    """The advice. `commitment` is for each window, in the unit of the demand (at list); `payment` is what it costs."""

    deal: Deal
    rule: str
    commitment: Decimal
    payment: Decimal
    on_history: CurvePoint
    curve: tuple[CurvePoint, ...]
    backtest: Backtest


def size(
    series: Series, deal: Deal, *, window: int = 1, judge: int | None = None, unit: Decimal | None = None
) -> Sizing:
    """How much to commit for each `window` rows. `judge` rows at the end are kept to judge by (half of them if None).

    `unit` is the size of what is sold, such as a unit of reserved throughput; commitments are then whole units.
    InputError where the history has fewer than two windows.
    """
    demand = series.windows(window)
    if len(demand) < 2:
        raise InputError(
            "P647", f"two windows of {counted(window, 'row')} are needed; the history has {len(series.quantities):,}",
            hint="give a longer history, or commit for fewer rows at a time with --window",
        )  # fmt: skip
    split = holdout(replace(series, periods=("",) * len(demand), quantities=demand), judge and _windows(judge, window))
    rules = _rules(deal, unit)
    found = _judged(deal, rules, split.fitted.quantities, split.judged.quantities)
    rule = next(trial.rule for trial in found.trials if not trial.lost_money)
    commitment = rules[rule](demand)
    return Sizing(
        deal, rule, commitment, (ONE - deal.discount) * commitment,
        point(deal, demand, commitment), curve(deal, demand), found,
    )  # fmt: skip


def hedged(deal: Deal, demand: Sequence[Decimal]) -> Decimal:
    """The fractile of demand × real growth, in the decimal places of the demand."""
    luck = (np.arange(_GROWTH_STEPS) + 0.5) / _GROWTH_STEPS
    grown = np.sort(np.outer([float(each) for each in demand], REFERENCE.ratio(luck)), axis=None)
    rank = int((deal.fractile * grown.size).to_integral_value(ROUND_CEILING))
    places = max(max(0, -int(each.as_tuple().exponent)) for each in demand)
    return quantize(Decimal(repr(float(grown[rank - 1]))), places) if rank else ZERO


Rule = Callable[[Sequence[Decimal]], Decimal]


def _rules(deal: Deal, unit: Decimal | None) -> dict[str, Rule]:
    def fractile(demand: Sequence[Decimal]) -> Decimal:
        return deal.best_in_units(demand, unit) if unit else deal.best(demand)

    def with_growth(demand: Sequence[Decimal]) -> Decimal:
        found = hedged(deal, demand)
        return divide(found, unit).to_integral_value("ROUND_FLOOR") * unit if unit else found

    return {"fractile": fractile, "hedged": with_growth, "none": lambda demand: ZERO}


def _judged(deal: Deal, rules: dict[str, Rule], fitted: Sequence[Decimal], judged: Sequence[Decimal]) -> Backtest:
    if not any(judged):
        raise InputError(
            "P645", "the last periods, which the advice is judged by, have no demand at all",
            why="nothing can be said of a commitment for demand that has ended",
            hint="leave out what has been switched off, or judge by more rows: --judge ROWS",
        )  # fmt: skip
    best = deal.relative_cost(deal.best(judged), judged)
    foresight = divide(ONE - deal.discount, ONE - deal.overage_discount)
    trials = []
    for name, rule in rules.items():
        commitment = rule(fitted)
        cost = deal.relative_cost(commitment, judged)
        shares = [_share(ONE - cost, ONE - least) for least in (foresight, best)]
        trials.append(Trial(name, commitment, quantize(cost, PLACES), *shares))
    average = deal.relative_cost(quantize(divide(total(fitted), len(fitted)), 12), judged)
    return Backtest(len(fitted), len(judged), tuple(trials), quantize(best, PLACES), quantize(average, PLACES))


def _windows(rows: int, window: int) -> int:
    return -(-rows // window)


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return quantize(divide(part, whole), PLACES) if whole > 0 else ZERO
