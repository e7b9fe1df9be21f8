"""Duplicates and conflicts among rows that were read: the plain reference that every engine must equal.

Rows that say the same under one id are duplicates: one stays, the others are dropped and counted. Rows that differ
under one id are a conflict: none of them stays, because only a person can say which is true, and all are counted. So
what stays does not depend on the order of rows or files.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from offtake.usage.charge import Charge
from offtake.usage.identity import body_hash
from offtake.usage.record import UsageRecord
from offtake.usage.rows import NotUsage, Rejected
from offtake.values.errors import Place

Fact = TypeVar("Fact", UsageRecord, Charge)


@dataclass(frozen=True, slots=True)
class Conflict:
    """`rows` rows stand under one id and do not agree: the places of the first of them, and of one that differs.

    A place is None for a row that was not read from a file.
    """

    id: str
    first: Place | None
    second: Place | None
    rows: int

    def __str__(self) -> str:
        return f"{self.second or 'a row'}: id {self.id} stands with other values in {self.first or 'another row'}"


@dataclass(slots=True)
class Distinct(Generic[Fact]):
    """What is left of a reading: facts with distinct ids in order, and everything that is not among them.

    read = len(facts) + duplicates + conflicting + len(rejected); `not_usage` is counted apart.
    """

    facts: list[Fact] = field(default_factory=list)
    duplicates: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    not_usage: int = 0

    @property
    def conflicting(self) -> int:
        """All rows that stand in conflict."""
        return sum(conflict.rows for conflict in self.conflicts)

    @property
    def read(self) -> int:
        """All rows that came in."""
        return len(self.facts) + self.duplicates + self.conflicting + len(self.rejected)


def distinct(reading: Iterable[Fact | Rejected | NotUsage]) -> Distinct[Fact]:
    """The reading without its duplicates and conflicts, in memory."""
    result: Distinct[Fact] = Distinct()
    by_id: dict[str, list[Fact]] = {}
    for item in reading:
        if isinstance(item, Rejected):
            result.rejected.append(item)
        elif isinstance(item, NotUsage):
            result.not_usage += 1
        else:
            by_id.setdefault(item.id, []).append(item)
    for rows in by_id.values():
        if len(rows) == 1 or len({_body(row) for row in rows}) == 1:
            result.facts.append(rows[0])
            result.duplicates += len(rows) - 1
        else:
            result.conflicts.append(conflict_of(rows))
    return result


def conflict_of(rows: Sequence[UsageRecord | Charge]) -> Conflict:
    """The conflict of rows that share an id and differ."""
    first, *others = sorted(rows, key=_place_order)
    second = next(row for row in others if _body(row) != _body(first))
    return Conflict(first.id, first.where, second.where, len(rows))


def _place_order(fact: UsageRecord | Charge) -> tuple[str, int]:
    return (fact.where.file, fact.where.line or 0) if fact.where else ("", 0)


def _body(fact: UsageRecord | Charge) -> Hashable:
    if isinstance(fact, UsageRecord):
        return body_hash(fact)
    return (
        fact.starts_at, fact.ends_at, fact.amount, fact.currency, fact.vendor, fact.model, fact.meter, fact.quantity,
        fact.unit_price, fact.channel, fact.kind, fact.description, tuple(sorted(fact.tags.items())),
    )  # fmt: skip
