"""Paths of list prices: they move both ways, by changes that really happened.

A contract that freezes prices gains from a rise and loses from a drop, so a plan that knows only falling prices, or
only today's, misjudges the freeze and the right to price drops alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHANGES_PER_YEAR = 0.5
"""How often a vendor moves the price of what one buys: an assumption, to be varied."""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A list price that changed: the input price before and after, dollars per million tokens, and from when.

    A successor at another price has no date of its own: whoever moves to it has the change.
    """

    model: str
    at: str
    before: float
    after: float
    source: str

    @property
    def ratio(self) -> float:
        """After by before."""
        return self.after / self.before


REAL_CHANGES = (
    PriceChange("claude-sonnet-5", "2026-09-01", 2, 3, "genai-prices@47df840: the introductory price ends"),
    PriceChange("gpt-5.6-luna", "2026-07-30", 1, 0.2, "llm-prices@723ef0b"),
    PriceChange("gpt-5.6-terra", "2026-07-30", 2.5, 2, "llm-prices@723ef0b"),
    PriceChange("claude-opus, 4.1 to 4.5", "", 15, 5, "genai-prices@47df840: the flagship's successor"),
    PriceChange("claude-opus, 4.5 to 5.5", "", 5, 4, "the vendor's pricing page: the flagship's successor"),
)


def price_paths(
    generator: np.random.Generator, paths: int, vendors: int, months: int, per_year: float = CHANGES_PER_YEAR
) -> NDArray[np.float64]:
    """`[path, vendor, month]`: the factor on a vendor's list price. Changes arrive at random and hold from then on."""
    ratios = np.log([change.ratio for change in REAL_CHANGES])
    arrivals = generator.poisson(per_year / 12, (paths, vendors, months))
    steps = np.zeros((paths, vendors, months))
    for path, vendor, month in np.argwhere(arrivals):
        steps[path, vendor, month] = generator.choice(ratios, arrivals[path, vendor, month]).sum()
    return np.exp(np.cumsum(steps, axis=2))
