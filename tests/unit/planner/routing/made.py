"""Runs for tests: a line says all that matters of one."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from offtake.planner.routing.evaluation import Evaluation, Reading
from offtake.planner.routing.reading import read_evaluations
from offtake.usage.rows import TextSource
from offtake.values.errors import Place


def run(model: str, passes: int, tasks: int, cost: str | None, *, on: date | None = None) -> Evaluation:
    return Evaluation(
        suite="s", model=model, tasks=tasks, score=Fraction(passes, tasks), where=Place("evals.csv", 2),
        cost=None if cost is None else Decimal(cost), costed=tasks, on=on,
    )  # fmt: skip


def read(text: str, file: str = "evals.csv", scorer: str | None = None) -> Reading:
    return read_evaluations([(TextSource(file, [text]), file.partition(".")[0])], scorer)


def said(reading: Reading) -> list[tuple[str, str, str]]:
    return [(each.code, each.severity, str(each.where)) for each in reading.findings]
