"""An evaluation: how one model did on one suite, and what the run cost. All readers give this.

A score is a share of the best possible, 0 to 1, as a Fraction: 158 of 225 is 158/225 and not 0.702. A suite of graded
answers has the mean of its items' scores. What a run cost is a money fact of its file, kept to the last digit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from offtake.values.errors import Finding, Place
from offtake.values.money import total

TOKEN_METERS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One model's run of one suite of `tasks` tasks.

    `cost` is what `costed` of the tasks cost in all; None where nobody said. `tokens` are those of the same tasks, by
    meter. `settings` say how it was run, where one model ran in several ways; `priced_as` is its name in price books.
    """

    suite: str
    model: str
    tasks: int
    score: Fraction
    where: Place
    settings: str = ""
    cost: Decimal | None = None
    costed: int = 0
    tokens: Mapping[str, int] = field(default_factory=dict)
    on: date | None = None
    priced_as: str = ""

    @property
    def name(self) -> str:
        """The model, and how it was run where that matters."""
        return f"{self.model} ({self.settings})" if self.settings else self.model

    @property
    def cost_per_task(self) -> Fraction | None:
        """What one task cost: runs of different length compare by it. None where the cost is not known."""
        return Fraction(self.cost) / self.costed if self.cost is not None and self.costed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One task of a run: its score, 0 to 1, and what it cost, where that is known."""

    id: str
    score: Fraction
    where: Place
    cost: Decimal | None = None
    tokens: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """What evaluation files hold: the runs, and what was noticed on the way. Errors among the findings end the run."""

    evaluations: tuple[Evaluation, ...]
    findings: tuple[Finding, ...] = ()


def of_items(items: Sequence[Item], *, suite: str, model: str, **facts: Any) -> Evaluation:
    """A run out of its items. Several scores of one item (epochs) are averaged first: they are one task, tried again.

    Items without a cost count for the score and not for the cost per task.
    """
    scores: dict[str, list[Fraction]] = {}
    for item in items:
        scores.setdefault(item.id, []).append(item.score)
    means = Counter(found[0] if len(found) == 1 else sum(found, Fraction(0)) / len(found) for found in scores.values())
    tasks, points = len(scores), sum((mean * times for mean, times in means.items()), Fraction(0))
    costed = [item for item in items if item.cost is not None]
    counted = costed or [item for item in items if item.tokens]
    return Evaluation(
        suite=suite, model=model, tasks=tasks, score=points / tasks,
        cost=total(item.cost for item in costed if item.cost is not None) if costed else None,
        costed=len(counted), tokens=summed(item.tokens for item in counted),
        **{"where": items[0].where, **facts},
    )  # fmt: skip


def summed(tokens: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Tokens by meter, over several."""
    found: dict[str, int] = {}
    for each in tokens:
        for meter, quantity in each.items():
            found[meter] = found.get(meter, 0) + quantity
    return {meter: quantity for meter, quantity in found.items() if quantity}
