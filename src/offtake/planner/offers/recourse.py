"""The second stage by sorting: what a path costs once contracts are signed, and what each committed dollar is worth.

For commitments over the horizon the dual of the routing has one number a level, λ in [0, overage]: the value of one
more contracted dollar. An item pays π = min(cheapest free pool, λ × contracted cost of each signed level), and

    cost of the path = max over λ of  Σ π − Σ λ C      (the commitments C themselves are first-stage dollars)

One λ alone is a weighted quantile of the ratios (price elsewhere / contracted cost): the newsvendor's rule, found by
one sort. Several meet at kinks, where the few items that are in doubt go to a small linear program. Any λ gives a lower
bound on the cost of *every* signing: a level that is not signed counts with the λ that makes its promise smallest,

    cost >= Σ π − Σ over levels y [λ C + Σ max(0, π − λ × contracted cost)].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from offtake.planner.offers.outcome import MeanShare, Reply, Routed
from offtake.planner.offers.problem import Floats, Problem, Watch
from offtake.planner.offers.sparse import Indices, Model, run

CLOSE = 1e-8  # relative difference of cost and bound at which a path counts as settled, where nothing else is said
SWEEPS_MAX = 12
DOUBT_MAX = 1e6  # beyond it all items are in doubt
DOUBT = 3e-3  # an item whose best two prices are this near goes to the linear program; wider where that is not enough
LEAST = 1e-12  # the smallest λ: an item that a level may not serve stays out of reach at it


def sortable(problem: Problem) -> bool:
    """Whether commitments over the horizon are all there is, so that sorts settle a path."""
    plain = all(level.monthly is None and not level.tiers for level in problem.levels)
    return plain and bool(problem.levels) and not problem.capacities and not problem.burn_downs


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """What the levels say, as arrays: `pool` indexes the pools that levels open, `limit` is the largest λ."""

    pools: tuple[int, ...]
    pool: Indices
    multiplier: Floats
    commitment: Floats
    limit: Floats


def terms(problem: Problem) -> Terms:
    """The terms of all levels of a sortable problem."""
    pools = tuple(sorted({level.pool for level in problem.levels}))
    return Terms(
        pools,
        np.array([pools.index(level.pool) for level in problem.levels], dtype=np.int64),
        np.array([level.multiplier for level in problem.levels]),
        np.array([level.commitment for level in problem.levels]),
        np.array([level.overage for level in problem.levels]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One path's prices, item by item and month by month where there is demand (index i).

    `free[i]` dollars at the cheapest free pool, `listed[k, i]` dollars in the k-th pool of levels before the multiplier
    (inf: not admissible), `where` the places of i in `[j, t]`, `cheapest` the free pool.
    """

    free: Floats
    cheapest: Indices
    listed: Floats
    where: tuple[NDArray[np.intp], ...]


def path_prices(problem: Problem, known: Terms, path: int) -> Path:
    """The prices of a path; made on demand, so that no array over all paths is held."""
    where = np.nonzero(problem.demand[path] > 0)
    free = np.stack([problem.cost(path, pool)[where] for pool in problem.free])
    free[np.isnan(free)] = np.inf
    cheapest = free.argmin(axis=0)
    listed = np.stack([problem.cost(path, pool)[where] for pool in known.pools])
    listed[np.isnan(listed)] = np.inf
    best = np.take_along_axis(free, cheapest[None, :], axis=0)[0]
    return Path(best, np.array(problem.free)[cheapest], listed, where)


@dataclass(slots=True, eq=False)
class Settled:
    """A path with what is signed: its cost (commitments and fees apart), λ of the signed levels, who serves each item.

    `routed[k, i]` is the part of an item that goes to the k-th signed level; the rest goes to the free pool.
    """

    cost: float
    values: Floats
    routed: Floats


