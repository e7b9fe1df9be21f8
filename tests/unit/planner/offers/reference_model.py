"""The purchase as one program for scipy, written from the words of `problem.py` alone: slow, and not our builder.

Names are text and rows are dictionaries. Each level has routes of its own (ours shares them by pool), and an item's
route is bounded by the signature itself (ours bounds a month's spend).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

from offtake.planner.offers.problem import Capacity, Level, Problem, Risk

Row = dict[str, float]


class Program:
    """Variables by name, rows as dictionaries."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.lower: list[float] = []
        self.whole: list[int] = []
        self.rows: list[tuple[Row, float, float]] = []

    def new(self, name: str, cost: float = 0.0, upper: float = np.inf, lower: float = 0.0, whole: bool = False) -> str:
        self.names[name] = len(self.cost)
        self.cost.append(cost)
        self.upper.append(upper)
        self.lower.append(lower)
        self.whole.append(int(whole))
        return name

    def at_most(self, row: Row, bound: float) -> None:
        self.rows.append((row, -np.inf, bound))

    def equal(self, row: Row, value: float) -> None:
        self.rows.append((row, value, value))

    def optimum(self) -> float:
        matrix = lil_matrix((len(self.rows), len(self.cost)))
        for number, (row, _, _) in enumerate(self.rows):
            for name, factor in row.items():
                matrix[number, self.names[name]] = factor
        found = milp(
            np.array(self.cost),
            integrality=np.array(self.whole),
            bounds=Bounds(np.array(self.lower), np.array(self.upper)),
            constraints=LinearConstraint(
                matrix.tocsr(), np.array([row[1] for row in self.rows]), np.array([row[2] for row in self.rows])
            ),
            options={"mip_rel_gap": 1e-10},
        )
        assert found.status == 0, found.message
        return float(found.fun)


def reference_cost(problem: Problem, risk: Risk) -> float:
    """The optimal objective."""
    program = Program()
    months = problem.months
    for number, level in enumerate(problem.levels):
        paid = level.monthly.amount * months if level.monthly else level.commitment
        program.new(f"sign {number}", paid + level.fees, 1.0, whole=True)
    for number, capacity in enumerate(problem.capacities):
        program.new(f"units {number}", capacity.price, capacity.units_max, whole=True)
    for offer in {level.offer for level in problem.levels}:
        of_offer = [number for number, level in enumerate(problem.levels) if level.offer == offer]
        program.at_most({f"sign {number}": 1.0 for number in of_offer}, 1.0)
    program.new("threshold", risk.weight, lower=-np.inf)
    for path, weight in enumerate(problem.weights):
        program.new(f"{path} cost", (1 - risk.weight) * float(weight), lower=-np.inf)
        program.new(f"{path} excess", risk.weight * float(weight) / (1 - risk.level))
        program.at_most({f"{path} cost": 1.0, "threshold": -1.0, f"{path} excess": -1.0}, 0.0)
        _path(program, problem, path)
    return program.optimum()


def _path(program: Program, problem: Problem, path: int) -> None:
    cost: Row = {f"{path} cost": -1.0}
    served: dict[tuple[int, int], Row] = defaultdict(dict)
    spent: dict[int, Row] = defaultdict(dict)
    opened = {level.pool for level in problem.levels} | {capacity.pool for capacity in problem.capacities}

    def price(item: int, pool: int, month: int) -> float:
        vendor = problem.pools[pool].price
        factor = 1.0 if vendor is None else problem.list_price[path, vendor, month]
        return float(problem.unit_cost[item, pool] * problem.demand[path, item, month] * factor)

    places = [(j, t) for j in range(len(problem.items)) for t in range(problem.months)]
    for pool in set(range(len(problem.pools))) - opened:
        for j, t in places:
            if not np.isnan(price(j, pool, t)):
                name = program.new(f"{path} free {pool} {j} {t}")
                served[j, t][name] = 1.0
                cost[name] = spent[pool][name] = price(j, pool, t)
    for number, level in enumerate(problem.levels):
        use: list[Row] = [{} for _ in range(problem.months)]
        for j, t in places:
            if not np.isnan(price(j, level.pool, t)):
                name = program.new(f"{path} level {number} {j} {t}")
                served[j, t][name] = 1.0
                program.at_most({name: 1.0, f"sign {number}": -1.0}, 0.0)
                use[t][name] = price(j, level.pool, t)
        most = sum(price(j, level.pool, t) for j, t in places if not np.isnan(price(j, level.pool, t)))
        spent[level.pool] |= _level(program, f"{path} {number}", level, f"sign {number}", use, most, cost)
    for number, capacity in enumerate(problem.capacities):
        _capacity(program, problem, path, number, capacity, served, spent, cost, price)
    for number, down in enumerate(problem.burn_downs):
        short, burned = program.new(f"{path} short {number}"), program.new(f"{path} burned {number}")
        cost[short] = 1.0
        program.at_most({short: -1.0, burned: -1.0}, down.other - down.commitment)
        program.at_most({burned: 1.0}, down.cap * down.commitment)
        burn = {burned: 1.0}
        for pool, share in down.counts.items():
            burn |= {name: -share * factor for name, factor in spent[pool].items()}
        program.at_most(burn, 0.0)
    for (j, t), row in served.items():
        if problem.demand[path, j, t] > 0:
            program.equal(row, 1.0)
    program.equal(cost, 0.0)


