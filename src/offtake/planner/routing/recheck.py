"""What keeps an admission true: when it ends, how many live samples prove that it holds, and when it is withdrawn.

A suite is not the traffic: a model that passed may do worse on live work, or change behind its name. So an admission
ends, and until then live samples are graded in the same way as the suite's tasks.

    samples       so many that a model which scores exactly the floor on them is proven to lie above floor − margin:
                  n = z² (f − m)(1 − f + m) / m²                            floor 70%, margin 5%, 95%: 247
    withdraw_at   the most passes of n that prove a score below the floor: p < f − z √(f (1 − f) / n)
    drift_below   the live score below which the suite no longer speaks for the traffic: the difference to the
                  suite's score s is more than chance: p < s − z √(s (1 − s)(1/n_suite + 1/n))

A margin is a choice: half of it needs four times the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from offtake.planner.routing.choose import Choice, Judged
from offtake.planner.routing.confidence import HALF, PLACES, deviations
from offtake.values.errors import InputError
from offtake.values.money import quantize

_DIGITS = Context(prec=40)
DEFAULT_CONFIDENCE = Decimal("0.95")


@dataclass(frozen=True, slots=True)
class Recheck:
    """The rules of one admission. `until` is the first day on which it no longer holds."""

    until: date
    samples: int
    withdraw_at: int
    drift_below: Decimal
    margin: Decimal
    confidence: Decimal


@dataclass(frozen=True, slots=True)
class Rules:
    """What the buyer decides: the day, how long a run is good for, how near to the floor, and for which workloads."""

    on: date
    days: int = 90
    margin: Decimal = Decimal("0.05")
    workloads: Sequence[str] = ()


def recheck(each: Judged, choice: Choice, rules: Rules) -> Recheck:
    """When the admission of a run ends, and how it is checked until then.

    It ends so many days after the run, because the run is the evidence; after `on` where nobody dated it. With the
    point score asked for (confidence 0), live samples are judged at 95%. InputError for a margin that leaves nothing
    under the floor.
    """
    run, floor, margin = each.run, choice.floor, Fraction(rules.margin)
    judged_at = choice.confidence if choice.confidence > HALF else DEFAULT_CONFIDENCE
    z = deviations(judged_at)
    refuse_margin(rules.margin, floor)
    worst = floor - margin
    # Enough to prove what lies above the margin, and so many that failing all of them would prove what lies below.
    samples = max(_ceiling(z**2 * worst * (1 - worst) / margin**2), int(z**2 * (1 - floor) / floor) + 1)
    proof = floor - z * _root(floor * (1 - floor) / samples)
    drift = run.score - z * _root(run.score * (1 - run.score) * (Fraction(1, run.tasks) + Fraction(1, samples)))
    return Recheck(
        until=(run.on or rules.on) + timedelta(days=rules.days),
        samples=samples,
        withdraw_at=_ceiling(proof * samples) - 1,
        drift_below=quantize(_decimal(max(drift, Fraction(0))), PLACES, ROUND_FLOOR),
        margin=rules.margin,
        confidence=judged_at,
    )


def refuse_margin(margin: Decimal, floor: Fraction) -> None:
    """InputError for a margin that leaves nothing to prove under the floor."""
    if not 0 < margin < floor:
        what = f"a margin of {margin} does not lie between 0 and the floor"
        raise InputError("P636", what, hint="--margin 0.05 is usual")


def _root(value: Fraction) -> Fraction:
    return Fraction(_decimal(value).sqrt(_DIGITS))


def _decimal(value: Fraction) -> Decimal:
    return _DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
