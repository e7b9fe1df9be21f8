"""Credit lots: money that is there before it is spent, drawn in a stated total order, and gone when it expires.

A prepaid balance is the sum of its lots: the budget's own amount, and each top-up or bonus. The burn order is total:
priority (0 first), rank (the named order: such as promotional before paid), expiry (never last), creation, name. Every
order of the same lots draws the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lot:
    """One grant of a budget. It can be drawn before `expires_at` (microseconds; None: for ever)."""

    name: str
    budget: str
    granted_pico: int
    created_at: int
    expires_at: int | None = None
    priority: int = 0
    rank: int = 0

    def is_open(self, at: int) -> bool:
        """Whether it can be drawn at an instant."""
        return self.created_at <= at and (self.expires_at is None or at < self.expires_at)

    @property
    def order(self) -> tuple[int, int, bool, int, int, str]:
        """Where it stands in the burn order."""
        never = self.expires_at is None
        return (self.priority, self.rank, never, self.expires_at or 0, self.created_at, self.name)


def draws(lots: Iterable[Lot], left: Mapping[str, int], pico: int, at: int) -> dict[str, int]:
    """What each open lot pays of an amount that was spent at an instant: lot → picodollars, none of them zero.

    `left`: lot → what is left of it. The sum is less than the amount only where all open lots are empty.
    """
    found: dict[str, int] = {}
    for lot in sorted(lots, key=lambda lot: lot.order):
        drawn = min(left.get(lot.name, 0), pico) if lot.is_open(at) else 0
        if drawn > 0:
            found[lot.name] = drawn
            pico -= drawn
    return found
