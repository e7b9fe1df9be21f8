"""What the requests of each contract sum to, hour by hour, so that a start need not read every settlement again.

They are written with the block that has the settlements. They decide an order only, and never an amount that anyone is
billed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from offtake.store.ledger.ledger import Ledger

HOUR = 3_600_000_000
"""Microseconds."""


class Tally(NamedTuple):
    """Which requests: those of one contract, model and form of access whose use began in one hour."""

    contract: str
    hour: int
    model: str
    access: str


@dataclass(slots=True)
class Sums:
    """What they sum to. `list_pico`: at list price, or as contracted where there is none."""

    cost_pico: int = 0
    list_pico: int = 0
    quantities: dict[str, int] = field(default_factory=dict)

    def add(self, cost_pico: int, list_pico: int, quantities: Mapping[str, int]) -> None:
        """One more request, or the sums of some."""
        self.cost_pico += cost_pico
        self.list_pico += list_pico
        found = self.quantities
        for meter in quantities:
            found[meter] = found.get(meter, 0) + quantities[meter]


def add_tallies(ledger: Ledger, found: Mapping[Tally, Sums]) -> None:
    """Add sums to the tallies, within a transaction."""
    for tally, sums in found.items():
        for cost, listed, quantities in ledger.rows(
            "SELECT cost_pico, list_pico, quantities FROM tallies "
            "WHERE contract = ? AND hour = ? AND model = ? AND access = ?",
            *tally,
        ):
            sums.add(int(str(cost)), int(str(listed)), json.loads(str(quantities)))
    ledger.run_each(
        "INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(*key, str(sums.cost_pico), str(sums.list_pico), json.dumps(sums.quantities)) for key, sums in found.items()],
    )


def tallies(ledger: Ledger) -> Iterator[tuple[Tally, Sums]]:
    """All tallies, of each contract in the order of time."""
    for contract, hour, model, access, cost, listed, quantities in ledger.each(
        "SELECT contract, hour, model, access, cost_pico, list_pico, quantities FROM tallies"
    ):
        tally = Tally(str(contract), int(str(hour)), str(model), str(access))
        yield tally, Sums(int(str(cost)), int(str(listed)), json.loads(str(quantities)))


def tallied_after(ledger: Ledger) -> int:
    """The last block of the time before there were tallies; 0 where all are tallied."""
    return int(str(ledger.rows("SELECT value FROM counters WHERE name = 'tallied after'")[0][0]))
