"""Sums of tokens under a policy, and the exact ratio that rules make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple, TypeVar

from offtake.planner.cache.replay import Outcome
from offtake.planner.cache.rules import CacheRules
from offtake.planner.cache.trace import Trace
from offtake.values.money import divide, quantize

K = TypeVar("K")
PLACES = 6


class Cell(NamedTuple):
    """What keeps sums apart. `late`: the second half of all, `late_here`: of the workload and model; `long`: above the
    context where the model's prices rise.
    """

    session: str
    workload: str
    model: int
    late: bool
    late_here: bool
    long: bool


@dataclass(slots=True)
class Tally:
    """Tokens. `read`, `written` and what is left as plain input sum to `input`; `pinged` comes on top."""

    requests: int = 0
    input: int = 0
    output: int = 0
    read: int = 0
    written: int = 0
    pinged: int = 0

    @property
    def plain(self) -> int:
        """Input that is neither read nor written."""
        return self.input - self.read - self.written

    def add(self, other: Tally) -> None:
        """Add the sums of another."""
        self.requests += other.requests
        self.input += other.input
        self.output += other.output
        self.read += other.read
        self.written += other.written
        self.pinged += other.pinged

    def weight(self, rules: CacheRules, ttl: str) -> Fraction:
        """The cost of the input in tokens at the plain input price."""
        return self.plain + (self.read + self.pinged) * rules.read + self.written * rules.write(ttl)


Cells = dict[Cell, Tally]


@dataclass(frozen=True, slots=True)
class Halves:
    """Which requests are in the second half: of all traffic, and of their own workload and model."""

    late: Sequence[bool]
    late_here: Sequence[bool]

    @classmethod
    def of(cls, trace: Trace) -> Halves:
        """The halves of a trace."""
        return cls(trace.late(), trace.late(by_workload=True))


def tally(trace: Trace, outcome: Outcome, halves: Halves, rules: Sequence[CacheRules]) -> Cells:
    """The sums of an outcome, by cell."""
    cells: Cells = {}
    for index, request in enumerate(trace.requests):
        threshold = rules[request.model].long_context
        is_long = threshold is not None and request.input_tokens > threshold
        halved = halves.late[index], halves.late_here[index]
        cell = Cell(request.session, request.workload, request.model, *halved, is_long)
        into = cells.get(cell)
        if into is None:
            into = cells[cell] = Tally()
        into.requests += 1
        into.input += request.input_tokens
        into.output += request.output_tokens
        into.read += outcome.read[index]
        into.written += outcome.written[index]
        into.pinged += outcome.pinged[index]
    return cells


def grouped(cells: Cells, key: Callable[[Cell], K]) -> dict[K, Cells]:
    """The cells by a key of theirs, in the order of their first."""
    found: dict[K, Cells] = {}
    for cell, sums in cells.items():
        found.setdefault(key(cell), {})[cell] = sums
    return found


def whole(cells: Iterable[Tally]) -> Tally:
    """One sum of all."""
    found = Tally()
    for each in cells:
        found.add(each)
    return found


def weight(cells: Cells, rules: Sequence[CacheRules], ttl: str) -> Fraction:
    """The cost of the input of these cells in tokens at the plain input price of their models."""
    return sum((sums.weight(rules[cell.model], ttl) for cell, sums in cells.items()), Fraction(0))


def ratio(cells: Cells, rules: Sequence[CacheRules], ttl: str) -> Decimal | None:
    """The cost of the input over its cost without a cache; None where there is no input."""
    tokens = sum(sums.input for sums in cells.values())
    return decimal(weight(cells, rules, ttl) / tokens) if tokens else None


def decimal(value: Fraction) -> Decimal:
    """A fraction at `PLACES` places."""
    return quantize(divide(Decimal(value.numerator), value.denominator), PLACES)
