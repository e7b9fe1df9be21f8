"""A result of `offtake accept`: how one model did on the buyer's own suite through the gateway, and whether it admits.

The contract stays the authority: a result counts for a suite that stands in `models.evaluation`, by the floor and the
confidence that stand there. It admits as a line of `admitted` would, and is withdrawn as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from offtake.contract.patterns import canonical, match
from offtake.contract.schema.field_types import percent
from offtake.contract.schema.models import Evaluation
from offtake.planner.routing.confidence import deviations, reaches
from offtake.values.errors import InputError


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run of a suite whose signature was found good. `until`: the first day on which it no longer counts."""

    suite: str
    model: str
    passed: int
    tasks: int
    until: date


class Standing(NamedTuple):
    """An admission: the first day on which it has ended, and where below its suite it stands ("": a result's)."""

    until: date
    place: str


def shortfall(passed: int, tasks: int, suite: Evaluation) -> str:
    """Why so many passes do not reach the floor of a suite at its confidence; "" where they do. Exact."""
    try:
        z = deviations(suite.confidence)
    except InputError as error:  # the contract asks for a confidence that nothing can show
        return error.findings[0].what
    if reaches(Fraction(passed, tasks), tasks, Fraction(suite.floor), z):
        return ""
    sure = f" at a confidence of {percent(suite.confidence)}" if suite.confidence else ""
    return f"{passed} of {tasks} tasks do not reach a floor of {percent(suite.floor)}{sure}"


def admissions_of(suite: Evaluation, results: Iterable[Accepted], model: str) -> list[Standing]:
    """The admissions of a model by a suite, ended or not: the contract's lines, then results that reach the floor."""
    lines = [
        Standing(each.until, f".admitted[{index}]")
        for index, each in enumerate(suite.admitted)
        if match(each.model, model)
    ]
    name = canonical(model)
    passed = [Standing(each.until, "") for each in passing(suite, results) if canonical(each.model) == name]
    return lines + passed


def passing(suite: Evaluation, results: Iterable[Accepted]) -> list[Accepted]:
    """The results of a suite that reach its floor."""
    return [each for each in results if each.suite == suite.suite and not shortfall(each.passed, each.tasks, suite)]
