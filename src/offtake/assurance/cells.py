"""Cells: what both sides say of the same usage, at the finest grain that the bill has.

Our side knows model, meter, channel and day of everything. A bill row that names less (no meter, a month instead of a
day) stands for all of it, so everything that it stands for falls into one cell, with the finer rows beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from offtake.assurance.bill import Bill, Group, Key, Rows
from offtake.assurance.expected import Part
from offtake.values.errors import Place
from offtake.values.money import ZERO

_COARSEST_FIRST = (("", ""), ("", "meter"), ("model", ""), ("model", "meter"))


@dataclass(slots=True, eq=False)
class Cell:
    """Both sides of one cell. `explained` is the amount up to which the differences found so far explain the bill;
    `passed` is what was let pass as fair rounding.
    """

    key: Key
    parts: list[Part] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    repeats: dict[tuple[int | None, Decimal], int] = field(default_factory=dict)
    fair: Decimal = ZERO
    unfair: Decimal = ZERO
    unfair_rows: int = 0
    theirs: Decimal = ZERO
    where: Place | None = None
    explained: Decimal = ZERO
    passed: Decimal = ZERO

    def take(self, rows: Rows) -> None:
        """Add rows of the bill."""
        self.groups += rows.groups.values()
        for repeated, times in rows.repeats.items():
            self.repeats[repeated] = self.repeats.get(repeated, 0) + times
        self.fair += rows.fair
        self.unfair += rows.unfair
        self.unfair_rows += rows.unfair_rows
        self.theirs += rows.amount
        self.where = self.where or rows.where

    @property
    def ours(self) -> Decimal:
        """Σ of our parts, at their contracted cost."""
        return sum((part.contracted for part in self.parts), ZERO)

    @property
    def billable(self) -> list[Part]:
        """The parts that someone pays for."""
        return [part for part in self.parts if not part.is_free]

    @property
    def free(self) -> list[Part]:
        """The parts that a clause makes free."""
        return [part for part in self.parts if part.is_free]

    @property
    def is_fine(self) -> bool:
        """Whether it is about one model's one meter, so that quantities add and have a price."""
        return bool(self.key.model and self.key.meter)


class Scopes:
    """Which cell a model's meter on a day falls into: the coarsest that some row of the bill asks for."""

    def __init__(self, rows: Iterable[Key], first: int, last: int, tells_channels: bool) -> None:
        self._spans: dict[tuple[str, str], dict[int, tuple[int, int]]] = {}
        self._tells_channels = tells_channels
        for key in sorted(rows, key=lambda key: key.end - key.start):
            if not (key.model and key.meter) or key.end - key.start > 1:
                into = self._spans.setdefault((key.model, key.meter), {})
                for day in range(max(key.start, first), min(key.end, last)):
                    into[day] = (key.start, key.end)  # a longer span overwrites a shorter one

    def of(self, model: str, meter: str, channel: str, day: int) -> Key:
        """The cell. The channel is dropped where the bill tells none apart."""
        shown = channel if self._tells_channels else ""
        for names in _COARSEST_FIRST:
            asked = (model if names[0] else "", meter if names[1] else "")
            span = self._spans.get(asked, {}).get(day)
            if span:
                return Key(*asked, shown, *span)
        return Key(model, meter, shown, day, day + 1)


def cells_of(bill: Bill, parts: Iterable[Part], first: int, last: int, named: Callable[[str], str]) -> dict[Key, Cell]:
    """The cells of the days [first, last), by key; days are ordinals. `named` gives our id of a model's name."""
    inside = ((key, rows) for key, rows in bill.usage_rows() if first <= key.start < last)
    billed = [(key._replace(model=named(key.model)), rows) for key, rows in inside]
    scopes = Scopes((key for key, _ in billed), first, last, len(bill.channels) > 1)
    cells: dict[Key, Cell] = {}
    for key, rows in billed:
        scope = scopes.of(key.model, key.meter, key.channel, key.start)
        cells.setdefault(scope, Cell(scope)).take(rows)
    for part in parts:
        if first <= part.day < last:
            scope = scopes.of(part.model, part.meter, part.channel, part.day)
            cells.setdefault(scope, Cell(scope)).parts.append(part)
    return {key: cells[key] for key in sorted(cells)}
