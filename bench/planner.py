"""How fast the purchase is optimised, and how far from the best possible the plan is at most.

A made-up year: 50 workloads (each a part that may wait and a part that may not), 30 models of 10 vendors, a contract
with five commitment levels of each vendor beside list prices and an aggregator: 21 pools, 50 signatures to decide on.
Demand moves together and apart, workloads are switched off, list prices move both ways. Every step runs in a process of
its own, on one thread, so that CPU and peak memory are its own. Steps:

    cuts     Benders, cuts by sorts: the real size, proven to 0.1%
    few      the same for ten paths, proven to 0.01%
    whole    paths as one program, proven to 0.01%: the same ten, and a plain forecast
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.figures import Figure, arguments, show, unmet
from offtake.planner.offers.benders import solve_benders
from offtake.planner.offers.milp import solve_exact
from offtake.planner.offers.problem import Floats, Item, Level, Pool, Problem, Risk
from offtake.planner.offers.ready import ready

LEVELS = ((300_000, 0.08), (600_000, 0.12), (1_200_000, 0.17), (2_400_000, 0.22), (4_800_000, 0.28))
SPEND = 8_500_000.0  # a year at the aggregator's prices, as demand is today
DRAWS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Size:
    """How large the purchase is."""

    workloads: int = 50
    models: int = 30
    vendors: int = 10
    months: int = 12
    paths: int = 200


def purchase(draw: np.random.Generator, size: Size) -> Problem:
    """One made-up purchase."""
    listed = _list_costs(draw, size)
    rebate = draw.uniform(0.03, 0.12, size.vendors)
    aggregator = np.nanmin(np.where(np.isnan(listed), np.inf, listed) * (1 - rebate), axis=1)
    share = draw.beta(1, 2, size.workloads)  # of each workload, what may wait
    volume = np.repeat(draw.lognormal(0, 1.2, size.workloads), 2) * np.stack([1 - share, share], axis=1).ravel()
    volume *= SPEND / 12 / (volume @ aggregator)
    vendors = range(size.vendors)
    pools = [Pool(f"list {v}", f"list {v}", v) for v in vendors]
    pools += [Pool(f"direct {v}", f"direct {v}") for v in vendors]
    pools += [Pool("aggregator", "aggregator", size.vendors)]
    moves: Floats = np.where(
        draw.random((size.paths, size.vendors + 1, size.months)) < 0.03,
        draw.choice([0.67, 0.8, 1.2], (size.paths, size.vendors + 1, size.months)),
        1.0,
    )
    return Problem(
        items=tuple(Item(f"workload {j // 2}", bool(j % 2)) for j in range(2 * size.workloads)),
        pools=tuple(pools),
        unit_cost=np.column_stack([listed, listed, aggregator]),
        demand=_growth(draw, size) * volume[None, :, None],
        list_price=np.cumprod(moves, axis=2, dtype=float),
        weights=np.full(size.paths, 1 / size.paths),
        levels=tuple(
            Level(
                f"direct {v}, {amount:,} a year", f"direct {v}", size.vendors + v, float(amount), 24_000.0,
                1 - discount + float(draw.uniform(-0.03, 0.03)), 1.1,
            )
            for v in vendors
            for amount, discount in LEVELS
        ),
    )  # fmt: skip


def _list_costs(draw: np.random.Generator, size: Size) -> Floats:
    """`[j, v]`: the cheapest model of a vendor that is good enough, by the mix of input and output of each workload."""
    quality = draw.uniform(0.4, 0.95, size.models)
    floor = draw.uniform(0.4, 0.8, size.workloads)
    ratio = draw.lognormal(np.log(10), 1.0, size.workloads)[:, None]
    price = np.exp(5 * (quality - 0.7) + draw.normal(0, 0.25, size.models))
    tokens = draw.lognormal(0, 0.15, (size.workloads, size.models))  # the same text is not the same count everywhere
    cost = tokens * price * (ratio + 5 * draw.lognormal(0, 0.2, size.models)) / (1 + ratio)
    vendor = np.arange(size.models) % size.vendors
    allowed = (quality >= floor[:, None]) & (draw.random((size.workloads, size.vendors)) < 0.8)[:, vendor]
    cost = np.where(allowed, cost, np.inf)
    best = np.stack([cost[:, vendor == v].min(axis=1) for v in range(size.vendors)], axis=1)
    nobody = np.isinf(best).all(axis=1)
    best[nobody] = 5.0 * draw.lognormal(0, 0.2, (int(nobody.sum()), size.vendors))
    batch = np.where(draw.random(size.vendors) < 0.7, 0.5, 1.0)
    listed: Floats = np.stack([best, best * batch], axis=1).reshape(2 * size.workloads, size.vendors)
    return np.where(np.isinf(listed), np.nan, listed)


def _growth(draw: np.random.Generator, size: Size) -> Floats:
    """`[s, j, t]`: a common walk × each workload's own; 7% are switched off."""
    shape = (size.paths, size.workloads, size.months)
    common = np.cumsum(draw.normal(0.02, 0.08, (size.paths, 1, size.months)), axis=2)
    own = draw.normal(0, 0.5, (size.paths, size.workloads, 1)) + np.cumsum(draw.normal(0, 0.1, shape), axis=2)
    alive = draw.random((size.paths, size.workloads, 1)) >= 0.07
    growth: Floats = np.repeat(np.where(alive, np.exp(common + own), 0.0), 2, axis=1)
    return growth


