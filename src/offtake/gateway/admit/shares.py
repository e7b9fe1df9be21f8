"""How several workers keep one limit: each has a share, and the shares never sum to more than the limit.

At start the shares are equal. The supervisor asks each worker from time to time what it wanted to admit, and splits
again by that. A share that shrinks does so at once; a share that grows does so one window later, when what the others
had admitted under their old shares has left every window. So the sum is kept at each instant without a word between
workers on the hot path. A limit smaller than the number of workers leaves some with nothing until they ask.
"""

from __future__ import annotations

from collections.abc import Sequence


def split(limit: int, wanted: Sequence[int]) -> tuple[int, ...]:
    """The limit in whole parts, by what each worker wanted; equal where nobody wanted anything. They sum to it."""
    weights = [amount + 1 for amount in wanted]
    whole = sum(weights)
    parts = [limit * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(limit * weights[index] % whole), index))
    for index in by_remainder[: limit - sum(parts)]:
        parts[index] += 1
    return tuple(parts)


class Share:
    """One worker's share of one limit over time."""

    __slots__ = ("_from_ns", "_length_ns", "_next", "_now")

    def __init__(self, share: int, length_ns: int) -> None:
        self._now = self._next = share
        self._from_ns = 0
        self._length_ns = length_ns

    def change(self, share: int, now_ns: int) -> None:
        """The supervisor's new split. Every worker is told in the same round."""
        self._now = min(self.at(now_ns), share)
        self._next = share
        self._from_ns = now_ns + self._length_ns

    def at(self, now_ns: int) -> int:
        """What may be admitted in a window that ends now."""
        return self._next if now_ns >= self._from_ns else self._now