class Sorts:
    """Settles the paths of a sortable problem within `close`; each starts from the values that it had last."""

    def __init__(self, problem: Problem, close: float = CLOSE) -> None:
        self.problem, self.terms, self.close = problem, terms(problem), close
        self._last = np.ones((problem.paths, len(problem.levels)))

    def reply(self, signing: Floats, watch: Watch, cuts: bool = True) -> Reply | None:
        """Costs and strong cuts."""
        signed = np.flatnonzero(signing > 0.5)
        costs, constants = np.empty(self.problem.paths), np.full(self.problem.paths, np.nan)
        slopes = np.full((self.problem.paths, len(signing)), np.nan)
        for number in range(self.problem.paths):
            if watch.stop():
                return None
            path = path_prices(self.problem, self.terms, number)
            settled = settle(path, self.terms, signed, self._last[number, signed], self.close)
            self._last[number, signed] = settled.values
            costs[number] = settled.cost
            if cuts:
                constants[number], slopes[number] = cut(path, self.terms, signed, settled.values)
        return Reply(costs, constants, slopes)

    def routes(self, signing: Floats) -> Routed:
        """Costs and routes."""
        signed = np.flatnonzero(signing > 0.5)
        share, costs = MeanShare(self.problem), np.empty(self.problem.paths)
        used = np.zeros((self.problem.paths, len(signing)))
        for number in range(self.problem.paths):
            path = path_prices(self.problem, self.terms, number)
            settled = settle(path, self.terms, signed, self._last[number, signed], self.close, routes=True)
            costs[number] = settled.cost
            listed = path.listed[self.terms.pool[signed]]
            listed[np.isinf(listed)] = 0.0
            used[number, signed] = self.terms.multiplier[signed] * (settled.routed * listed).sum(axis=1)
            share.add(number, self._share(path, signed, settled))
        return Routed(costs, share.mean(), used)

    def _share(self, path: Path, signed: Indices, settled: Settled) -> Floats:
        items, months = path.where
        share = np.zeros((len(self.problem.items), len(self.problem.pools), self.problem.months))
        share[items, path.cheapest, months] = 1.0 - settled.routed.sum(axis=0)
        for level, part in zip(signed, settled.routed, strict=True):
            share[items, self.problem.levels[level].pool, months] += part
        return share


def settle(path: Path, known: Terms, signed: Indices, start: Floats, close: float, routes: bool = False) -> Settled:
    """The cheapest routing of a path under the signed levels, and the exact value of a committed dollar of each.

    `routes`: who serves what is wanted too; without it, one level alone needs no more than its quantile.
    """
    contracted = known.multiplier[signed, None] * path.listed[known.pool[signed]]
    commitment, limit = known.commitment[signed], known.limit[signed]
    highest = np.where(np.isfinite(limit), limit, _highest_ratio(path.free, contracted))
    values = _ascend(path.free, contracted, commitment, highest, start)
    if not len(signed) or (len(signed) == 1 and not routes):
        return Settled(_dual(path.free, contracted, commitment, values), values, np.zeros(contracted.shape))
    doubt = DOUBT
    while True:
        found, again = _route(path.free, contracted, commitment, limit, values, doubt)
        bound = _dual(path.free, contracted, commitment, values)
        better = _dual(path.free, contracted, commitment, np.minimum(again, highest))
        if better > bound:
            values, bound = np.minimum(again, highest), better
        if (np.isfinite(found.cost) and found.cost - bound <= close * max(1.0, found.cost)) or doubt > DOUBT_MAX:
            return Settled(found.cost, values, found.routed)
        doubt *= 8


def cut(path: Path, known: Terms, signed: Indices, values: Floats) -> tuple[float, Floats]:
    """The lower bound `constant + coefficients · y` on the path's cost, tight where `signed` is signed."""
    prices = path.free.copy()
    for level, value in zip(signed, values, strict=True):
        np.minimum(prices, value * known.multiplier[level] * path.listed[known.pool[level]], out=prices)
    promise = np.empty(len(known.pool))
    for number in range(len(known.pools)):
        levels = np.flatnonzero(known.pool == number)
        promise[levels] = _promises(prices, path.listed[number], known, levels)
    promise[signed] = values * known.commitment[signed]
    return float(prices.sum()), -promise


