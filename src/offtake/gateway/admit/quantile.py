"""A quantile of what was seen, learned in constant memory: counts by powers of two, each in eight steps.

What it returns is the upper edge of the step that holds the quantile, so it is at most an eighth too high and never too
low. Counts are halved when they are many, so that what is old fades.
"""

from __future__ import annotations

STEPS = 8
OBSERVED_MAX = 4_096
SETTLED, REVIEWED_EVERY = 256, 32


class Quantile:
    """Whole numbers at or above zero."""

    __slots__ = ("_counts", "_known", "highest", "total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._known: dict[int, int] = {}  # quantiles that were asked for, forgotten now and then
        self.total = 0
        self.highest = 0

    def add(self, value: int) -> None:
        """One more was seen."""
        step = _step(value)
        self._counts[step] = self._counts.get(step, 0) + 1
        self.total += 1
        if value > self.highest:
            self.highest = value
            self._known.clear()
        elif self.total < SETTLED or self.total % REVIEWED_EVERY == 0:
            self._known.clear()
        if self.total >= OBSERVED_MAX:
            self._fade()

    def at(self, permille: int) -> int:
        """The value that so many of a thousand do not exceed; 0 where nothing was seen."""
        found = self._known.get(permille)
        if found is None:
            found = self._known[permille] = self._found(permille)
        return found

    def _found(self, permille: int) -> int:
        left = -(-self.total * permille // 1_000)
        for step in sorted(self._counts):
            left -= self._counts[step]
            if left <= 0:
                return min(_edge(step), self.highest)
        return 0

    def _fade(self) -> None:
        self._counts = {step: half for step, count in self._counts.items() if (half := count // 2)}
        self.total = sum(self._counts.values())
        self.highest = _edge(max(self._counts)) if self._counts else 0


def _step(value: int) -> int:
    """0 to 8 are steps of their own; above, each power of two has eight."""
    if value <= STEPS:
        return value
    shift = (value - 1).bit_length() - 4
    return STEPS + 1 + shift * STEPS + ((value - 1) >> shift) - STEPS


def _edge(step: int) -> int:
    """The largest value of a step."""
    if step <= STEPS:
        return step
    shift, part = divmod(step - STEPS - 1, STEPS)
    return (part + STEPS + 1) << shift
