"""A contract: its dated texts, and where in the file each term stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from offtake.contract.schema.terms import Terms
from offtake.values.errors import Place
from offtake.values.periods import Interval, midnight


@dataclass(frozen=True, slots=True)
class Version:
    """The text from an instant on: the signed contract, or what an amendment made of it."""

    effective: datetime
    terms: Terms
    document: str = ""


@dataclass(frozen=True, slots=True)
class Contract:
    """A parsed, checked contract. `versions` are in order of effect; `hash` is the sha256 of the file's bytes."""

    file: str
    hash: str
    versions: tuple[Version, ...]
    places: Mapping[str, Place] = field(default_factory=dict)

    @property
    def signed(self) -> Terms:
        """The text as signed, before any amendment."""
        return self.versions[0].terms

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.signed.term.time_zone)

    @property
    def span(self) -> Interval:
        """The term, as UTC instants (the last amendment's end where amendments extend it)."""
        return Interval(self.instant(self.signed.term.from_), self.instant(self.versions[-1].terms.term.until))

    def as_of(self, at: datetime) -> Terms:
        """The text in force at an instant. Before the first amendment that is the signed text."""
        current = self.versions[0].terms
        for version in self.versions[1:]:
            if version.effective <= at:
                current = version.terms
        return current

    def instant(self, when: datetime | date) -> datetime:
        """A date of the file as a UTC instant: local midnight; an instant keeps its own offset."""
        if isinstance(when, datetime):
            return (when if when.tzinfo else when.replace(tzinfo=self.zone)).astimezone(midnight(when.date(), self.zone).tzinfo)
        return midnight(when, self.zone)

    def place(self, path: str) -> Place:
        """Where a term stands: its own line, or that of the nearest term above it."""
        while path and path not in self.places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.places.get(path, Place(self.file))

    def source(self, path: str) -> str:
        """The paper's paragraph for a term: its own `source`, or that of the nearest term above it."""
        found = ""
        node: object = self.versions[-1].terms
        for step in path.replace("[", ".[").split("."):
            if step.startswith("["):
                node = node[int(step[1:-1])] if isinstance(node, list) and int(step[1:-1]) < len(node) else None
            elif isinstance(node, dict):
                node = node.get(step)
            else:
                node = getattr(node, step, getattr(node, f"{step}_", None))
            found = getattr(node, "source", None) or found
        return found
