"""Which way of settling paths fits: sorts where commitments over the horizon are all there is, else programs."""

from __future__ import annotations

from offtake.planner.offers.outcome import Oracle
from offtake.planner.offers.problem import Problem
from offtake.planner.offers.programs import Programs
from offtake.planner.offers.recourse import CLOSE, Sorts, sortable


def oracle_of(problem: Problem, close: float = CLOSE) -> Oracle:
    """Settles paths within `close`, a share of each path's cost, where sorts do it; exactly where programs do."""
    return Sorts(problem, max(CLOSE, close)) if sortable(problem) else Programs(problem)
