"""A worker's lease of one budget, in memory: holding and settling are subtractions of whole numbers.

The store lends a chunk durably (`available → lease`) before it is added here. `free` is what no hold has taken; open
holds and what was settled are gone from it already. So the sum over all workers of free + holds + settled never exceeds
what was lent, whatever dies.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Lease:
    """What a worker may still spend of a budget, in picodollars."""

    budget: str
    free_pico: int = 0
    holds_pico: int = 0

    def add(self, pico: int) -> None:
        """The store has lent so much more."""
        self.free_pico += pico

    def reserve(self, pico: int) -> bool:
        """Hold so much for one request; False, and nothing held, where it is not there."""
        if pico > self.free_pico:
            return False
        self.free_pico -= pico
        self.holds_pico += pico
        return True

    def settle(self, hold_pico: int, cost_pico: int) -> None:
        """The request that held `hold_pico` has cost `cost_pico` (0: it was released). What is left is free again."""
        self.holds_pico -= hold_pico
        self.free_pico += hold_pico - cost_pico

    def spare(self, keep_pico: int) -> int:
        """Take out what is free above `keep_pico`, for the store to take back; 0 where there is none."""
        pico = max(self.free_pico - keep_pico, 0)
        self.free_pico -= pico
        return pico
