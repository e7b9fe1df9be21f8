"""The chance that a commitment will be drawn anyway by the end of its window, without the request at hand.

Where it surely will be, a dollar drawn now is a dollar paid. Where it surely will not, the dollar is owed as shortfall
either way, and using it costs nothing. Between the two, a committed dollar costs its chance: λ × its price.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

THOUSAND = 1_000
PACE_LOW, PACE_HIGH = 700, 1_300  # thousandths: how far the rest of a window may lie from its pace so far


class Point(NamedTuple):
    """In so many of a thousand futures, at most so much more is drawn until the window ends."""

    permille: int
    pico: int


def drawn_anyway(left_pico: int, rest: Sequence[Point] | None) -> int:
    """λ in thousandths: in how many futures the rest of the window draws what is left of the commitment.

    `rest` are points of a forecast, rising, such as its 5th, 50th and 95th percentile; None or empty means unknown,
    and then every dollar is taken to cost its price.

    Example: 100 left, forecast (50, 80), (500, 120), (950, 160): P(rest < 100) lies halfway from 50 to 500, at 275
    of 1,000, so λ = 725.
    """
    if left_pico <= 0 or not rest:
        return THOUSAND
    points = [Point(0, 0), *rest]
    last, before = points[-1], points[-2]
    points.append(Point(THOUSAND, last.pico + max(last.pico - before.pico, 1)))  # beyond the forecast as before its end
    for low, high in pairwise(points):
        if left_pico <= high.pico:
            width = high.pico - low.pico
            part = (left_pico - low.pico) * (high.permille - low.permille) // width if width > 0 else 0
            return THOUSAND - max(low.permille + part, 0)
    return 0


def at_pace(drawn_pico: int, elapsed_seconds: int, left_seconds: int) -> tuple[Point, ...]:
    """A forecast of what a window still draws, from its own pace so far; nothing before anything was drawn."""
    if drawn_pico <= 0 or elapsed_seconds <= 0:
        return ()
    rest = drawn_pico * left_seconds // elapsed_seconds
    shares = ((50, PACE_LOW), (500, THOUSAND), (950, PACE_HIGH))
    return tuple(Point(permille, rest * share // THOUSAND) for permille, share in shares)
