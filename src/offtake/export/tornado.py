"""A tornado: what each clause is worth, the largest first, as bars from zero with the span of 8 of 10 futures.

Whole-number coordinates and CSS classes, as in `charts.py`; the numbers stand in a table beside the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from offtake.export.charts import tick_step
from offtake.values.money import ZERO, divide, quantize, to_integer
from offtake.values.shown import money

ROW, TOP, BOTTOM = 44, 8, 30
VALUE_ROOM = 84
LETTER = 9
LABEL_LETTERS_MAX = 30


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a mean, and from where to where."""

    name: str
    mean: Decimal
    low: Decimal
    high: Decimal


def tornado(bars: Sequence[Bar], name: str, title: str, description: str, *, width: int, currency: str = "USD") -> str:
    """The picture as SVG; `bars` are in the order in which they are drawn."""
    least = min((min(bar.low, bar.mean) for bar in bars), default=ZERO)
    most = max((max(bar.high, bar.mean) for bar in bars), default=ZERO)
    left, most = min(least, ZERO), max(most, ZERO)
    room = 0 if width < 600 else LETTER * min(LABEL_LETTERS_MAX, max((len(bar.name) for bar in bars), default=0))
    plot = width - room - 2 * VALUE_ROOM
    span = (most - left) or Decimal(1)

    def x(value: Decimal) -> int:
        return room + VALUE_ROOM + to_integer(divide((value - left) * plot, span))

    height = TOP + ROW * len(bars) + BOTTOM
    parts = [*_grid(x, left, most, height, currency)]
    parts.append(f'<line class="promise" x1="{x(ZERO)}" x2="{x(ZERO)}" y1="{TOP}" y2="{height - BOTTOM}"/>')
    for index, bar in enumerate(bars):
        parts += _row(bar, TOP + index * ROW, x, room, currency)
    return (
        f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-words">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-words">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def short(value: Decimal, currency: str = "USD") -> str:
    """`$300k`, `-$1.2M`: an amount for an axis."""
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if abs(value) >= size:
            text = f"{quantize(divide(abs(value), size), 1).normalize():f}{letter}"
            shown = f"${text}" if currency == "USD" else f"{text} {currency}"
            return f"-{shown}" if value < 0 else shown
    return money(value, currency, 0)


def _grid(x: Callable[[Decimal], int], left: Decimal, most: Decimal, height: int, currency: str) -> list[str]:
    step = tick_step(max(most - left, Decimal(1)))
    value = step * int(divide(left, step))
    parts = []
    while value <= most:
        at = x(value)
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{TOP}" y2="{height - BOTTOM}"/>')
        words = short(value, currency)
        parts.append(f'<text class="tick" x="{at}" y="{height - 8}" text-anchor="middle">{words}</text>')
        value += step
    return parts


def _row(bar: Bar, y: int, x: Callable[[Decimal], int], room: int, currency: str) -> list[str]:
    zero, mean, low, high = (x(value) for value in (ZERO, bar.mean, bar.low, bar.high))
    middle = y + ROW // 2
    kind = "worth" if bar.mean >= 0 else "worth costs"
    label_x, label_y = (0, middle + 5) if room else (0, y + 11)
    bar_y = middle - 10 if room else middle - 6
    ends = max(mean, high, zero) + 8 if bar.mean >= 0 else min(mean, low, zero) - 8
    anchor = "start" if bar.mean >= 0 else "end"
    span = [
        f'<line class="span" x1="{low}" x2="{high}" y1="{bar_y + 10}" y2="{bar_y + 10}"/>',
        *(f'<line class="span" x1="{at}" x2="{at}" y1="{bar_y + 6}" y2="{bar_y + 14}"/>' for at in (low, high)),
    ]
    return [
        f'<text class="name" x="{label_x}" y="{label_y}">{escape(_cut(bar.name))}</text>',
        f'<rect class="{kind}" x="{min(zero, mean)}" y="{bar_y}" width="{max(1, abs(mean - zero))}" height="20"/>',
        *(span if low != high else []),
        f'<text class="amount" x="{ends}" y="{bar_y + 15}" text-anchor="{anchor}">{short(bar.mean, currency)}</text>',
    ]


def _cut(name: str) -> str:
    return name if len(name) <= LABEL_LETTERS_MAX else f"{name[: LABEL_LETTERS_MAX - 1]}…"
