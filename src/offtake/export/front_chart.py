"""The Pareto front as inline SVG: what a task costs across, on a scale of powers of ten, and the score upwards.

Each model is a dot. The line joins those that no other beats: nothing left of it scores as much. They have numbers,
which the key beside the picture (or a table under it) explains. A whisker goes down from each of them to what its run
proves, so a dot above the floor whose whisker crosses it has not passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from html import escape
from itertools import pairwise

from offtake.values.money import divide, to_integer
from offtake.values.shown import share

LINE = 24  # from one row of the key to the next
NAME_MAX = 30
KEY = 340  # the width of the key, where there is room for one
TICKS = tuple(Decimal(tenths).scaleb(-1) for tenths in range(0, 11, 2))
LEFT, TOP, BOTTOM = 56, 26, 52


@dataclass(frozen=True, slots=True)
class Dot:
    """A model: what a task costs (above 0), its score, what of it is proven, and what it is."""

    name: str
    cost: Decimal
    score: Decimal
    lower: Decimal
    on_front: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """The plotting area in pixels; `low` and `high` are powers of ten of the cost, `least` a score."""

    width: int
    height: int
    low: int
    high: int
    right: int
    least: Decimal

    def x(self, cost: Decimal) -> int:
        """Costs across, by their logarithm."""
        room = self.width - LEFT - self.right
        return LEFT + to_integer(divide((cost.log10() - self.low) * room, self.high - self.low))

    def y(self, score: Decimal) -> int:
        """Scores upwards."""
        room = self.height - TOP - BOTTOM
        return self.height - BOTTOM - to_integer(divide((score - self.least) * room, 1 - self.least))


def front_chart(
    dots: Sequence[Dot], floor: Decimal, name: str, title: str, description: str, *, width: int, height: int, unit: str
) -> str:
    """The picture of the models against the floor. `dots` are not empty, and cheapest first; `unit` has a cost each."""
    costs = [dot.cost for dot in dots]
    low = int(min(costs).log10().to_integral_value(ROUND_FLOOR))
    high = max(low + 1, int(max(costs).log10().to_integral_value(ROUND_CEILING)))
    keyed = width > 2 * KEY
    lowest = min(floor, *(min(dot.score, dot.lower) for dot in dots))
    least = max(tick for tick in TICKS[:-1] if tick <= lowest)
    frame = Frame(width, height, low, high, KEY if keyed else 24, least)
    best = [dot for dot in dots if dot.on_front]
    parts = [*_grid(frame, unit), _floor(frame, floor)]
    parts += [f'<circle class="dot" {_at(frame, dot)} r="3.5"/>' for dot in dots if not dot.on_front]
    parts.append(f'<polyline class="front" points="{_steps(frame, best)}"/>')
    parts += [_whisker(frame, dot) for dot in best]
    parts += [f'<circle class="{"chosen" if dot.chosen else "best"}" {_at(frame, dot)} r="5"/>' for dot in best]
    parts += [_number(frame, dot, number) for number, dot in enumerate(best, 1)]
    parts += _key(frame, best) if keyed else []
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="front-picture {name}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-labelledby="{name}-title {name}-words">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-words">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _grid(frame: Frame, unit: str) -> list[str]:
    parts = []
    for tick in (tick for tick in TICKS if tick >= frame.least):
        y = frame.y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{frame.width - frame.right}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{share(tick, 0)}</text>')
    foot = frame.height - BOTTOM
    costs = [Decimal(1).scaleb(power) for power in range(frame.low, frame.high + 1)]
    if len(costs) == 2:
        costs[1:1] = [costs[0] * 2, costs[0] * 5]
    for cost in costs:
        x = frame.x(cost)
        parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{foot}"/>')
        parts.append(f'<text class="tick" x="{x}" y="{foot + 18}" text-anchor="middle">${cost:f}</text>')
    middle = (LEFT + frame.width - frame.right) // 2
    words = f"dollars a {unit}, on a scale of powers of ten"
    parts.append(f'<text class="tick" x="{middle}" y="{foot + 40}" text-anchor="middle">{words}</text>')
    return parts


def _floor(frame: Frame, floor: Decimal) -> str:
    y, right = frame.y(floor), frame.width - frame.right
    return (
        f'<line class="floor" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>'
        f'<text class="name" x="{right}" y="{y + 16}" text-anchor="end">floor {share(floor, 0)}</text>'
    )


def _steps(frame: Frame, best: Sequence[Dot]) -> str:
    """The front as stairs: until the next better model, more money buys nothing."""
    points = [f"{frame.x(best[0].cost)},{frame.y(best[0].score)}"]
    for before, dot in pairwise(best):
        points.append(f"{frame.x(dot.cost)},{frame.y(before.score)}")
        points.append(f"{frame.x(dot.cost)},{frame.y(dot.score)}")
    points.append(f"{frame.width - frame.right},{frame.y(best[-1].score)}")
    return " ".join(points)


def _whisker(frame: Frame, dot: Dot) -> str:
    x, top, foot = frame.x(dot.cost), frame.y(dot.score), frame.y(dot.lower)
    return (
        f'<line class="whisker" x1="{x}" x2="{x}" y1="{top}" y2="{foot}"/>'
        f'<line class="whisker" x1="{x - 4}" x2="{x + 4}" y1="{foot}" y2="{foot}"/>'
    )


def _number(frame: Frame, dot: Dot, number: int) -> str:
    """Left above its dot, where the front leaves the picture empty."""
    x, y = frame.x(dot.cost) - 9, frame.y(dot.score) - 8
    return f'<text class="name{_now(dot)}" x="{x}" y="{y}" text-anchor="end">{number}</text>'


def _key(frame: Frame, best: Sequence[Dot]) -> list[str]:
    """The numbered models beside the picture, best score first as in the picture, as many as there is room for."""
    parts = []
    left, y = frame.width - frame.right + 20, TOP + 4
    room = (frame.height - TOP - BOTTOM) // LINE
    for number, dot in list(enumerate(best, 1))[-room:][::-1]:
        parts.append(f'<text class="name{_now(dot)}" x="{left + 18}" y="{y}" text-anchor="end">{number}</text>')
        parts.append(f'<text class="name{_now(dot)}" x="{left + 28}" y="{y}">{escape(_short(dot.name))}</text>')
        parts.append(f'<text class="tick" x="{frame.width}" y="{y}" text-anchor="end">{share(dot.score)}</text>')
        y += LINE
    return parts


def _short(name: str) -> str:
    return name if len(name) <= NAME_MAX else f"{name[: NAME_MAX - 1]}…"


def _now(dot: Dot) -> str:
    return " now" if dot.chosen else ""


def _at(frame: Frame, dot: Dot) -> str:
    return f'cx="{frame.x(dot.cost)}" cy="{frame.y(dot.score)}"'
