"""The optimum of a problem by the means that fit it: one call for those who only want the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from offtake.planner.offers.benders import solve_benders
from offtake.planner.offers.enumerate import few, solve_all, ways
from offtake.planner.offers.milp import solve_exact
from offtake.planner.offers.problem import Problem, Risk, Solution, Watch
from offtake.planner.offers.programs import convex
from offtake.planner.offers.ready import ready
from offtake.planner.offers.recourse import sortable
from offtake.planner.offers.regret import Choice

Method = Literal["auto", "exact", "benders", "enumerate"]
TRIED_MAX = 5_000  # ways × paths that are tried in a few seconds
WHOLE_MAX = 5  # paths up to which the whole model is quicker than cuts from linear programs


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """The plan, how it was found, and the table of regret where few offers are on the table."""

    solution: Solution
    method: Method
    choices: tuple[Choice, ...] = ()


def optimise(
    problem: Problem,
    risk: Risk | None = None,
    watch: Watch | None = None,
    gap: float = 1e-4,
    method: Method = "auto",
) -> Optimum:
    """The best plan within `gap`, a share of its cost, or the best until `watch` stopped the search.

    By itself it tries everything where little could be signed, cuts where paths are many, else takes the whole model.
    Raises InputError (P650–P654: a bad value, an item that cannot be served, too many ways to try).
    """
    prepared = ready(problem)
    if method == "auto":
        method = _fitting(prepared.problem)
    if method == "enumerate":
        solution, choices = solve_all(prepared, risk, watch)
        return Optimum(solution, method, choices)
    if method == "benders" and convex(prepared.problem):
        return Optimum(solve_benders(prepared, risk, watch, gap), method)
    return Optimum(solve_exact(prepared, risk, watch, gap), "exact")


def _fitting(problem: Problem) -> Method:
    if few(problem) and ways(problem) * problem.paths <= TRIED_MAX:
        return "enumerate"
    if sortable(problem):
        return "benders"
    return "benders" if problem.paths > WHOLE_MAX and convex(problem) else "exact"
