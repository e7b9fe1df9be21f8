"""Coarse time: one timer for all connections of a worker, instead of one per request.

Twice a second each watched connection is asked whether its patience is over: 0.1 µs a connection. Requests only note
`ticker.next`, so that a deadline costs them one attribute.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Protocol


class Timed(Protocol):
    """What a ticker watches."""

    def tick(self, now: float) -> None: ...


class Ticker:
    """`next` is when the coming tick is due, monotonic seconds: time rounded up, so that no patience ends early."""

    __slots__ = ("_handle", "_watched", "every_seconds", "next")

    def __init__(self, every_seconds: float = 0.5) -> None:
        self.every_seconds = every_seconds
        self.next = monotonic() + every_seconds
        self._watched: set[Timed] = set()
        self._handle: asyncio.TimerHandle | None = None

    def watch(self, timed: Timed) -> None:
        """Call `timed.tick(now)` at each tick, until it is forgotten."""
        self._watched.add(timed)
        if self._handle is None:
            self._again(monotonic())

    def forget(self, timed: Timed) -> None:
        """Tick it no more; the timer stops when nothing is watched."""
        self._watched.discard(timed)
        if not self._watched and self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _again(self, now: float) -> None:
        self.next = now + self.every_seconds
        self._handle = asyncio.get_running_loop().call_later(self.every_seconds, self._tick)

    def _tick(self) -> None:
        now = monotonic()
        # After a stall the bytes that came meanwhile are still unread: a stalled worker is no slow client.
        stalled = now - self.next > 2 * self.every_seconds
        self._again(now)
        if not stalled:
            for timed in list(self._watched):
                timed.tick(now)
