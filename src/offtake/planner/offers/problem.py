"""The purchase as numbers: what the optimisers take, and what prices, admissibility and paths fill.

Indices: item j, pool p, path s, vendor v, month t, level l. Money is in dollars and is a float: this room searches, and
`rating` prices what is printed. An item is measured in a unit of its own (such as one month of its traffic today), so
that demand × unit cost is dollars. Amounts of a level are dollars over the whole horizon; `Monthly` is by the month.

A pool is a way to buy. It is *free* (list, aggregator: open without a signature) unless a level or a capacity opens it.
What several models or modes of one pool could serve is reduced before: `unit_cost` holds the cheapest admissible one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Item:
    """One sub-workload: the part of a workload that may wait (`batchable`), or the part that may not."""

    name: str
    batchable: bool = False


@dataclass(frozen=True, slots=True)
class Pool:
    """A way to buy. `price` is the vendor of `Problem.list_price` whose moves it follows; None: frozen at signing."""

    name: str
    offer: str
    price: int | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A graduated step: up to this much of the horizon's spend (dollars before the multiplier; inf at the end)."""

    up_to: float
    multiplier: float


@dataclass(frozen=True, slots=True)
class Monthly:
    """A commitment by the month, in contracted dollars: what a month leaves unused is lost, with two ways out.

    `rollover`: this share of what a window of `window_months` left unused serves the next window.
    `burst`: a month may use up to this multiple of the amount, while the horizon's use stays within the commitment.
    """

    amount: float
    rollover: float = 0.0
    window_months: int = 3
    burst: float = 1.0


@dataclass(frozen=True, slots=True)
class Level:
    """One commitment that can be signed; of the levels of one offer at most one.

    Usage costs `multiplier` × unit cost of `pool`. At least `commitment` (dollars over the horizon, or `monthly` in its
    place) is paid; beyond it, usage costs `overage` times as much (1: the rate card covers all usage; 1.1: a surcharge;
    inf: nothing is bought beyond it, as where the discount ends at the commitment and list takes the rest). `fees` are
    dollars over the horizon. `tiers` (rising volume, falling multiplier) replace `multiplier`. `gate` closes the level
    unless all that its pool may serve, at its prices and in the mean of the paths, reaches this many dollars.
    """

    name: str
    offer: str
    pool: int
    commitment: float = 0.0
    fees: float = 0.0
    multiplier: float = 1.0
    overage: float = 1.0
    gate: float = 0.0
    monthly: Monthly | None = None
    tiers: tuple[Tier, ...] = ()

    def paid(self, months: int) -> float:
        """The dollars that are paid in any case, fees apart."""
        return self.monthly.amount * months if self.monthly else self.commitment


@dataclass(frozen=True, slots=True, eq=False)
class Capacity:
    """Whole units of reserved throughput, or one private deployment: fixed price, limited load, the rest spills.

    `price` is dollars a unit over the horizon; `size` the load that a unit carries in a month of constant load;
    `load[j]` the load of one unit of item j. `blocks` are (share of hours, load as a multiple of the mean): the shares
    add to 1, and so do the products. What does not fit in a block goes to other pools. Unit costs are paid on top.
    """

    name: str
    offer: str
    pool: int
    price: float
    size: float
    load: Floats
    units_max: int
    blocks: tuple[tuple[float, float], ...] = ((1.0, 1.0),)


@dataclass(frozen=True, slots=True)
class BurnDown:
    """A cloud commitment that stands already: `counts[p]` is the share of pool p's spend that burns it.

    Dollars over the horizon. `other` is what burns it anyway; `cap` is the most that these pools may burn, as a share
    of the commitment. What is left unburned is paid.
    """

    name: str
    commitment: float
    other: float
    counts: Mapping[int, float]
    cap: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What to decide on. Shapes: `unit_cost[j, p]` dollars a unit at today's list price (nan: not admissible),
    `demand[s, j, t]` units, `list_price[s, v, t]` factors (1 is today), `weights[s]` adding to 1.

    `route[j, p]` says which (model, mode) the unit cost is of; the optimisers hand it through unread.
    """

    items: tuple[Item, ...]
    pools: tuple[Pool, ...]
    unit_cost: Floats
    demand: Floats
    list_price: Floats
    weights: Floats
    levels: tuple[Level, ...] = ()
    capacities: tuple[Capacity, ...] = ()
    burn_downs: tuple[BurnDown, ...] = ()
    route: NDArray[np.int64] | None = None

    @property
    def months(self) -> int:
        """The horizon."""
        return int(self.demand.shape[2])

    @property
    def paths(self) -> int:
        """How many futures."""
        return int(self.demand.shape[0])

    @property
    def free(self) -> tuple[int, ...]:
        """The pools that are open without a signature."""
        signed = {level.pool for level in self.levels} | {capacity.pool for capacity in self.capacities}
        return tuple(pool for pool in range(len(self.pools)) if pool not in signed)

    @property
    def offers(self) -> dict[str, tuple[int, ...]]:
        """The offers with levels, and the indices of their levels."""
        found: dict[str, tuple[int, ...]] = {}
        for index, level in enumerate(self.levels):
            found[level.offer] = (*found.get(level.offer, ()), index)
        return found

    def cost(self, path: int, pool: int) -> Floats:
        """`[j, t]`: dollars if all of an item's demand of a month went to a pool; nan where it may not."""
        dollars: Floats = self.unit_cost[:, pool, None] * self.demand[path]
        price = self.pools[pool].price
        return dollars if price is None else dollars * self.list_price[path, price]


@dataclass(frozen=True, slots=True)
class Risk:
    """(1 − `weight`) × mean + `weight` × CVaR at `level`: the mean of the dearest 1 − `level` of the paths."""

    weight: float = 0.0
    level: float = 0.9


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on: `progress(best, bound, seconds)` is told, `stop()` is asked, `seconds()` is the clock since start.

    Costs are in dollars; `best` is inf before the first plan. A search that is stopped gives its best plan so far.
    """

    progress: Callable[[float, float, float], None] = lambda _best, _bound, _seconds: None
    stop: Callable[[], bool] = lambda: False
    seconds: Callable[[], float] = lambda: 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A plan. `cost` is the objective (mean, or with risk), `bound` what no plan can beat; both in dollars.

    `sign` are indices of levels, `units` of each capacity. `share[j, p, t]` is the part of an item's demand in a month
    that goes to a pool, in the mean of the paths; `path_costs[s]` what each path costs. `binding` says, offer by offer,
    in words what holds it at its level. `closed` are levels that were not open, with the reason.
    """

    sign: tuple[int, ...]
    units: tuple[int, ...]
    share: Floats
    cost: float
    bound: float
    path_costs: Floats
    binding: Mapping[str, str] = field(default_factory=dict)
    closed: Mapping[str, str] = field(default_factory=dict)
    stopped: bool = False

    @property
    def gap(self) -> float:
        """How far from the best possible the plan is at most, as a share of its cost."""
        return max(0.0, self.cost - self.bound) / max(abs(self.cost), 1e-9)
