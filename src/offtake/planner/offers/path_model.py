"""One path's part of the model: given what is signed, where each item goes in each month, and what that costs.

The shape of each contract is here once, as linear rows: commitments over the horizon, graduated tiers, monthly
commitments with rollover and bursts, reserved units by load block, and cloud commitments that burn down.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from offtake.planner.offers.problem import Floats, Level, Monthly, Problem
from offtake.planner.offers.sparse import Indices, Model


@dataclass(slots=True, eq=False)
class Block:
    """Columns of one path, with their `dollars`.

    `routes` say which (item, pool, month) a route column is part of; `contracted` holds, by level, the columns (with
    factors) that sum to the dollars of its use.
    """

    shape: tuple[int, int, int]
    columns: Indices = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    dollars: Floats = field(default_factory=lambda: np.zeros(0))
    routes: list[tuple[Indices, Indices, float]] = field(default_factory=list)
    contracted: dict[int, tuple[Indices, Floats]] = field(default_factory=dict)

    def used(self, level: int, values: Floats) -> float:
        """Dollars of use under a level, at its rate card."""
        columns, factors = self.contracted[level]
        return float(factors @ values[columns])

    def share(self, values: Floats) -> Floats:
        """`[j, p, t]`: the part of an item's demand in a month that goes to a pool."""
        share = np.zeros(self.shape)
        for columns, places, part in self.routes:
            share.reshape(-1)[places] += part * values[columns]
        return share


@dataclass(slots=True, eq=False)
class Builder:
    """What the parts of a path share: the model, the block, and the terms that sum to each pool's spend."""

    model: Model
    problem: Problem
    path: int
    weight: float
    block: Block
    served: Indices  # the row `[j, t]` that says: all demand is served; -1 where there is none
    tight: bool  # bound each route by the signature that opens it: many more rows, far stronger cuts
    spend: dict[int, tuple[Indices, Floats]] = field(default_factory=dict)

    def columns(self, dollars: Floats, upper: object = np.inf) -> Indices:
        """Columns that cost dollars in this path."""
        made = self.model.add_columns(self.weight * dollars, upper=upper)  # type: ignore[arg-type]
        self.block.columns = np.concatenate([self.block.columns, made.ravel()])
        self.block.dollars = np.concatenate([self.block.dollars, np.asarray(dollars, dtype=float).ravel()])
        return made

    def routes(self, pool: int, dollars: Floats, part: float = 1.0) -> tuple[Indices, Indices, Indices]:
        """Columns for each (item, month) that a pool may serve: their items, months and numbers.

        A column at 1 serves `part` of the month's demand and costs `part` of `dollars[j, t]`.
        """
        items, months = np.nonzero(~np.isnan(self.problem.cost(self.path, pool)) & (self.served >= 0))
        made = self.columns(part * dollars[items, months], upper=1.0)
        self.model.add_entries(self.served[items, months], made, part)
        _, pools, horizon = self.block.shape
        self.block.routes.append((made, (items * pools + pool) * horizon + months, part))
        return items, months, made

    def bound(self, routes: Indices, openers: Indices) -> None:
        """No route without one of its openers, where bounds are tight."""
        if self.tight:
            rows = self.model.add_rows(len(routes), upper=0.0)
            self.model.add_entries(rows, routes, 1.0)
            self.model.add_entries(rows[:, None], openers[None, :], -1.0)


def add_path(
    model: Model, problem: Problem, path: int, levels: Indices, units: Indices, weight: float, tight: bool = False
) -> Block:
    """Adds one path's columns (at `weight` × their dollars) and rows; `levels` and `units` are first-stage columns."""
    demand = problem.demand[path]
    served = np.full(demand.shape, -1, dtype=np.int64)
    served[demand > 0] = model.add_rows(int((demand > 0).sum()), lower=1.0, upper=1.0)
    block = Block((len(problem.items), len(problem.pools), problem.months))
    builder = Builder(model, problem, path, weight, block, served, tight)
    for pool in problem.free:
        dollars = problem.cost(path, pool)
        items, months, made = builder.routes(pool, dollars)
        builder.spend[pool] = (made, dollars[items, months])
    by_pool: dict[int, list[int]] = {}
    for index, level in enumerate(problem.levels):
        by_pool.setdefault(level.pool, []).append(index)
    for pool, indices in by_pool.items():
        _add_levels(builder, pool, indices, levels)
    for index in range(len(problem.capacities)):
        _add_capacity(builder, index, units[index])
    for index in range(len(problem.burn_downs)):
        _add_burn_down(builder, index)
    return block


def _add_levels(builder: Builder, pool: int, indices: list[int], levels: Indices) -> None:
    """What goes to a pool in a month is spent under the one of its levels that is signed."""
    model, months = builder.model, builder.problem.months
    dollars = builder.problem.cost(builder.path, pool)
    items, when, made = builder.routes(pool, 0 * dollars)
    builder.bound(made, levels[indices])
    most = np.nansum(dollars, axis=0)
    balance = model.add_rows(months, lower=0.0, upper=0.0)
    model.add_entries(balance[when], made, dollars[items, when])
    columns, factors = [], []
    for index in indices:
        level, signed = builder.problem.levels[index], levels[index]
        listed = builder.columns(np.zeros(months))  # dollars before the level's multiplier
        model.add_entries(balance, listed, -1.0)
        rows = model.add_rows(months, upper=0.0)
        model.add_entries(rows, listed, 1.0)
        model.add_entries(rows, signed, -most)
        if level.tiers:
            paid, factor = _add_tiers(builder, level, listed, float(most.sum()))
        else:
            paid, factor = listed, np.full(months, level.multiplier)
        if level.monthly:
            _add_monthly(builder, level, level.monthly, listed, signed)
        else:
            over = builder.columns(np.array([_beyond(level)]), upper=_room(level))
            row = model.add_rows(1, upper=0.0)
            model.add_entries(row, paid, factor)
            model.add_entries(row, [over[0], signed], [-1.0, -level.commitment])
        builder.block.contracted[index] = (paid, factor)
        columns.append(paid)
        factors.append(factor)
    builder.spend[pool] = (np.concatenate(columns), np.concatenate(factors))


