"""Duplicates and conflicts among rows that were read: the plain reference that every engine must equal.

The same id with the same body is a duplicate: dropped and counted. The same id with another body is a conflict: the
first one stands, and both places are reported, because only a person can say which of the two is true.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from offtake.usage.charge import Charge
from offtake.usage.identity import body_hash
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Rejected
from offtake.values.errors import Place

Fact = TypeVar("Fact", UsageRecord, Charge)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two rows of one id that say different things; places are None for rows that were not read from a file."""

    id: str
    first: Place | None
    second: Place | None

    def __str__(self) -> str:
        return f"{self.second}: id {self.id} stands with other values in {self.first}"


@dataclass(slots=True)
class Distinct(Generic[Fact]):
    """What is left of a reading: facts with distinct ids in order, and everything that is not among them.

    read = len(facts) + duplicates + len(conflicts) + len(rejected).
    """

    facts: list[Fact] = field(default_factory=list)
    duplicates: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    @property
    def read(self) -> int:
        """All rows that came in."""
        return len(self.facts) + self.duplicates + len(self.conflicts) + len(self.rejected)


def distinct(reading: Iterable[Fact | Rejected]) -> Distinct[Fact]:
    """The reading without its duplicates, in memory."""
    result: Distinct[Fact] = Distinct()
    seen: dict[str, tuple[Hashable, Place | None]] = {}
    for item in reading:
        if isinstance(item, Rejected):
            result.rejected.append(item)
            continue
        body = _body(item)
        if item.id not in seen:
            seen[item.id] = body, item.where
            result.facts.append(item)
        elif seen[item.id][0] == body:
            result.duplicates += 1
        else:
            result.conflicts.append(Conflict(item.id, seen[item.id][1], item.where))
    return result


def _body(fact: UsageRecord | Charge) -> Hashable:
    if isinstance(fact, UsageRecord):
        return body_hash(fact)
    return (
        fact.starts_at, fact.ends_at, fact.amount, fact.currency, fact.vendor, fact.model, fact.meter, fact.quantity,
        fact.unit_price, fact.channel, fact.kind, fact.description, tuple(sorted(fact.tags.items())),
    )  # fmt: skip
