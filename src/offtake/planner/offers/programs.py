"""The second stage by programs: each path's own linear program, whatever the features (whole numbers for tiers)."""

from __future__ import annotations

import highspy
import numpy as np

from offtake.planner.offers.outcome import MeanShare, Reply, Routed
from offtake.planner.offers.path_model import Block, add_path
from offtake.planner.offers.problem import Floats, Problem, Watch
from offtake.planner.offers.sparse import Answer, Indices, Model, run

NUDGE = 1e-4  # cuts are taken this far on the way to half of everything: of all duals, those that bound others best
HELD_MAX = 1_000_000  # entries of loaded programs that are kept from round to round, some 100 bytes each


class Programs:
    """Settles paths with HiGHS. Its cuts bound other signings only where `convex` holds."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self._convex, self._room = problem, convex(problem), HELD_MAX
        shares = [0.5 / len(problem.offers[level.offer]) for level in problem.levels]
        self._inside = np.array([*shares, *(0.5 * capacity.units_max for capacity in problem.capacities)])
        self._held: dict[int, tuple[highspy.Highs, Block, Indices]] = {}

    def reply(self, signing: Floats, watch: Watch, cuts: bool = True) -> Reply | None:
        """Costs, and cuts from the reduced costs of what is signed; nan where a path's program is not linear."""
        paths = self.problem.paths
        costs, constants = np.empty(paths), np.full(paths, np.nan)
        slopes = np.full((paths, len(signing)), np.nan)
        nudged = signing + NUDGE * (self._inside - signing)
        for path in range(paths):
            if watch.stop():
                return None
            costs[path] = self._solved(path, signing)[0].objective
            if cuts and self._convex:
                answer, _, columns = self._solved(path, nudged)
                slopes[path] = answer.reduced_costs[columns]
                constants[path] = answer.objective - slopes[path] @ nudged
        return Reply(costs, constants, slopes)

    def routes(self, signing: Floats) -> Routed:
        """Costs and routes."""
        share, used = MeanShare(self.problem), np.zeros((self.problem.paths, len(self.problem.levels)))
        costs = np.empty(self.problem.paths)
        for path in range(self.problem.paths):
            answer, block, _ = self._solved(path, signing)
            assert answer.values is not None
            costs[path] = answer.objective
            share.add(path, block.share(answer.values))
            used[path] = [block.used(level, answer.values) for level in range(len(self.problem.levels))]
        return Routed(costs, share.mean(), used)

    def _solved(self, path: int, signing: Floats) -> tuple[Answer, Block, Indices]:
        held = self._held.get(path) or self._load(path)
        solver, block, columns = held
        if path not in self._held and (entries := solver.getNumNz()) <= self._room:
            self._room -= entries
            self._held[path] = held
        solver.changeColsBounds(len(columns), columns.astype(np.int32), signing, signing)
        return run(solver), block, columns

    def _load(self, path: int) -> tuple[highspy.Highs, Block, Indices]:
        model, count = Model(), len(self.problem.levels)
        columns = model.add_columns(np.zeros(count + len(self.problem.capacities)))
        block = add_path(model, self.problem, path, columns[:count], columns[count:], 1.0, tight=self._convex)
        return model.loaded(), block, columns


def convex(problem: Problem) -> bool:
    """Whether a path's cost is convex in what is signed: no tier gets cheaper with volume."""
    return not any(
        later.multiplier < earlier.multiplier
        for level in problem.levels
        for earlier, later in zip(level.tiers, level.tiers[1:], strict=False)
    )
