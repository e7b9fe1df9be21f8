"""A sliding window that never holds more than its limit, and how several workers share one.

What was admitted is counted by slots; a slot that the window still touches counts whole, and so no window of the length
ever holds more than the limit. What that wastes is one slot of 120.

Workers do not speak to each other when a request comes. Each has a part of the limit, and the parts sum to it. Whoever
supervises them may split again by what each wanted: parts that shrink do so at once, parts that grow do so a window
later, so the sum is kept at each instant.

Time is an argument in nanoseconds that never goes back (a monotonic clock).
"""

from __future__ import annotations

from collections.abc import Sequence

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
SLOTS = 120


Counted = Sequence[tuple["Window", int]]
"""Windows, each with the place of what it counts among the amounts of a request."""


class Window:
    """At most `limit` units in any `length_ns`. `total`: what counts now."""

    __slots__ = ("_counts", "_later", "_newest", "_place", "_slot_ns", "_until_ns", "limit", "total")

    def __init__(self, limit: int, length_ns: int) -> None:
        self.limit = limit
        self.total = 0
        self._slot_ns = -(-length_ns // SLOTS)  # up, so that the slots are never shorter than the window
        self._counts = [0] * (SLOTS + 1)  # the window's slots, and one that it only touches
        self._newest = self._place = 0  # a slot, and its place among the counts
        self._until_ns = self._slot_ns  # when the newest slot ends
        self._later = (0, 0)  # the slot from which a larger limit holds, and that limit; 0 for none

    def change(self, limit: int, now_ns: int) -> None:
        """A new part of a shared limit: a smaller one holds at once, a larger one when a window has passed.

        Then what other workers admitted under their larger parts has left every window. Tell all workers in one round.
        """
        self._advance(now_ns)
        self._later = (self._newest + SLOTS + 2, limit)
        self.limit = min(self.limit, limit)

    def fits(self, amount: int, now_ns: int) -> bool:
        """Whether there is room for so many now."""
        if now_ns >= self._until_ns:
            self._advance(now_ns)
        return self.total + amount <= self.limit

    def wait_ns(self, amount: int, now_ns: int) -> int:
        """0 where so many fit now; else how long until they may, if nothing else comes. More than the limit: never."""
        if self.fits(amount, now_ns):
            return 0
        excess = self.total + amount - self.limit
        for age in range(SLOTS, -1, -1):
            slot = self._newest - age
            excess -= self._counts[slot % (SLOTS + 1)]
            if excess <= 0:
                return max((slot + SLOTS + 1) * self._slot_ns - now_ns, 1)
        return (SLOTS + 1) * self._slot_ns

    def add(self, amount: int, now_ns: int) -> None:
        """Count so many now."""
        if now_ns >= self._until_ns:
            self._advance(now_ns)
        self._counts[self._place] += amount
        self.total += amount

    def _advance(self, now_ns: int) -> None:
        newest = now_ns // self._slot_ns
        passed = newest - self._newest
        if passed <= 0:
            return
        if passed > SLOTS:
            self._counts = [0] * (SLOTS + 1)
            self.total = 0
        else:
            for slot in range(self._newest + 1, newest + 1):
                self.total -= self._counts[slot % (SLOTS + 1)]
                self._counts[slot % (SLOTS + 1)] = 0
        self._newest, self._place = newest, newest % (SLOTS + 1)
        self._until_ns = (newest + 1) * self._slot_ns
        if self._later[0] and newest >= self._later[0]:
            self.limit = self._later[1]
            self._later = (0, 0)


def take(windows: Counted, amounts: Sequence[int], now_ns: int) -> bool:
    """Count amounts on every window; False, and nothing counted, where one lacks room."""
    for window, counted in windows:
        if now_ns >= window._until_ns:
            window._advance(now_ns)
        amount = amounts[counted]
        total = window.total + amount
        if total > window.limit:
            _give_back(windows, amounts, window)
            return False
        window.total = total
        window._counts[window._place] += amount
    return True


def _give_back(windows: Counted, amounts: Sequence[int], full: Window) -> None:
    """Undo what was just counted on the windows before the one that is full."""
    for window, counted in windows:
        if window is full:
            return
        window.total -= amounts[counted]
        window._counts[window._place] -= amounts[counted]


def correct(windows: Counted, amounts: Sequence[int], taken_ns: int, used: Sequence[int], now_ns: int) -> None:
    """Put right what was taken at an instant, now that it is known: free again at once, or counted now."""
    for window, counted in windows:
        more = used[counted] - amounts[counted]
        if not more:
            continue
        if now_ns >= window._until_ns:
            window._advance(now_ns)
        if more > 0:
            window._counts[window._place] += more
            window.total += more
        elif (slot := taken_ns // window._slot_ns) > window._newest - SLOTS - 1:
            back = min(-more, window._counts[slot % (SLOTS + 1)])
            window._counts[slot % (SLOTS + 1)] -= back
            window.total -= back


def split(limit: int, wanted: Sequence[int]) -> tuple[int, ...]:
    """The limit in whole parts, by what each worker wanted; equal where nobody wanted anything. They sum to it.

    A limit that is smaller than the number of workers leaves some with nothing.
    """
    weights = [amount + 1 for amount in wanted]
    whole = sum(weights)
    parts = [limit * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(limit * weights[index] % whole), index))
    for index in by_remainder[: limit - sum(parts)]:
        parts[index] += 1
    return tuple(parts)
