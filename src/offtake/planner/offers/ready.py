"""A problem made ready for the optimisers: checked, gated, and always solvable.

What cannot be bought is found here and named, so that no solver's word ever reaches a user: a value that is no
amount, an item that no pool may serve, a level whose gate is out of reach. Items that only signed offers can serve get
a dear last pool, *unserved*: a plan that still uses it says which item needs what.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from offtake.planner.offers.problem import Floats, Pool, Problem
from offtake.values.errors import Finding, InputError

UNSERVED = "unserved"
PENALTY = 20.0  # × the dearest way to serve the item: well above what any plan pays, well within a solver's numbers
SHOWN_MAX = 5


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """`problem` with open levels only and a last pool `unserved`; `kept` are its levels' indices in the original.

    `cover` holds, for each item without a free pool, the levels and the capacities (indices) one of which must be had.
    """

    problem: Problem
    kept: tuple[int, ...]
    closed: dict[str, str]
    cover: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]


def ready(problem: Problem) -> Ready:
    """Raises InputError (P650 a bad value, P651 an item that no pool may serve)."""
    _check_values(problem)
    closed = _closed(problem)
    kept = tuple(index for index, level in enumerate(problem.levels) if level.name not in closed)
    levels = tuple(problem.levels[index] for index in kept)
    opened = {level.pool for level in levels} | {capacity.pool for capacity in problem.capacities}
    usable = sorted({*problem.free, *opened})
    admissible = ~np.isnan(problem.unit_cost)
    wanted = problem.demand.any(axis=(0, 2))
    lost = [int(j) for j in np.flatnonzero(wanted) if not admissible[j, usable].any()]
    if lost:
        raise InputError.of([_no_pool(problem, j, closed) for j in lost[:SHOWN_MAX]])
    unit_cost = problem.unit_cost.copy()
    unit_cost[:, [pool for pool in range(len(problem.pools)) if pool not in usable]] = np.nan
    needy = [int(j) for j in np.flatnonzero(wanted) if not admissible[j, list(problem.free)].any()]
    last = np.full(len(problem.items), np.nan)
    last[needy] = PENALTY * np.nanmax(unit_cost[needy], axis=1, initial=1e-6)
    whole = replace(
        problem,
        pools=(*problem.pools, Pool(UNSERVED, UNSERVED)),
        unit_cost=np.column_stack([unit_cost, last]),
        levels=levels,
    )
    cover = {
        (
            tuple(index for index, level in enumerate(levels) if admissible[j, level.pool]),
            tuple(index for index, capacity in enumerate(problem.capacities) if admissible[j, capacity.pool]),
        )
        for j in needy
    }
    return Ready(whole, kept, closed, tuple(sorted(cover)))


def refuse_unserved(problem: Problem, share: Floats) -> None:
    """Raises InputError (P652) where a plan had to leave demand unserved; `problem` is a ready one."""
    left = share[:, -1, :].max(axis=1)
    items = [int(j) for j in np.argsort(-left, kind="stable")[:SHOWN_MAX] if left[j] > 1e-6]
    if items:
        raise InputError.of([_too_little(problem, j, left[j]) for j in items])


def _check_values(problem: Problem) -> None:
    amounts = {
        "demand": problem.demand,
        "a list price factor": problem.list_price,
        "a weight": problem.weights,
        "a unit cost": problem.unit_cost[~np.isnan(problem.unit_cost)],
        "an amount of a level": np.array(
            [v for level in problem.levels for v in (level.paid(1), level.fees, level.multiplier, level.gate)]
        ),
        "a price or size of a capacity": np.array([v for c in problem.capacities for v in (c.price, c.size)]),
    }
    findings = [
        Finding("P650", "error", f"{name} is negative or not a number", hint="volumes and prices are zero or more")
        for name, values in amounts.items()
        if values.size and not (np.isfinite(values) & (values >= 0)).all()
    ]
    if abs(float(problem.weights.sum()) - 1.0) > 1e-6:
        findings.append(Finding("P650", "error", "the weights of the paths do not add to 1"))
    findings += [
        Finding("P650", "error", f"{level.name} has tiers and a monthly commitment, which are not searched together")
        for level in problem.levels
        if level.tiers and level.monthly
    ]
    if findings:
        raise InputError.of(findings)


def reachable(problem: Problem, pool: int) -> float:
    """Dollars over the horizon, in the mean of the paths, if all that a pool may serve went there."""
    return float(sum(weight * np.nansum(problem.cost(path, pool)) for path, weight in enumerate(problem.weights)))


def _closed(problem: Problem) -> dict[str, str]:
    """The levels whose gate is out of reach, in words."""
    found = {}
    for level in problem.levels:
        if level.gate and (most := reachable(problem, level.pool) * level.multiplier) < level.gate:
            found[level.name] = f"opens at {level.gate:,.0f} dollars; all that it may serve comes to {most:,.0f}"
    return found


def _no_pool(problem: Problem, item: int, closed: dict[str, str]) -> Finding:
    names = [level.name for level in problem.levels if not np.isnan(problem.unit_cost[item, level.pool])]
    shut = "; ".join(f"{name} {closed[name]}" for name in names if name in closed)
    return Finding(
        "P651", "error", f"no offer on the table may serve {problem.items[item].name}",
        why=shut or "each offer lacks a model, a region, a mode or the quality that it asks for",
        hint="add an offer that may serve it (list prices are one), or relax its region, quality floor or latency",
    )  # fmt: skip


def _too_little(problem: Problem, item: int, left: float) -> Finding:
    holders = [c.name for c in problem.capacities if not np.isnan(problem.unit_cost[item, c.pool])]
    holders += [level.name for level in problem.levels if not np.isnan(problem.unit_cost[item, level.pool])]
    return Finding(
        "P652", "error", f"no plan serves all of {problem.items[item].name}: {left:.1%} of a month is left over",
        why=f"only {', '.join(holders)} may serve it, each up to a limit",
        hint="raise that limit, or add an offer without one (list prices are one)",
    )  # fmt: skip
