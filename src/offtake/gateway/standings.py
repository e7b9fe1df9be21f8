"""The standings of all contracts in force, read from the ledger: once in full, then by what each contract has cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from offtake.gateway.admit.reserved import Reservation
from offtake.gateway.forecasts import Forecasts
from offtake.gateway.log import say
from offtake.gateway.outlet import Outlet
from offtake.gateway.route.drawn import Drawn, Spent
from offtake.gateway.route.odds import Point
from offtake.gateway.route.standing import Standing, pace, standing_of
from offtake.ledger.accounts import expense
from offtake.store.ledger.history import events_after, instant
from offtake.store.ledger.ledger import Ledger
from offtake.store.ledger.tallies import HOUR, Sums, Tally, tallied_after, tallies


@dataclass(slots=True)
class Standings:
    """What every contract has drawn. `read` goes over the ledger's tallies, `renewed` costs one balance a contract."""

    ledger: Ledger
    outlets: Sequence[Outlet]
    forecasts: Forecasts = field(default_factory=dict)
    _drawn: dict[str, Drawn] = field(default_factory=dict)
    _is_read: bool = False
    _out_of_date: set[tuple[str, str]] = field(default_factory=set)

    def read(self, at: datetime) -> None:
        """Count all settled requests of the contracts that have commitments or lapsing credits.

        Tallies name no accounts: the requests of a contract that tells affiliates apart are read one by one, and so are
        those of a time before there were tallies.
        """
        found = {each.contract: Drawn(each.terms, at) for each in self.outlets}
        self._drawn = {name: drawn for name, drawn in found.items() if drawn.matters}
        self._is_read = True
        if not self._drawn:
            return
        apart = {name for name, drawn in self._drawn.items() if drawn.terms.by_affiliate}
        with self.ledger.reading():
            for tally, sums in tallies(self.ledger):
                if tally.contract in self._drawn and tally.contract not in apart:
                    self._drawn[tally.contract].add(_tallied(tally, sums))
            start = tallied_after(self.ledger)
            for block, event in events_after(self.ledger, 0, "settle") if apart or start else ():
                if event["contract"] in apart or (block <= start and event["contract"] in self._drawn):
                    self._drawn[event["contract"]].add(_spent(event))

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
                outlet.terms, at, drawn.drawn, drawn.used_pico, dict(self._still_drawn(outlet, at, drawn.drawn)),
                reservations.get(name),
            )  # fmt: skip
        return found

    def _still_drawn(
        self, outlet: Outlet, at: datetime, drawn: Mapping[str, int]
    ) -> Iterator[tuple[str, Sequence[Point]]]:
        """What commitments with a forecast still draw: at its own pace where a window has outrun the forecast.

        That a forecast is out of date is said once.
        """
        for id, forecast in self.forecasts.get(outlet.contract, {}).items():
            rest, holds = forecast.rest(at, drawn.get(id, 0)), forecast.holds(at)
            if rest is None and (outlet.contract, id) not in self._out_of_date:
                self._out_of_date.add((outlet.contract, id))
                why = "more is drawn than was expected of the whole window" if holds else "its window is not open"
                say("a forecast is out of date", contract=outlet.contract, commitment=id, why=why)
            if rest is not None:
                yield id, rest
            elif holds:
                yield id, pace(outlet.terms, at, drawn).get(id, ())


def _tallied(tally: Tally, sums: Sums) -> Spent:
    """The requests of an hour as one: a window that begins within an hour has all of it."""
    return Spent(
        instant(tally.hour * HOUR), tally.model, tally.access, "", sums.cost_pico, sums.list_pico, sums.quantities
    )


def _spent(event: Mapping[str, Any]) -> Spent:
    return Spent(
        instant(event["used_at"]), event["model"], event.get("access", "api"), event.get("account", ""),
        event["cost_pico"], event.get("list_pico") or event["cost_pico"], event["quantities"],
    )  # fmt: skip