def _level(program: Program, prefix: str, level: Level, sign: str, use: list[Row], most: float, cost: Row) -> Row:
    """Rows of one level in one path; what sums to its contracted dollars."""
    months = len(use)
    contracted: Row = {name: level.multiplier * factor for row in use for name, factor in row.items()}
    if level.tiers:
        contracted = {}
        total = {name: -factor for row in use for name, factor in row.items()}
        below = 0.0
        for step, tier in enumerate(level.tiers):
            width = min(tier.up_to, below + most) - below
            part = program.new(f"{prefix} part {step}", upper=width)
            contracted[part] = tier.multiplier
            total[part] = 1.0
            below = tier.up_to
            if step:  # this part may only be used when the part before is full
                full = program.new(f"{prefix} full {step}", upper=1.0, whole=True)
                earlier = f"{prefix} part {step - 1}"
                program.at_most({part: 1.0, full: -width}, 0.0)
                program.at_most({earlier: -1.0, full: program.upper[program.names[earlier]]}, 0.0)
        program.equal(total, 0.0)
    surcharge = level.overage if np.isfinite(level.overage) else 0.0
    room = np.inf if np.isfinite(level.overage) else 0.0
    if level.monthly is None:
        over = program.new(f"{prefix} over", upper=room)
        cost[over] = surcharge
        program.at_most({**contracted, over: -1.0, sign: -level.commitment}, 0.0)
        return contracted
    terms = level.monthly
    for t in range(months):
        names = [program.new(f"{prefix} {what} {t}") for what in ("drawn", "rolled", "burst")]
        over = program.new(f"{prefix} over {t}", upper=room)
        cost[over] = surcharge
        parts = dict.fromkeys((*names, over), -1.0)
        program.equal({**{name: level.multiplier * factor for name, factor in use[t].items()}, **parts}, 0.0)
        program.at_most({names[0]: 1.0, sign: -terms.amount}, 0.0)
        program.at_most({names[2]: 1.0, sign: -(terms.burst - 1) * terms.amount}, 0.0)
    drawn = {f"{prefix} {what} {t}": 1.0 for what in ("drawn", "rolled", "burst") for t in range(months)}
    program.at_most({**drawn, sign: -terms.amount * months}, 0.0)
    windows = [range(t, min(t + terms.window_months, months)) for t in range(0, months, terms.window_months)]
    program.at_most({f"{prefix} rolled {t}": 1.0 for t in windows[0]}, 0.0)
    for before, window in pairwise(windows):
        row = {f"{prefix} rolled {t}": 1.0 for t in window}
        row |= {f"{prefix} drawn {t}": terms.rollover for t in before}
        program.at_most({**row, sign: -terms.rollover * terms.amount * len(before)}, 0.0)
    return contracted


def _capacity(
    program: Program,
    problem: Problem,
    path: int,
    number: int,
    capacity: Capacity,
    served: dict[tuple[int, int], Row],
    spent: dict[int, Row],
    cost: Row,
    price: Callable[[int, int, int], float],
) -> None:
    for block, (hours, multiple) in enumerate(capacity.blocks):
        for t in range(problem.months):
            load: Row = {f"units {number}": -capacity.size}
            for j in range(len(problem.items)):
                if not np.isnan(price(j, capacity.pool, t)):
                    name = program.new(f"{path} block {number} {block} {j} {t}", upper=1.0)
                    served[j, t][name] = hours * multiple
                    load[name] = float(capacity.load[j] * problem.demand[path, j, t] * multiple)
                    cost[name] = spent[capacity.pool][name] = price(j, capacity.pool, t) * hours * multiple
            program.at_most(load, 0.0)
