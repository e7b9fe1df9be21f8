"""The standings of all contracts in force, read from the ledger: once in full, then by what each contract has cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offtake.gateway.admit.reserved import Reservation
from offtake.gateway.outlet import Outlet
from offtake.gateway.route.drawn import Drawn, Spent
from offtake.gateway.route.odds import Point
from offtake.gateway.route.standing import Standing, standing_of
from offtake.ledger.accounts import expense
from offtake.store.ledger.history import events, instant
from offtake.store.ledger.ledger import Ledger

Forecasts = Mapping[str, Mapping[str, Sequence[Point]]]
"""By contract and commitment: what its window still draws, from the planner."""


@dataclass(slots=True)
class Standings:
    """What every contract has drawn. `read` costs a pass over the ledger, `renewed` one balance for each contract."""

    ledger: Ledger
    outlets: Sequence[Outlet]
    forecasts: Forecasts = field(default_factory=dict)
    _drawn: dict[str, Drawn] = field(default_factory=dict)
    _is_read: bool = False

    def read(self, at: datetime) -> None:
        """Count every settled request of the contracts that have commitments or lapsing credits."""
        found = {each.contract: Drawn(each.terms, at) for each in self.outlets}
        self._drawn = {name: drawn for name, drawn in found.items() if drawn.matters}
        self._is_read = True
        if self._drawn:
            for event in events(self.ledger, "settle"):
                drawn = self._drawn.get(event["contract"])
                if drawn:
                    drawn.add(_spent(event))

    def renewed(self, at: datetime, reservations: Mapping[str, Reservation | None]) -> dict[str, Standing]:
        """The standings now. The first time, and where a window has ended, everything is read."""
        if not self._is_read or any((end := drawn.ends()) and at >= end for drawn in self._drawn.values()):
            self.read(at)
        found = {}
        for outlet in self.outlets:
            name, drawn = outlet.contract, self._drawn.get(outlet.contract)
            if drawn is None:
                found[name] = Standing(reservations.get(name))
                continue
            drawn.grow(self.ledger.balance(expense(outlet.vendor, name)))
            found[name] = standing_of(
                outlet.terms, at, drawn.drawn, drawn.used_pico, self.forecasts.get(name), reservations.get(name)
            )
        return found


def _spent(event: Mapping[str, Any]) -> Spent:
    return Spent(
        instant(event["used_at"]), event["model"], event.get("access", "api"), event.get("account", ""),
        event["cost_pico"], event.get("list_pico") or event["cost_pico"], event["quantities"],
    )  # fmt: skip
