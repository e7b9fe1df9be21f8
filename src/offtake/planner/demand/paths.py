"""Paths: many possible futures, month by month, as factors on what is known today.

Factors rather than tokens, so that one set of paths drives a cost in an optimiser, a re-rating of real usage and a
picture alike: demand of a workload in a month = its monthly volume today × the factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """`demand[path, workload, month]` and `list_price[path, vendor, month]`: factors, 1.0 is today.

    `weights[path]` sums to 1. `workloads` and `vendors` name the middle axes. A single path is a plain forecast.
    """

    workloads: tuple[str, ...]
    vendors: tuple[str, ...]
    demand: NDArray[np.float64]
    list_price: NDArray[np.float64]
    weights: NDArray[np.float64]

    @property
    def months(self) -> int:
        """The horizon."""
        return int(self.demand.shape[2])