def work(step: str, seed: int, size: Size, risk: Risk) -> dict[str, Any]:
    """One step: what it found, and what that took."""
    prepared = ready(purchase(np.random.default_rng(seed), size))
    started, clock = time.process_time(), time.perf_counter()
    if step == "cuts":
        found = solve_benders(prepared, risk, gap=1e-3)
    elif step == "few":
        found = solve_benders(prepared, risk, gap=1e-4)
    else:
        found = solve_exact(prepared, risk, gap=1e-4)
    return {
        "cpu": time.process_time() - started,
        "wall": time.perf_counter() - clock,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "cost": found.cost,
        "gap": found.gap,
        "signed": len(found.sign),
    }


def run_step(step: str, seed: int, size: Size, averse: float = 0.0) -> dict[str, Any]:
    """A step in a fresh process."""
    numbers = [str(value) for value in (seed, size.workloads, size.models, size.vendors, size.months, size.paths)]
    command = [sys.executable, "-m", "bench.planner", "--step", step, *numbers, str(averse)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures; `--quick` measures a fifth of the size, and judges nothing but the gap."""
    quick = getattr(options, "quick", False)
    full = Size(20, 12, 6, 12, 40) if quick else Size()
    few, one = (Size(full.workloads, full.models, full.vendors, full.months, paths) for paths in (10, 1))
    figures = []
    for seed in DRAWS:
        figures += _proven(f"{full.paths} paths, draw {seed}", run_step("cuts", seed, full), quick)
    figures += _proven(f"{full.paths} paths, draw 1, half CVaR 0.9", run_step("cuts", 1, full, 0.5), quick)
    cuts, whole, plain = run_step("few", 1, few), run_step("whole", 1, few), run_step("whole", 1, one)
    return [
        *figures,
        Figure("10 paths by cuts, CPU", cuts["cpu"], "s"),
        Figure("10 paths as one program, CPU", whole["cpu"], "s"),
        Figure("10 paths as one program, peak memory", whole["peak_mb"], "MB"),
        Figure("10 paths: cuts against one program", whole["cpu"] / cuts["cpu"], "x", "" if quick else ">= 20"),
        Figure("10 paths: cost by cuts − by one program", 100 * (cuts["cost"] / whole["cost"] - 1), "%", "<= 0.01"),
        Figure("a plain forecast as one program, CPU", plain["cpu"], "s"),
    ]


def _proven(name: str, found: dict[str, Any], quick: bool) -> list[Figure]:
    return [
        Figure(f"{name}: CPU", found["cpu"], "s", "" if quick else "<= 60"),
        Figure(f"{name}: wall", found["wall"], "s"),
        Figure(f"{name}: gap", 100 * found["gap"], "%", "<= 0.1"),
        Figure(f"{name}: contracts signed", found["signed"], ""),
        Figure(f"{name}: peak memory", found["peak_mb"], "MB", "<= 256"),
    ]


def main() -> int:
    """The script."""
    parser = arguments()
    parser.add_argument("--quick", action="store_true", help="a fifth of the size")
    parser.add_argument("--step", nargs=8, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        step, seed, *numbers, averse = options.step
        print(json.dumps(work(step, int(seed), Size(*map(int, numbers)), Risk(float(averse)))))
        return 0
    figures = measure(options)
    show("planner", figures, options.format)
    return unmet(figures)


if __name__ == "__main__":
    sys.exit(main())
