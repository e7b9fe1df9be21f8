"""What a plan's page is made from: the plan, and the answers that stand beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offtake.planner.crossover import Crossover
    from offtake.planner.offers.result import PlanResult


@dataclass(frozen=True, slots=True)
class CacheRow:
    """One workload's cache: the read share at which it pays, what was measured, or the range that it must lie in."""

    workload: str
    model: str
    pays_above: Decimal | None
    measured: Decimal | None
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class ClauseWorth:
    """What one clause saves a year, against what stands without it: the mean, and what 8 of 10 futures lie between."""

    clause: str
    without: str
    mean: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Worth:
    """What the clauses of one contract to sign are worth, by size."""

    offer: str
    clauses: Sequence[ClauseWorth]


@dataclass(frozen=True, slots=True)
class Where:
    """Who is cheaper where: an aggregator's surface over these models."""

    aggregator: str
    models: Sequence[str]
    found: Crossover


@dataclass(frozen=True, slots=True)
class PlanPage:
    """What the page shows. `answer` is the plan in one line, `usage` what was read, `again` the command."""

    plan: PlanResult
    answer: str
    usage: str
    cache: Sequence[CacheRow]
    where: Where | None
    worth: Sequence[Worth]
    notes: Sequence[str]
    again: str
