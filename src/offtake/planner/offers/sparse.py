"""A sparse linear model with whole numbers, built in blocks of arrays, and its solution by HiGHS on one thread."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
from numpy.typing import ArrayLike, NDArray

from offtake.planner.offers.problem import Floats, Watch

Indices = NDArray[np.int64]
EXACT_GAP = 1e-9
SETTLED = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty)
NONE, NOWHERE = np.zeros(0), np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Values of the columns (None: none were found), the objective, its bound, and the duals of a linear model."""

    values: Floats | None
    objective: float
    bound: float
    reduced_costs: Floats
    row_duals: Floats
    stopped: bool = False


@dataclass(slots=True, eq=False)
class Model:
    """Minimise cost · x with lower <= x <= upper and rows lower <= A x <= upper. Columns and rows are only added."""

    columns: int = 0
    rows: int = 0
    _columns: list[tuple[Floats, Floats, Floats, bool]] = field(default_factory=lambda: [(NONE, NONE, NONE, False)])
    _rows: list[tuple[Floats, Floats]] = field(default_factory=lambda: [(NONE, NONE)])
    _entries: list[tuple[Indices, Indices, Floats]] = field(default_factory=lambda: [(NOWHERE, NOWHERE, NONE)])

    def add_columns(
        self, cost: ArrayLike, upper: ArrayLike = np.inf, lower: ArrayLike = 0.0, integer: bool = False
    ) -> Indices:
        """New columns, as many as there are costs; their numbers in the shape of `cost`."""
        costs = np.asarray(cost, dtype=float)
        flat = [np.broadcast_to(np.asarray(value, dtype=float), costs.shape).ravel() for value in (costs, lower, upper)]
        self._columns.append((flat[0], flat[1], flat[2], integer))
        first, self.columns = self.columns, self.columns + costs.size
        return np.arange(first, self.columns).reshape(costs.shape)

    def add_rows(self, count: int, lower: ArrayLike = -np.inf, upper: ArrayLike = np.inf) -> Indices:
        """New rows, empty so far."""
        bounds = [np.broadcast_to(np.asarray(value, dtype=float), (count,)) for value in (lower, upper)]
        self._rows.append((bounds[0], bounds[1]))
        first, self.rows = self.rows, self.rows + count
        return np.arange(first, self.rows)

    def add_entries(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Coefficients; the three are broadcast against each other. Each (row, column) comes once."""
        row, column, value = np.broadcast_arrays(rows, columns, np.asarray(values, dtype=float))
        filled = np.flatnonzero(value)
        self._entries.append((row.ravel()[filled], column.ravel()[filled], value.ravel()[filled]))

    def loaded(self, gap: float = EXACT_GAP) -> highspy.Highs:
        """HiGHS with this model in it, silent, on one thread."""
        solver = silent(gap)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self.columns, self.rows
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = (
            np.concatenate([block[part] for block in self._columns]) for part in range(3)
        )
        lp.row_lower_ = np.concatenate([block[0] for block in self._rows])
        lp.row_upper_ = np.concatenate([block[1] for block in self._rows])
        whole = np.concatenate([np.full(block[0].size, block[3]) for block in self._columns])
        if whole.any():
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[int(integer)] for integer in whole]
        row, column, value = (np.concatenate([block[part] for block in self._entries]) for part in range(3))
        order = np.lexsort((column, row))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=self.rows))]).astype(np.int32)
        lp.a_matrix_.index_ = column[order].astype(np.int32)
        lp.a_matrix_.value_ = value[order]
        solver.passModel(lp)
        return solver


def silent(gap: float = EXACT_GAP) -> highspy.Highs:
    """A solver that prints nothing, uses one thread and stops at a relative gap."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (
        ("output_flag", False), ("threads", 1), ("parallel", "off"), ("mip_rel_gap", gap), ("mip_abs_gap", 1e-6),
        ("mip_feasibility_tolerance", 1e-8),  # dollars by the million: 1e-9 would be the last digit of a float
    ):  # fmt: skip
        solver.setOptionValue(option, value)
    return solver


def run(solver: highspy.Highs, watch: Watch | None = None) -> Answer:
    """Solve what is loaded. With a watch, progress is told, and a stop gives the best so far."""
    stopped = False
    raised: list[BaseException] = []

    def look(event: Any) -> None:
        nonlocal stopped
        assert watch is not None
        try:
            if event.callback_type == highspy.cb.HighsCallbackType.kCallbackMipInterrupt:
                watch.progress(event.data_out.mip_primal_bound, event.data_out.mip_dual_bound, watch.seconds())
            stopped = stopped or watch.stop()
        except BaseException as error:  # noqa: BLE001 (such as Ctrl-C: it may not pass through the solver, which is C++)
            raised.append(error)
        if stopped or raised:
            event.interrupt()

    if watch is not None:
        solver.cbMipInterrupt += look
        solver.cbSimplexInterrupt += look
    solver.run()
    if solver.getModelStatus() not in SETTLED and not stopped and not raised:
        solver.clearSolver()  # a warm start that got lost: once more from the beginning
        solver.run()
    if watch is not None:
        solver.cbMipInterrupt -= look
        solver.cbSimplexInterrupt -= look
    if raised:
        raise raised[0]
    info, solution = solver.getInfo(), solver.getSolution()
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    whole = solver.getLp().integrality_
    objective = info.objective_function_value if found else np.inf
    return Answer(
        np.array(solution.col_value) if found else None,
        objective,
        info.mip_dual_bound if len(whole) else objective,
        np.array(solution.col_dual),
        np.array(solution.row_dual),
        stopped,
    )
