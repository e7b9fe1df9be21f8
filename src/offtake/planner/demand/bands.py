"""Bands: what is as good as sure, likely as not, and hardly ever exceeded, month by month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from offtake.planner.demand.paths import Paths

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, slots=True)
class Bands:
    """Monthly volumes that 10%, 50% and 90% of the paths stay at or below."""

    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]


def bands(paths: Paths, volumes: Sequence[float]) -> Bands:
    """The bands of total demand; `volumes` are today's monthly ones, in the order of `paths.workloads`."""
    totals = np.tensordot(np.asarray(volumes, dtype=np.float64), paths.demand, axes=(0, 1))
    low, middle, high = (tuple(quantile(totals, paths.weights, share).tolist()) for share in SHARES)
    return Bands(low, middle, high)


def quantile(values: NDArray[np.float64], weights: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """By column of `values[path, …]`, the smallest value at or below which `share` of the weight lies."""
    order = np.argsort(values, axis=0, kind="stable")
    ordered = np.take_along_axis(values, order, axis=0)
    reached = np.cumsum(weights[order], axis=0) >= share - 1e-12
    return np.asarray(np.take_along_axis(ordered, reached.argmax(axis=0)[np.newaxis], axis=0)[0])
