"""How requests end that a dead worker left without an end: by a person's word, or by a vendor's report of usage.

A person names the cost. A report has the usage, which is booked as if the gateway had read it: the request is then
rated, compared and exported as any other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from offtake.usage.record import UsageRecord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLY = 60_000_000
"""Microseconds by which a vendor's clock may be behind ours."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The end of one request, decided by a person. It is an entry of the books.

    `used_at` and what follows it: of a request whose usage is known, and then `more` are the other fields of a
    settlement.
    """

    id: str
    at: int
    budgets: tuple[str, ...]
    cost_pico: int
    contract: str
    vendor: str
    by: str
    why: str
    used_at: int = 0
    model: str = ""
    access: str = "api"
    list_pico: int | None = None
    quantities: Mapping[str, int] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)
    holds: bytes = b"{}"

    @property
    def kind(self) -> str:
        """A settlement where the usage is known."""
        return "settle" if self.used_at else "resolve"

    def payload(self) -> bytes:
        """It as a line of the ledger holds it."""
        names = ["kind", "id", "at", "budgets", "cost_pico", "contract", "vendor"]
        names += ["used_at", "model", "access", "list_pico", "quantities"] if self.used_at else ["why", "by"]
        fields = {name: getattr(self, name) for name in names} | dict(self.more)
        return json.dumps(fields, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Open:
    """A request without an end, as far as a vendor's row can tell it from others. `at`: microseconds since 1970."""

    request: str
    at: int
    model: str
    contract: str
    budgets: tuple[str, ...]


def rows_of(
    requests: Sequence[Open],
    rows: Sequence[UsageRecord],
    is_model: Callable[[Open, UsageRecord], bool],
    late_microseconds: int,
) -> tuple[dict[str, UsageRecord], list[str]]:
    """The vendor's row of each request that has one, and the requests whose row cannot be told from others.

    A row that bears the request's own name is its row. Any other is one of the same model that the vendor dates within
    `late_microseconds` after the request was sent; it is taken where it can be nobody else's, or where it makes no
    difference: all whose it could be are of one contract and draw the same budgets, and there are no more rows.
    """
    named = {row.id: row for row in rows} | {row.vendor_request_id: row for row in rows}
    found = {each.request: named[each.request] for each in requests if each.request in named}
    taken = {row.id for row in found.values()}
    by_model: dict[tuple[str, str], list[Open]] = defaultdict(list)
    for each in sorted(requests, key=lambda each: (each.at, each.request)):
        if each.request not in found:
            by_model[each.contract, each.model].append(each)
    unclear: list[str] = []
    for group in by_model.values():
        candidates = {
            each.request: [
                row
                for row in sorted(rows, key=lambda row: (row.used_at, row.id))
                if row.id not in taken and is_model(each, row) and -EARLY <= _at(row) - each.at <= late_microseconds
            ]
            for each in group
        }
        matched = _assigned(group, candidates)
        found |= matched
        taken |= {row.id for row in matched.values()}
        unclear += [
            name for name, possible in candidates.items()
            if name not in matched and any(row.id not in taken for row in possible)
        ]  # fmt: skip
    return found, unclear


def _assigned(group: Sequence[Open], candidates: Mapping[str, Sequence[UsageRecord]]) -> dict[str, UsageRecord]:
    """A row for each request, where no other choice would book anything else."""
    rows = {row.id for possible in candidates.values() for row in possible}
    if len({each.budgets for each in group}) == 1 and len(rows) <= len(group):
        found: dict[str, UsageRecord] = {}
        taken: set[str] = set()
        for each in group:
            row = next((row for row in candidates[each.request] if row.id not in taken), None)
            if row is not None:
                found[each.request] = row
                taken.add(row.id)
        return found
    wanted: dict[str, int] = defaultdict(int)
    for possible in candidates.values():
        for row in possible:
            wanted[row.id] += 1
    return {
        name: possible[0] for name, possible in candidates.items() if len(possible) == 1 and wanted[possible[0].id] == 1
    }


def _at(row: UsageRecord) -> int:
    return (row.used_at - _EPOCH) // timedelta(microseconds=1)
