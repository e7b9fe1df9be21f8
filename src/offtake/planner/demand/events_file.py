"""The events file: what is known to come, as a short YAML or JSON list.

events:
  - {kind: launch, workload: assistant, month: 3, factor: 2, over_months: 3}
  - {kind: migration, workload: search, to: assistant, month: 2, share: 50%}
  - {kind: retirement, workload: legacy, month: 6, probability: 80%}
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

from offtake.planner.demand.events import Event, EventKind
from offtake.values.errors import InputError, Place
from offtake.values.units import share
from offtake.values.yaml_text import read_yaml, step

_KINDS: dict[str, EventKind] = {kind: kind for kind in get_args(EventKind)}
_KEYS: dict[EventKind, tuple[str, ...]] = {
    "launch": ("factor",),
    "migration": ("share", "to"),
    "retirement": ("to",),
}
_SHARED = ("kind", "workload", "month", "over_months", "probability")
_NEEDED: dict[EventKind, tuple[str, ...]] = {"launch": ("factor",), "migration": ("to",), "retirement": ()}
MONTHS_MAX = 120


def read_events(text: str, file: str, workloads: Collection[str]) -> tuple[Event, ...]:
    """The events of a file's text, in order; each names a workload of `workloads`.

    InputError with file:line:column for what is missing, unknown or out of range.
    """
    data, places = read_yaml(text, file)
    listed = data.get("events") if isinstance(data, dict) and set(data) == {"events"} else data
    path = "events" if listed is not data else ""
    if not isinstance(listed, list):
        raise _wrong("a list of events is expected", Place(file), hint="events: [{kind: launch, …}]")
    rows = ((row, step(path, index)) for index, row in enumerate(listed))
    return tuple(_Row(row, at, places, workloads).event() for row, at in rows)


@dataclass(frozen=True, slots=True)
class _Row:
    data: object
    path: str
    places: Mapping[str, Place]
    workloads: Collection[str]

    def event(self) -> Event:
        if not isinstance(self.data, dict):
            raise _wrong("an event is a mapping of keys and values", self.places[self.path])
        kind = _KINDS.get(str(self.data.get("kind")))
        if kind is None:
            raise self.wrong("kind", f"an event's kind is {', '.join(_KINDS)}")
        allowed = (*_SHARED, *_KEYS[kind])
        for key in self.data:
            if key not in allowed:
                raise self.wrong(key, f"a {kind} has no {key!r}", hint=f"its keys are {', '.join(allowed)}")
        for key in ("workload", "month", *_NEEDED[kind]):
            if key not in self.data:
                raise self.wrong(key, f"the {kind} lacks {key!r}")
        found = Event(
            kind=kind, workload=self.name("workload"), month=self.months("month"),
            factor=self.factor(), share=self.share("share"), to=self.name("to"),
            over_months=self.months("over_months"), probability=self.share("probability"),
        )  # fmt: skip
        if found.to == found.workload:
            raise self.wrong("to", f"{found.to!r} cannot move to itself")
        return found

    def name(self, key: str) -> str:
        value = self.get(key)
        if value is None:
            return ""
        if str(value) not in self.workloads:
            raise self.wrong(key, f"no workload {value!r}", hint=f"known are {', '.join(sorted(self.workloads))}")
        return str(value)

    def months(self, key: str) -> int:
        value = self.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MONTHS_MAX:
            raise self.wrong(key, f"{key} is a whole number of months from 1 to {MONTHS_MAX}, not {value}")
        return value

    def factor(self) -> float:
        value = self.get("factor", 1)
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)) or not 0 <= value <= 1_000:
            raise self.wrong("factor", f"a factor is a number from 0 to 1000, not {value}", hint="2 doubles demand")
        return float(value)

    def share(self, key: str) -> float:
        try:
            found = share(self.get(key, "100%"))
        except ValueError as error:
            raise self.wrong(key, str(error)) from error
        if not 0 <= found <= 1:
            raise self.wrong(key, f"{key} lies outside of 0% to 100%")
        return float(found)

    def get(self, key: str, default: object = None) -> object:
        assert isinstance(self.data, dict)
        return self.data.get(key, default)

    def wrong(self, key: str, what: str, hint: str = "") -> InputError:
        return _wrong(what, self.places.get(step(self.path, key), self.places[self.path]), hint)


def _wrong(what: str, where: Place, hint: str = "") -> InputError:
    return InputError("P648", what, where=where, hint=hint)
