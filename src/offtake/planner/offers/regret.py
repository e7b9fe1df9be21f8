"""Why not: each thing that could be signed, what it costs, and what it would be regretted by, path by path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from offtake.planner.offers.outcome import risk_cost
from offtake.planner.offers.problem import Floats, Risk


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to sign. Dollars over the horizon; regret is against the best choice of the table on the same path.

    `cost` is the objective, `dearer` its distance to the best, `best_in` the share of the paths where it is the best.
    """

    sign: tuple[int, ...]
    units: tuple[int, ...]
    cost: float
    dearer: float
    mean: float
    worst: float
    regret_mean: float
    regret_max: float
    best_in: float


def table(
    risk: Risk, weights: Floats, signings: list[tuple[tuple[int, ...], tuple[int, ...]]], costs: Floats
) -> tuple[Choice, ...]:
    """The choices, cheapest first; `costs[choice, path]`."""
    least = costs.min(axis=0)
    regret = costs - least
    objective = np.array([risk_cost(risk, weights, row) for row in costs])
    best = regret <= 1e-9 * np.maximum(1.0, least)
    return tuple(
        Choice(
            sign=signings[row][0],
            units=signings[row][1],
            cost=float(objective[row]),
            dearer=float(objective[row] - objective.min()),
            mean=float(weights @ costs[row]),
            worst=float(costs[row].max()),
            regret_mean=float(weights @ regret[row]),
            regret_max=float(regret[row].max()),
            best_in=float(weights @ best[row]),
        )
        for row in np.argsort(objective, kind="stable")
    )
