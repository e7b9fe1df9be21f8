"""What the user knows of the future: launches, migrations and retirements, as changes of demand from a month on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EventKind = Literal["launch", "migration", "retirement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that will, or may, happen to a workload.

    `month` counts from 1, the first month ahead; the change arrives in equal steps over `over_months`. A launch takes
    demand to `factor` times what it would be. A migration moves `share` of it to the workload `to`; a retirement ends
    it, or moves all of it where `to` is named. `probability` is the share of paths in which it happens.
    """

    kind: EventKind
    workload: str
    month: int
    factor: float = 1.0
    share: float = 1.0
    to: str = ""
    over_months: int = 1
    probability: float = 1.0

    def done(self, months: int) -> NDArray[np.float64]:
        """`[month]`: how much of the change has arrived, 0 to 1."""
        return np.clip((np.arange(1, months + 1) - self.month + 1) / self.over_months, 0.0, 1.0)


def with_events(
    demand: NDArray[np.float64],
    workloads: Sequence[str],
    events: Sequence[Event],
    volumes: Mapping[str, float],
    happens: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """`demand[path, workload, month]` after the events, in order; `happens[path, event]`.

    `volumes` are today's, by workload: what moves is volume, and its factor on the target depends on both. A target
    without volume today gets the factor of the source, so that it counts in units of what moves.
    """
    changed = demand.copy()
    for index, event in enumerate(events):
        place = workloads.index(event.workload)
        arrived = np.outer(happens[:, index], event.done(demand.shape[2]))
        if event.kind == "launch":
            changed[:, place] *= 1.0 + (event.factor - 1.0) * arrived
            continue
        moved = changed[:, place] * arrived * (event.share if event.kind == "migration" else 1.0)
        changed[:, place] -= moved
        if event.to:
            there = volumes.get(event.to, 0.0)
            changed[:, workloads.index(event.to)] += moved * (volumes[event.workload] / there if there else 1.0)
    return changed
