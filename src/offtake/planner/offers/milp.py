"""The exact model: what to sign, and for each path where each item goes; all features, one mixed-integer program.

For one path it is the plan for a plain forecast; for several it is the two-stage program with CVaR, whole. Its size
grows with the paths, so that Benders takes over from a handful on. `docs/internals/optimiser.md` has it as formulas.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from offtake.planner.offers.outcome import fixed_costs, solution
from offtake.planner.offers.path_model import Block, add_path
from offtake.planner.offers.problem import Floats, Risk, Solution, Watch
from offtake.planner.offers.programs import Programs
from offtake.planner.offers.ready import Ready
from offtake.planner.offers.sparse import EXACT_GAP, Indices, Model, run
from offtake.values.errors import InputError


def add_signing(model: Model, prepared: Ready) -> Indices:
    """Columns for what is signed, levels (0 or 1), then units (whole), at their fixed dollars.

    At most one level an offer; and someone for each item without a free pool.
    """
    problem = prepared.problem
    count = len(problem.levels)
    most = np.array([*(1.0 for _ in problem.levels), *(float(capacity.units_max) for capacity in problem.capacities)])
    signing = model.add_columns(fixed_costs(problem), upper=most, integer=True)
    for indices in problem.offers.values():
        model.add_entries(model.add_rows(1, upper=1.0), signing[list(indices)], 1.0)
    for levels, capacities in prepared.cover:
        row = model.add_rows(1, lower=1.0)
        model.add_entries(row, signing[list(levels)], 1.0)
        model.add_entries(row, signing[[count + index for index in capacities]], 1.0)
    return signing


@dataclass(slots=True, eq=False)
class Whole:
    """The whole model and where its parts are."""

    model: Model
    signing: Indices
    blocks: list[Block] = field(default_factory=list)


def whole_model(prepared: Ready, risk: Risk) -> Whole:
    """First stage, one block a path, and the CVaR rows where risk counts."""
    problem, model = prepared.problem, Model()
    whole = Whole(model, add_signing(model, prepared))
    levels, units = whole.signing[: len(problem.levels)], whole.signing[len(problem.levels) :]
    averse = risk.weight > 0
    if averse:
        threshold = model.add_columns(risk.weight, lower=-np.inf)
    for path, weight in enumerate(problem.weights):
        block = add_path(model, problem, path, levels, units, 0.0 if averse else weight)
        whole.blocks.append(block)
        if averse:
            cost = model.add_columns((1 - risk.weight) * weight)
            balance = model.add_rows(1, lower=0.0, upper=0.0)
            model.add_entries(balance, cost, 1.0)
            model.add_entries(balance, block.columns, -block.dollars)
            excess = model.add_columns(risk.weight * weight / (1 - risk.level))
            row = model.add_rows(1, lower=0.0)
            model.add_entries(row, [excess, cost, threshold], [1.0, -1.0, 1.0])
    return whole


def solve_exact(
    prepared: Ready, risk: Risk | None = None, watch: Watch | None = None, gap: float = EXACT_GAP
) -> Solution:
    """The optimum within `gap`, or the best plan until `watch` stopped it."""
    risk = risk or Risk()
    cheapest_signing(prepared)  # refuses where nothing serves all
    whole = whole_model(prepared, risk)
    answer = run(whole.model.loaded(gap), watch or Watch())
    if answer.values is None:  # stopped before the first plan
        signing = cheapest_signing(prepared)
    else:
        signing = np.round(answer.values[whole.signing])
    oracle = Programs(prepared.problem)
    reply = None if answer.stopped else oracle.reply(signing, Watch())
    return solution(prepared, risk, oracle, signing, answer.bound, answer.stopped, reply)


def cheapest_signing(prepared: Ready) -> Floats:
    """The least fixed dollars with which all can be served: a plan to begin with. Raises InputError (P654)."""
    problem, model = prepared.problem, Model()
    signing = add_signing(model, prepared)
    if not prepared.cover:
        return np.zeros(len(signing))
    answer = run(model.loaded())
    if answer.values is None:
        needed = [" or ".join(problem.levels[index].name for index in levels) for levels, _ in prepared.cover]
        raise InputError(
            "P654", f"nothing that can be signed serves all: {'; '.join(needed)} would be needed together",
            why="an offer gives one of its levels, and these serve what no open offer may serve",
            hint="add an offer that may serve it (list prices are one), or relax its region, quality floor or latency",
        )  # fmt: skip
    return np.round(answer.values[signing])