def _promises(prices: Floats, listed: Floats, known: Terms, levels: Indices) -> Floats:
    """For each level of one pool: the least of λ C + Σ max(0, π − λ × contracted cost), by one sort for all of them."""
    served = np.flatnonzero(np.isfinite(listed))
    ratio = prices[served] / listed[served]
    order = np.argsort(-ratio)
    ratio, served = ratio[order], served[order]
    spend = np.concatenate([[0.0], np.cumsum(listed[served])])
    saved = np.concatenate([[0.0], np.cumsum(prices[served])])
    multiplier = known.multiplier[levels]
    bought = known.commitment[levels] / multiplier
    at = np.searchsorted(spend[1:], bought)
    rate = np.minimum(np.append(ratio, 0.0)[at], known.limit[levels] * multiplier)
    beyond = np.searchsorted(-ratio, -rate)  # how many items are worth more than the rate
    least: Floats = rate * bought + saved[beyond] - rate * spend[beyond]
    return least


def _highest_ratio(free: Floats, contracted: Floats) -> Floats:
    """Beyond this a value of a committed dollar changes nothing."""
    highest: Floats = (free / contracted).max(axis=1, initial=LEAST)
    return highest


def _dual(free: Floats, contracted: Floats, commitment: Floats, values: Floats) -> float:
    least: Floats = np.minimum(free, (values[:, None] * contracted).min(axis=0, initial=np.inf))
    return float(least.sum() - values @ commitment)


def _ascend(free: Floats, contracted: Floats, commitment: Floats, highest: Floats, start: Floats) -> Floats:
    """One value after the other, each at its exact quantile given the others, until none moves."""
    values = start.copy()
    for _ in range(SWEEPS_MAX if len(values) > 1 else 1):
        before = values.copy()
        for k in range(len(values)):
            rest = free
            for other in range(len(values)):
                if other != k:
                    rest = np.minimum(rest, values[other] * contracted[other])
            values[k] = _quantile(rest / contracted[k], contracted[k], commitment[k], highest[k])
        if np.abs(values - before).max(initial=0.0) <= 1e-9:
            break
    return values


def _quantile(ratio: Floats, weight: Floats, commitment: float, highest: float) -> float:
    """The value above which the items that are worth more than it just fill the commitment."""
    served = np.flatnonzero(ratio > 0)
    order = served[np.argsort(-ratio[served])]
    filled = np.cumsum(weight[order])
    at = int(np.searchsorted(filled, commitment))
    return float(min(ratio[order[at]], highest)) if at < len(order) else LEAST


def _route(
    free: Floats, contracted: Floats, commitment: Floats, limit: Floats, values: Floats, doubt: float
) -> tuple[Settled, Floats]:
    """Who serves what: clear items by price, those within `doubt` of a tie by a linear program; and its duals."""
    count, size = contracted.shape
    offers = np.vstack([free, values[:, None] * contracted])
    best = offers.argmin(axis=0)
    least = np.take_along_axis(offers, best[None, :], axis=0)[0]
    near = offers <= least + doubt * np.maximum(least, free * 1e-3)
    near[1:] &= np.isfinite(contracted)
    unclear = np.flatnonzero(near.sum(axis=0) > 1)
    routed = np.zeros((count, size))
    clear = np.ones(size, dtype=bool)
    clear[unclear] = False
    for k in range(count):
        routed[k, clear & (best == k + 1)] = 1.0
    fixed = free[clear & (best == 0)].sum()
    spend = np.array([contracted[k, routed[k] > 0].sum() for k in range(count)])
    model = Model()
    over = model.add_columns(np.where(np.isfinite(limit), limit, 0.0), upper=np.where(np.isfinite(limit), np.inf, 0.0))
    held = model.add_rows(count, upper=commitment - spend)
    model.add_entries(held, over, -1.0)
    served = model.add_rows(len(unclear), upper=1.0)
    who, item = np.nonzero(near[1:, unclear])
    part = model.add_columns(-free[unclear[item]])
    model.add_entries(served[item], part, 1.0)
    model.add_entries(held[who], part, contracted[who, unclear[item]])
    answer = run(model.loaded())
    if answer.values is None:  # a capped commitment is overfull with the items that are clear: widen the doubt
        return Settled(np.inf, values, routed), values
    routed[who, unclear[item]] = answer.values[part]
    cost = fixed + free[unclear].sum() + answer.objective
    return Settled(float(cost), values, routed), np.maximum(LEAST, -answer.row_duals[held])
