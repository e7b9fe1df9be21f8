"""The pictures of a plan: where the saving comes from, demand against what was promised, and who is cheaper where.

Whole-number coordinates and CSS classes, as in `charts.py`; the numbers stand in a table beside each picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

from offtake.export.charts import tick_step, top_tick
from offtake.export.tornado import short
from offtake.values.money import ZERO, divide, to_integer
from offtake.values.shown import money

ROW, BAR, TOP, BOTTOM = 44, 20, 8, 30
LETTER = 9
LEFT, RIGHT = 62, 140
APART = 18


@dataclass(frozen=True, slots=True)
class Rung:
    """One row of a waterfall: a bar from `start` to `end`. A whole amount starts at zero."""

    name: str
    start: Decimal
    end: Decimal
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Fan:
    """Dollars by month: low, middle and high of the futures; `promised` a month, None where nothing is."""

    low: Sequence[Decimal]
    middle: Sequence[Decimal]
    high: Sequence[Decimal]
    promised: Decimal | None


@dataclass(frozen=True, slots=True)
class Square:
    """One square of a map: what is the cheapest there, and what it saves against the next."""

    kind: str
    words: str


def svg(name: str, title: str, description: str, width: int, height: int, parts: Sequence[str]) -> str:
    """A picture with a title and a description for those who listen."""
    return (
        f'<svg class="{name}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-words">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-words">{escape(description)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def waterfall(rungs: Sequence[Rung], name: str, title: str, description: str, *, width: int, currency: str) -> str:
    """From one whole amount to another, a row a step; what is saved hangs between the two."""
    most = max((max(rung.start, rung.end) for rung in rungs), default=ZERO) or Decimal(1)
    amounts = [money(rung.end if rung.is_whole else rung.end - rung.start, currency, 0) for rung in rungs]
    room = 0 if width < 600 else LETTER * max(map(len, (rung.name for rung in rungs)), default=0) + 12
    plot = width - room - LETTER * max(map(len, amounts), default=0) - 8

    def x(value: Decimal) -> int:
        return room + to_integer(divide(value * plot, most))

    parts = []
    for number, (rung, amount) in enumerate(zip(rungs, amounts, strict=True)):
        y = TOP + number * ROW
        bar_y = y + (ROW - BAR) // 2 + (0 if room else 8)
        left, right = sorted((x(rung.start), x(rung.end)))
        kind = "whole" if rung.is_whole else "saved" if rung.end <= rung.start else "added"
        label_y = bar_y + 15 if room else y + 12
        parts.append(f'<text class="name" x="0" y="{label_y}">{escape(rung.name)}</text>')
        parts.append(f'<rect class="{kind}" x="{left}" y="{bar_y}" width="{max(1, right - left)}" height="{BAR}"/>')
        parts.append(f'<text class="amount" x="{right + 8}" y="{bar_y + 15}">{escape(amount)}</text>')
        if number + 1 < len(rungs):
            at = x(rung.end)
            parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{bar_y + BAR}" y2="{bar_y + ROW}"/>')
    return svg(name, title, description, width, TOP + ROW * len(rungs) + TOP, parts)


def fan(data: Fan, name: str, title: str, description: str, *, width: int, height: int, currency: str) -> str:
    """Months across, dollars upwards: the middle future as a line, 8 of 10 as a band, the promise as a rule."""
    months = len(data.middle)
    peak = max((*data.high, data.promised or ZERO, Decimal(1)))
    step, top = tick_step(peak), top_tick(peak)

    def x(month: int) -> int:
        return LEFT + month * (width - LEFT - RIGHT) // max(months - 1, 1)

    def y(value: Decimal) -> int:
        return height - BOTTOM - to_integer(divide(value * (height - TOP - BOTTOM), top))

    def points(values: Sequence[Decimal], indices: Sequence[int]) -> str:
        return " ".join(f"{x(index)},{y(values[index])}" for index in indices)

    ahead, back = range(months), range(months - 1, -1, -1)
    parts = []
    value = ZERO
    while value <= top:
        at = y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{width - RIGHT}" y1="{at}" y2="{at}"/>')
        words = short(value, currency)
        parts.append(f'<text class="tick" x="{LEFT - 10}" y="{at + 4}" text-anchor="end">{words}</text>')
        value += step
    every = max(1, -(-months * 56 // (width - LEFT - RIGHT)))
    parts += [
        f'<text class="tick" x="{x(index)}" y="{height - 8}" text-anchor="middle">{index + 1}</text>'
        for index in range(0, months, every)
    ]
    parts.append(f'<polygon class="fan" points="{points(data.high, ahead)} {points(data.low, back)}"/>')
    parts.append(f'<polyline class="drawn" points="{points(data.middle, ahead)}"/>')
    if data.promised is not None:
        at = y(data.promised)
        parts.append(f'<line class="promise" x1="{LEFT}" x2="{width - RIGHT}" y1="{at}" y2="{at}"/>')
    parts += _fan_labels(data, width, y, currency)
    return svg(name, title, description, width, height, parts)


def _fan_labels(data: Fan, width: int, y: Callable[[Decimal], int], currency: str) -> list[str]:
    """Words at the ends of the lines, kept apart where the lines meet."""
    x = width - RIGHT + 10
    last = y(data.middle[-1])
    words = [(last, f"demand {short(data.middle[-1], currency)}", "name now")]
    if data.promised is not None:
        at = y(data.promised)
        below = at > last or last < TOP + APART
        at = at if abs(at - last) >= APART else last + (APART if below else -APART)
        words.append((at, f"promised {short(data.promised, currency)}", "name"))
    return [f'<text class="{kind}" x="{x}" y="{at + 5}">{text}</text>' for at, text, kind in words]


def squares(
    columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Square]]], name: str, title: str, description: str,
    *, width: int,
) -> str:  # fmt: skip
    """A map of squares: columns across, rows down from the first; a letter says what a colour cannot."""
    left, side = 56, 34
    plot = width - left
    parts = [
        f'<text class="tick" x="{left + (2 * index + 1) * plot // (2 * len(columns))}" y="14" '
        f'text-anchor="middle">{escape(column)}</text>'
        for index, column in enumerate(columns)
    ]
    for number, (label, cells) in enumerate(rows):
        y = 22 + number * side
        parts.append(f'<text class="tick" x="{left - 8}" y="{y + 22}" text-anchor="end">{escape(label)}</text>')
        for index, cell in enumerate(cells):
            at, following = (left + edge * plot // len(columns) for edge in (index, index + 1))
            parts.append(
                f'<rect class="square {cell.kind}" x="{at + 1}" y="{y + 1}" width="{following - at - 2}" '
                f'height="{side - 2}"/>'
            )
            if cell.words:
                middle = (at + following) // 2
                parts.append(
                    f'<text class="square-words {cell.kind}" x="{middle}" y="{y + 22}" text-anchor="middle">'
                    f"{escape(cell.words)}</text>"
                )
    return svg(name, title, description, width, 22 + side * len(rows) + 4, parts)
