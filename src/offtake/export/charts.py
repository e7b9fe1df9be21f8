"""Charts as inline SVG: whole-number coordinates, colours by CSS class, a title and a description for those who listen.

Nothing is computed here but places on the picture; the numbers themselves stand in a table beside each chart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from html import escape

from offtake.export.words import day_words
from offtake.values.money import ZERO, divide, to_integer

TICKS_MAX = 5


@dataclass(frozen=True, slots=True)
class Drawdown:
    """A commitment being drawn: what is drawn in all before each day, and where it is heading (low, mid, high)."""

    first: date
    until: date
    committed: Decimal
    drawn: Sequence[tuple[date, Decimal]]
    heading_for: tuple[Decimal, Decimal, Decimal] | None
    unit_words: str = "$"


@dataclass(frozen=True, slots=True)
class Frame:
    """The plotting area: pixels, and the largest value and the number of days that it holds."""

    width: int
    height: int
    most: Decimal
    first: date
    days: int
    left: int = 62
    right: int = 104
    top: int = 30
    bottom: int = 30

    def x(self, day: date) -> int:
        """Days from the first, across."""
        return self.left + (day - self.first).days * (self.width - self.left - self.right) // self.days

    def y(self, value: Decimal) -> int:
        """Values upwards from zero."""
        room = self.height - self.top - self.bottom
        return self.height - self.bottom - to_integer(divide(value * room, self.most))

    def at(self, day: date, value: Decimal) -> str:
        """A point."""
        return f"{self.x(day)},{self.y(value)}"


def drawdown_chart(data: Drawdown, name: str, title: str, description: str, *, width: int, height: int) -> str:
    """Spend against commitment by day: an even draw, dotted; what is drawn; and the range that it is heading for."""
    peak = max(data.committed, *(value for _, value in data.drawn), *(data.heading_for or (ZERO,)))
    step = tick_step(peak)
    top = top_tick(peak)
    frame = Frame(width, height, top, data.first, (data.until - data.first).days)
    last, drawn = data.drawn[-1]
    parts = [*_grid(frame, step, data), _promise(frame, data)]
    if data.heading_for:
        low, mid, high = data.heading_for
        corners = f"{frame.at(last, drawn)} {frame.at(data.until, high)} {frame.at(data.until, low)}"
        parts.append(f'<polygon class="fan" points="{corners}"/>')
        parts.append(f'<polyline class="ahead" points="{frame.at(last, drawn)} {frame.at(data.until, mid)}"/>')
    points = " ".join(frame.at(day, value) for day, value in data.drawn)
    parts.append(f'<polyline class="drawn" points="{points}"/>')
    parts.append(f'<circle class="now" cx="{frame.x(last)}" cy="{frame.y(drawn)}" r="5"/>')
    parts += _labels(frame, data)
    return (
        f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-words">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-words">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def tick_step(peak: Decimal) -> Decimal:
    """1, 2 or 5 times a power of ten, so that at most five ticks reach the peak."""
    power = Decimal(1).scaleb(peak.adjusted() - 1) if peak else Decimal(1)
    return next(power * times for times in (1, 2, 5, 10, 20, 50, 100) if power * times * TICKS_MAX >= peak)


def top_tick(peak: Decimal) -> Decimal:
    """The first tick that no value lies above."""
    step = tick_step(peak)
    return step * divide(peak, step).to_integral_value(ROUND_CEILING)


def _grid(frame: Frame, step: Decimal, data: Drawdown) -> list[str]:
    parts = []
    value = ZERO
    while value <= frame.most:
        y = frame.y(value)
        parts.append(f'<line class="grid" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y}" y2="{y}"/>')
        parts.append(
            f'<text class="tick" x="{frame.left - 10}" y="{y + 4}" text-anchor="end">{_short(value, data)}</text>'
        )
        value += step
    month = data.first
    while month < data.until:
        x = frame.x(month)
        parts.append(f'<text class="tick" x="{x}" y="{frame.height - 8}">{day_words(month)}</text>')
        month = (month.replace(day=1) + timedelta(days=32)).replace(day=1)
    return parts


def _promise(frame: Frame, data: Drawdown) -> str:
    y = frame.y(data.committed)
    return (
        f'<polyline class="even" points="{frame.at(data.first, ZERO)} {frame.at(data.until, data.committed)}"/>'
        f'<line class="promise" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y}" y2="{y}"/>'
    )


def _labels(frame: Frame, data: Drawdown) -> list[str]:
    """Words on the lines themselves, so that nobody has to match colours with a legend."""
    last, drawn = data.drawn[-1]
    y = frame.y(data.committed) - 8
    half = data.first + timedelta(days=frame.days // 2)
    even = divide(data.committed * (half - data.first).days, frame.days)
    parts = [f'<text class="tick" x="{frame.x(half) - 8}" y="{frame.y(even) - 6}" text-anchor="end">even draw</text>']
    parts += [f'<text class="name" x="{frame.left + 2}" y="{y}">committed {_short(data.committed, data)}</text>']
    x, below = frame.x(last) + 10, frame.y(drawn) + 20
    parts.append(f'<text class="name now" x="{x}" y="{below}">drawn {_short(drawn, data)}</text>')
    if data.heading_for:
        x, y = frame.width - frame.right + 10, frame.y(data.heading_for[1])
        parts.append(f'<text class="name now" x="{x}" y="{y - 3}">heading for</text>')
        parts.append(f'<text class="name now" x="{x}" y="{y + 15}">{_short(data.heading_for[1], data)}</text>')
    return parts


def _short(value: Decimal, data: Drawdown) -> str:
    """`$300k`, `$1.2M`: for an axis and for words on a line."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            shown = divide(value, size).quantize(Decimal("0.1")).normalize()
            return f"{data.unit_words}{shown:f}{letter}"
    return f"{data.unit_words}{value.quantize(Decimal(1)):f}"
