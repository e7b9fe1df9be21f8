"""Small random purchases, with or without each feature."""

from __future__ import annotations

import numpy as np

from offtake.planner.offers.problem import BurnDown, Capacity, Item, Level, Monthly, Pool, Problem, Tier

MONTHS = 6


def small_problem(seed: int, paths: int = 1, plain: bool = False, offers: int = 3) -> Problem:
    """Four items, two list prices and an aggregator, `offers` contracts of two levels; `plain`: commitments alone."""
    draw = np.random.default_rng(seed)
    items, vendors = 4, 2
    pools = [Pool(f"list {v}", f"list {v}", v) for v in range(vendors)] + [Pool("aggregator", "aggregator", 0)]
    listed = draw.uniform(50, 400, (items, vendors))
    listed[draw.random(listed.shape) < 0.2] = np.nan
    columns = [listed, draw.uniform(150, 450, (items, 1))]
    demand = draw.lognormal(3, 0.5, (paths, items, MONTHS)) * (draw.random((paths, items, MONTHS)) > 0.1)
    levels: list[Level] = []
    capacities: list[Capacity] = []
    for offer in range(offers):
        pool = len(pools)
        pools.append(Pool(f"direct {offer}", f"direct {offer}", None if draw.random() < 0.7 else offer % vendors))
        columns.append(draw.uniform(50, 300, (items, 1)))
        columns[-1][draw.random((items, 1)) < 0.2] = np.nan
        if not plain and draw.random() < 0.3:
            blocks = ((0.7, 0.5), (0.3, (1 - 0.35) / 0.3))
            load = draw.uniform(0.5, 2.0, items)
            capacities.append(Capacity(f"reserved {offer}", f"direct {offer}", pool, 8_000, 20, load, 4, blocks))
            columns[-1] *= 0.1
        else:
            kind = draw.integers(3) if not plain else 0
            levels += [_level(draw, offer, pool, step, int(kind)) for step in range(2)]
    downs = (
        () if plain or draw.random() < 0.5 else (BurnDown("cloud", 60_000, 20_000, {0: 1.0, len(pools) - 1: 0.5}, 0.5),)
    )
    weights = draw.uniform(0.5, 1.5, paths)
    return Problem(
        tuple(Item(f"item {j}") for j in range(items)),
        tuple(pools),
        np.column_stack(columns),
        demand,
        np.cumprod(draw.choice([0.9, 1.0, 1.0, 1.15], (paths, vendors, MONTHS)), axis=2),
        weights / weights.sum(),
        tuple(levels),
        tuple(capacities),
        downs,
    )


def _level(draw: np.random.Generator, offer: int, pool: int, step: int, kind: int) -> Level:
    amount = float(draw.uniform(10_000, 30_000) * (1 + step))
    overage = float(draw.choice([1.0, 1.1, np.inf]))
    multiplier = float(draw.uniform(0.6, 0.9)) - 0.05 * step
    name, fees = f"direct {offer} level {step}", float(draw.uniform(0, 1_000))
    if kind == 1:
        steps = (Tier(15_000, 0.95), Tier(30_000, 0.8), Tier(np.inf, 0.6))
        return Level(name, f"direct {offer}", pool, amount / 2, fees, 1.0, overage, tiers=steps)
    if kind == 2:
        return Level(
            name, f"direct {offer}", pool, 0.0, fees, multiplier, overage, monthly=Monthly(amount / 6, 0.2, 3, 2.0)
        )
    return Level(name, f"direct {offer}", pool, amount, fees, multiplier, overage)
