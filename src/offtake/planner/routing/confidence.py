"""What an evaluation of so many tasks can prove: Wilson's one-sided bounds, decided exactly and shown as decimals.

Wilson, E. B. (1927), "Probable inference, the law of succession, and statistical inference", Journal of the American
Statistical Association 22, 209-212: the bounds of a share p seen in n tries are the shares f with

    (p - f)² n = z² f (1 - f),    that is    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n)

with z the normal quantile of the confidence (one-sided 95%: 1.6449). So the lower bound reaches a floor f exactly where
p lies z standard deviations of a true share f above it, and that needs no square root.

The bound is near its confidence and not always above it: passes come in whole numbers, so a model that truly scores
the floor passes at 95% between 3% and 6% of the time on 50 to 1,000 tasks.

Graded scores between 0 and 1 use the same bound on their mean: no such score varies more than a pass or a fail of the
same mean (its variance is at most mean × (1 - mean)), so the bound is on the safe side.

Confidence 0 is the point score: whoever scores at least the floor passes.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from statistics import NormalDist

from offtake.values.errors import InputError
from offtake.values.money import quantize

PLACES = 6
HALF = Decimal("0.5")
_DIGITS = Context(prec=40)


def deviations(confidence: Decimal) -> Fraction:
    """z, the normal quantile of a one-sided confidence: 0 for the point score.

    InputError for a confidence that is neither 0 nor from 0.5 to below 1: less than a half would let a model pass whose
    score is below the floor.
    """
    if confidence == 0:
        return Fraction(0)
    if not HALF <= confidence < 1:
        raise InputError(
            "P636", f"a confidence of {confidence} cannot be asked for",
            why="below 0.5 a score under the floor would pass; 1 needs tasks without end",
            hint="--confidence 0.95, or --confidence 0 to compare scores as they are",
        )  # fmt: skip
    return Fraction(Decimal(repr(NormalDist().inv_cdf(float(confidence)))))


def reaches(score: Fraction, tasks: int, floor: Fraction, z: Fraction) -> bool:
    """Whether the lower bound of a score is at least the floor. Exact: no rounding decides."""
    if z == 0 or floor == 0:
        return score >= floor
    return score > floor and (score - floor) ** 2 * tasks >= z**2 * floor * (1 - floor)


def lower_bound(score: Fraction, tasks: int, z: Fraction) -> Decimal:
    """The lower bound at six places, rounded down: what is shown is never more than what is proven."""
    return quantize(_bound(score, tasks, z, -1), PLACES, ROUND_FLOOR)


def upper_bound(score: Fraction, tasks: int, z: Fraction) -> Decimal:
    """The upper bound at six places, rounded up."""
    return quantize(_bound(score, tasks, z, 1), PLACES, ROUND_CEILING)


def tasks_to_reach(score: Fraction, floor: Fraction, z: Fraction) -> int | None:
    """How many tasks at this score prove the floor; None where the score itself does not reach it."""
    if z == 0:
        return 1 if score >= floor else None
    if score <= floor:
        return None
    return max(1, _ceiling(z**2 * floor * (1 - floor) / (score - floor) ** 2))


def decimal_of(value: Fraction, places: int = PLACES) -> Decimal:
    """A fraction as a decimal at so many places, half-even."""
    return quantize(_digits(value), places)


def _bound(score: Fraction, tasks: int, z: Fraction, sign: int) -> Decimal:
    if z == 0:
        return _digits(score)
    middle = score + z**2 / (2 * tasks)
    spread = _digits(score * (1 - score) / tasks + z**2 / (4 * tasks**2)).sqrt(_DIGITS)
    return _digits((middle + sign * z * Fraction(spread)) / (1 + z**2 / tasks))


def _digits(value: Fraction) -> Decimal:
    return _DIGITS.divide(Decimal(value.numerator), Decimal(value.denominator))


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