def _beyond(level: Level) -> float:
    """What a contracted dollar beyond the commitment costs."""
    return level.overage if np.isfinite(level.overage) else 0.0


def _room(level: Level) -> float:
    """How many contracted dollars may lie beyond the commitment."""
    return np.inf if np.isfinite(level.overage) else 0.0


def _add_tiers(builder: Builder, level: Level, listed: Indices, most: float) -> tuple[Indices, Floats]:
    """The horizon's spend in segments, filled in order: a later one opens when the one before is full."""
    model = builder.model
    edges = np.minimum([0.0, *(tier.up_to for tier in level.tiers)], most)
    widths = np.diff(edges)
    parts = builder.columns(np.zeros(len(widths)), upper=widths)
    row = model.add_rows(1, lower=0.0, upper=0.0)
    model.add_entries(row, listed, 1.0)
    model.add_entries(row, parts, -1.0)
    multipliers = np.array([tier.multiplier for tier in level.tiers])
    if (np.diff(multipliers) < 0).any():
        full = model.add_columns(np.zeros(len(widths) - 1), upper=1.0, integer=True)
        filled = model.add_rows(len(full), lower=0.0)
        model.add_entries(filled, parts[:-1], 1.0)
        model.add_entries(filled, full, -widths[:-1])
        opened = model.add_rows(len(full), upper=0.0)
        model.add_entries(opened, parts[1:], 1.0)
        model.add_entries(opened, full, -widths[1:])
    return parts, multipliers


def _add_monthly(builder: Builder, level: Level, terms: Monthly, listed: Indices, signed: np.int64) -> None:
    """A month's use = drawn from its amount + rolled over + burst + overage."""
    model, months = builder.model, builder.problem.months
    drawn, rolled, burst = (builder.columns(np.zeros(months)) for _ in range(3))
    over = builder.columns(np.full(months, _beyond(level)), upper=_room(level))
    use = model.add_rows(months, lower=0.0, upper=0.0)
    model.add_entries(use, listed, level.multiplier)
    for part in (drawn, rolled, burst, over):
        model.add_entries(use, part, -1.0)
    for part, limit in ((drawn, terms.amount), (burst, (terms.burst - 1) * terms.amount)):
        rows = model.add_rows(months, upper=0.0)
        model.add_entries(rows, part, 1.0)
        model.add_entries(rows, signed, -limit)
    total = model.add_rows(1, upper=0.0)
    for part in (drawn, rolled, burst):
        model.add_entries(total, part, 1.0)
    model.add_entries(total, signed, -terms.amount * months)
    for first in range(0, months, terms.window_months):
        window = slice(first, min(first + terms.window_months, months))
        row = model.add_rows(1, upper=0.0)
        model.add_entries(row, rolled[window], 1.0)
        if first:
            before = slice(first - terms.window_months, first)
            model.add_entries(row, drawn[before], terms.rollover)
            model.add_entries(row, signed, -terms.rollover * terms.amount * terms.window_months)


def _add_capacity(builder: Builder, index: int, units: np.int64) -> None:
    """Block by block of the load curve, what is routed here fits in the units that were bought."""
    model, capacity = builder.model, builder.problem.capacities[index]
    dollars, demand = builder.problem.cost(builder.path, capacity.pool), builder.problem.demand[builder.path]
    columns, factors = [], []
    for hours, multiple in capacity.blocks:
        items, months, made = builder.routes(capacity.pool, dollars, part=hours * multiple)
        rows = model.add_rows(builder.problem.months, upper=0.0)
        model.add_entries(rows[months], made, capacity.load[items] * demand[items, months] * multiple)
        model.add_entries(rows, units, -capacity.size)
        builder.bound(made, np.array([units]))
        columns.append(made)
        factors.append(hours * multiple * dollars[items, months])
    builder.spend[capacity.pool] = (np.concatenate(columns), np.concatenate(factors))


def _add_burn_down(builder: Builder, index: int) -> None:
    """What a cloud commitment still lacks is paid; pools burn it with a share of their spend, up to a cap."""
    model, down = builder.model, builder.problem.burn_downs[index]
    short = builder.columns(np.ones(1))
    burned = builder.columns(np.zeros(1), upper=down.cap * down.commitment)
    model.add_entries(model.add_rows(1, lower=down.commitment - down.other), [short[0], burned[0]], 1.0)
    row = model.add_rows(1, upper=0.0)
    model.add_entries(row, burned, 1.0)
    for pool, share in down.counts.items():
        if pool in builder.spend:
            columns, factors = builder.spend[pool]
            model.add_entries(row, columns, -share * factors)
