"""The choice: of the models that pass the floor, the one whose tasks cost least; and what no other model beats.

Cost is compared by task, because models need different numbers of tokens for one task, and runs differ in length.
A model without a cost cannot be the cheapest of anything: it is listed apart, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from offtake.planner.routing.confidence import deviations, lower_bound, reaches, tasks_to_reach
from offtake.planner.routing.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Judged:
    """A run against the floor. `tasks_needed` would prove the floor at this score; None where the score is below."""

    run: Evaluation
    lower: Decimal
    passes: bool
    tasks_needed: int | None
    on_front: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What to route to. `judged` has every run that can be compared, cheapest first; `chosen` is None if none passes.

    `ties` are other runs of the same cost a task and the same score as the chosen one. `passed_over` are those that
    were cheaper and did not prove the floor although their score reaches it.
    """

    suite: str
    floor: Fraction
    confidence: Decimal
    chosen: Judged | None
    judged: tuple[Judged, ...]
    not_comparable: tuple[Judged, ...]

    @property
    def front(self) -> tuple[Judged, ...]:
        """The Pareto front: no other run costs less and scores as much, or scores more and costs as little."""
        return tuple(each for each in self.judged if each.on_front)

    @property
    def ties(self) -> tuple[Judged, ...]:
        """Runs that are as cheap and as good as the chosen one."""
        best = self.chosen
        return tuple(each for each in self.judged if best and each is not best and _rank(each)[:2] == _rank(best)[:2])

    @property
    def passed_over(self) -> tuple[Judged, ...]:
        """Cheaper runs whose score reaches the floor on too few tasks to prove it."""
        cheaper = self.judged if self.chosen is None else self.judged[: self.judged.index(self.chosen)]
        return tuple(each for each in cheaper if not each.passes and each.tasks_needed is not None)


def choose(runs: Sequence[Evaluation], floor: Fraction, confidence: Decimal) -> Choice:
    """The cheapest run that passes the floor with one-sided confidence. `runs` are of one suite."""
    z = deviations(confidence)
    judged = [_judged(run, floor, z) for run in runs]
    comparable = sorted((each for each in judged if each.run.cost_per_task is not None), key=_rank)
    best: Fraction | None = None
    marked: list[Judged] = []
    for each in comparable:
        score = each.run.score
        # The same cost and score twice stands on the front twice: neither beats the other.
        same = bool(marked) and marked[-1].on_front and _rank(each)[:2] == _rank(marked[-1])[:2]
        on_front = best is None or score > best or same
        best = score if best is None else max(best, score)
        marked.append(Judged(each.run, each.lower, each.passes, each.tasks_needed, on_front))
    chosen = next((each for each in marked if each.passes), None)
    apart = tuple(each for each in judged if each.run.cost_per_task is None)
    return Choice(runs[0].suite, floor, confidence, chosen, tuple(marked), apart)


def _judged(run: Evaluation, floor: Fraction, z: Fraction) -> Judged:
    return Judged(
        run,
        lower_bound(run.score, run.tasks, z),
        reaches(run.score, run.tasks, floor, z),
        tasks_to_reach(run.score, floor, z),
    )


def _rank(each: Judged) -> tuple[Fraction, Fraction, str]:
    """Cheapest first; of one cost the best score first, then by name."""
    return each.run.cost_per_task or Fraction(0), -each.run.score, each.run.name
