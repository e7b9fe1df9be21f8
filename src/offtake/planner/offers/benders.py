"""Many paths: what to sign is decided in a small master; each path is settled on its own and answers with a cut.

The master has the signatures and one number a path for what the path will cost; each round signs, settles all paths,
and adds one cut a path. Where commitments over the horizon are all there is, cuts come from sorts (`recourse`) and
bound every other signing strongly; otherwise from the duals of each path's linear program.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from offtake.planner.offers.milp import add_signing, cheapest_signing
from offtake.planner.offers.oracle import oracle_of
from offtake.planner.offers.outcome import Reply, fixed_costs, risk_cost, solution
from offtake.planner.offers.problem import Floats, Risk, Solution, Watch
from offtake.planner.offers.ready import Ready
from offtake.planner.offers.sparse import EXACT_GAP, Model, run


def solve_benders(prepared: Ready, risk: Risk | None = None, watch: Watch | None = None, gap: float = 1e-4) -> Solution:
    """A plan proven within `gap`, or the best until `watch` stopped it. Needs convex paths (`programs.convex`)."""
    risk, watch, problem = risk or Risk(), watch or Watch(), prepared.problem
    oracle = oracle_of(problem, gap / 50)
    master, fixed = Master(prepared, risk), fixed_costs(problem)
    signing = best_signing = cheapest_signing(prepared)
    best_reply: Reply | None = None
    best, bound, exact, seen = np.inf, -np.inf, False, set[bytes]()
    while not watch.stop() and not closed(best, bound, gap):
        fresh = signing.tobytes() not in seen
        if not fresh and exact:
            break  # what is left of the gap is below the solver's own tolerance
        if fresh:
            seen.add(signing.tobytes())
            reply = oracle.reply(signing, watch)
            if reply is None:
                break
            master.cuts.append(reply)
            cost = risk_cost(risk, problem.weights, reply.costs + fixed @ signing)
            if cost < best:
                best, best_signing, best_reply = cost, signing, reply
        exact = not fresh  # a signing that comes again: the master's own gap was the rest
        found = master.solve(EXACT_GAP if exact else gap / 4, watch)
        if found is None:
            break
        signing, bound = found[0], max(bound, found[1])
        watch.progress(best, min(bound, best), watch.seconds())
    stopped = watch.stop() and not closed(best, bound, gap)
    return solution(prepared, risk, oracle, best_signing, bound, stopped, best_reply)


def closed(best: float, bound: float, gap: float) -> bool:
    """Whether a plan is proven."""
    return bool(np.isfinite(best) and best - bound <= gap * abs(best))


@dataclass(slots=True, eq=False)
class Master:
    """What is signed against all cuts so far."""

    prepared: Ready
    risk: Risk
    cuts: list[Reply] = field(default_factory=list)

    def solve(self, gap: float, watch: Watch) -> tuple[Floats, float] | None:
        """The best signing under the cuts, and the bound: no plan costs less. None where it was stopped without one."""
        problem, model = self.prepared.problem, Model()
        signing = add_signing(model, self.prepared)
        averse = self.risk.weight > 0
        costs = model.add_columns(problem.weights * (1 - self.risk.weight if averse else 1.0))
        if averse:
            threshold = model.add_columns(self.risk.weight)
            excess = model.add_columns(self.risk.weight * problem.weights / (1 - self.risk.level))
            rows = model.add_rows(problem.paths, lower=0.0)
            model.add_entries(rows, excess, 1.0)
            model.add_entries(rows, costs, -1.0)
            model.add_entries(rows, threshold, 1.0)
        for reply in self.cuts:
            rows = model.add_rows(problem.paths, lower=reply.constants)
            model.add_entries(rows, costs, 1.0)
            model.add_entries(rows[:, None], signing[None, :], -reply.slopes)
        answer = run(model.loaded(gap), Watch(stop=watch.stop))
        return None if answer.values is None else (np.round(answer.values[signing]), answer.bound)
