"""A contract: its dated texts, and where in the file each term stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from offtake.contract.schema.terms import Terms
from offtake.values.errors import Place
from offtake.values.periods import Interval, midnight


@dataclass(frozen=True, slots=True)
class Version:
    """The text from an instant on: the signed contract, or what an amendment made of it.

    `data` is the text as plain values, as the file has it; `places` says where each of its terms stands: a changed
    term in its amendment. `changes` are the amendment's own, by path; `prorate` says what happens to a window that
    the change cuts.
    """

    effective: datetime
    terms: Terms
    document: str = ""
    prorate: Literal["days", "none"] = "days"
    changes: Mapping[str, object] = field(default_factory=dict, compare=False)
    data: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    places: Mapping[str, Place] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Contract:
    """A parsed contract. `versions` are in order of effect; `hash` is the sha256 of the file's bytes.

    `places` belong to the last version.
    """

    file: str
    hash: str
    versions: tuple[Version, ...]
    places: Mapping[str, Place] = field(default_factory=dict, repr=False, compare=False)

    @property
    def signed(self) -> Terms:
        """The text as signed, before any amendment."""
        return self.versions[0].terms

    @property
    def zone(self) -> ZoneInfo:
        """The zone of every date in the file."""
        return ZoneInfo(self.signed.term.time_zone)

    @property
    def span(self) -> Interval:
        """The term, as UTC instants (the last amendment's end where amendments extend it)."""
        return Interval(self.instant(self.signed.term.from_), self.instant(self.versions[-1].terms.term.until))

    def version_at(self, at: datetime) -> Version:
        """The version in force at an instant. Before the first amendment that is the signed text."""
        return self.versions[self.version_number(at)]

    def version_number(self, at: datetime) -> int:
        """The index of the version in force at an instant."""
        current = 0
        for index in range(1, len(self.versions)):
            if self.versions[index].effective <= at:
                current = index
        return current

    def as_of(self, at: datetime) -> Terms:
        """The text in force at an instant."""
        return self.version_at(at).terms

    def instant(self, when: datetime | date) -> datetime:
        """A date of the file as a UTC instant: local midnight; an instant without an offset is local time."""
        if isinstance(when, datetime):
            return (when if when.tzinfo else when.replace(tzinfo=self.zone)).astimezone(UTC)
        return midnight(when, self.zone)

    def day(self, at: datetime) -> str:
        """The local date of an instant, as people and ids write it: `2026-03-01`."""
        return _day(at, self.signed.term.time_zone)

    def place(self, path: str, at: datetime | None = None) -> Place:
        """Where a term stands at an instant (the last version by default): its line, or that of the term above it."""
        places = self.version_at(at).places if at else self.places
        while path and path not in places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return places.get(path, Place(self.file))

    def source(self, path: str, at: datetime | None = None) -> str:
        """The paper's paragraph for a term: its own `source`, or that of the nearest term above it."""
        found = ""
        node: object = (self.version_at(at) if at else self.versions[-1]).terms
        for step in path.replace("[", ".[").split("."):
            if step.startswith("["):
                node = node[int(step[1:-1])] if isinstance(node, list) and int(step[1:-1]) < len(node) else None
            elif isinstance(node, dict):
                node = node.get(step)
            else:
                node = getattr(node, step, getattr(node, f"{step}_", None))
            found = getattr(node, "source", None) or found
        return found


@lru_cache(maxsize=65_536)
def _day(at: datetime, time_zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(time_zone)):%Y-%m-%d}"
