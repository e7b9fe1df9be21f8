"""How a long search is going, on stderr: the best plan, the bound, the gap, and about how long it will take.

Ctrl-C during the search asks it to stop with its best plan so far; a second Ctrl-C interrupts the command.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite, log
from types import FrameType
from typing import TYPE_CHECKING

from offtake.cli import render

if TYPE_CHECKING:
    from offtake.planner.offers.problem import Watch

GAP_WANTED = 1e-4
EVERY_SECONDS = 0.5
WIDTH = 100


class Progress:
    """Watches one search."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._stop = False
        self._first: tuple[float, float] | None = None
        self._shown = 0.0

    @contextmanager
    def searching(self) -> Iterator[Watch]:
        """The watch of a search, with Ctrl-C as its stop."""
        from offtake.planner.offers.problem import Watch

        self._started = time.monotonic()
        main = threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGINT, self._interrupted) if main else None
        try:
            yield Watch(self._progress, lambda: self._stop, lambda: time.monotonic() - self._started)
        finally:
            if main:
                signal.signal(signal.SIGINT, before)
            if self._shown:
                sys.stderr.write("\r" + " " * WIDTH + "\r")

    def _interrupted(self, _signal: int, _frame: FrameType | None) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True
        render.note("\nstopping with the best plan so far; Ctrl-C again to leave at once")

    def _progress(self, best: float, bound: float, seconds: float) -> None:
        if not sys.stderr.isatty() or seconds - self._shown < EVERY_SECONDS:
            return
        self._shown = seconds
        words = f"searching · {seconds:,.0f} s"
        if isfinite(best):
            words += f" · best ${best:,.0f}"
        if isfinite(best) and isfinite(bound) and bound > 0:
            gap = max(0.0, best - bound) / abs(best)
            words += f" · at most {gap:.2%} from the best{self._left(gap, seconds)}"
        sys.stderr.write("\r" + words[:WIDTH].ljust(WIDTH))
        sys.stderr.flush()

    def _left(self, gap: float, seconds: float) -> str:
        """As gaps fall: by the same factor in the same time."""
        if self._first is None or gap <= 0:
            self._first = self._first or (gap, seconds)
            return ""
        gap_before, seconds_before = self._first
        fallen = log(gap_before / gap) if gap_before > gap else 0.0
        if fallen <= 0:
            return ""
        left = log(max(1.0, gap / GAP_WANTED)) * (seconds - seconds_before) / fallen
        return f" · about {left:,.0f} s left"
