"""What the requests of each contract sum to, hour by hour, so that a start need not read every settlement again.

The ingester adds the settlements of new blocks from time to time; what it has not added yet is read as it stands. The
sums are derived from the chain and decide an order only, never an amount that anyone is billed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from offtake.ledger.lines import HEAD_BYTES
from offtake.store.ledger.history import last_block
from offtake.store.ledger.ledger import Ledger

HOUR = 3_600_000_000
"""Microseconds."""
FOLD_BYTES = 2**25
BLOCKS = 50
"""A fold waits for so many new blocks, some ten seconds of traffic: that many are read at start as they stand."""
_SETTLE = b'{"kind":"settle"'


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
    quantities: dict[str, int] | None = None

    def add(self, cost_pico: int, list_pico: int, quantities: dict[str, int]) -> None:
        """One more request, or the sums of some."""
        self.cost_pico += cost_pico
        self.list_pico += list_pico
        found = self.quantities = self.quantities or {}
        for meter, quantity in quantities.items():
            found[meter] = found.get(meter, 0) + quantity


class _Settled(msgspec.Struct, gc=False):
    contract: str
    used_at: int
    model: str
    cost_pico: int
    quantities: dict[str, int] = {}
    access: str = "api"
    list_pico: int | None = None


_decode = msgspec.json.Decoder(list[_Settled]).decode


def fold(ledger: Ledger, blocks_min: int = BLOCKS) -> bool:
    """Add the settlements of blocks that were not added yet, where there are so many; whether more are left."""
    start = tallied(ledger)
    if last_block(ledger) - start < blocks_min:
        return False
    found, stop, is_last = _summed(ledger, start, FOLD_BYTES)
    with ledger.transaction():
        if tallied(ledger) == start:  # and nobody else was faster
            _add(ledger, found)
            ledger.run("UPDATE counters SET value = ? WHERE name = 'tallied'", stop)
    return not is_last


def tallied(ledger: Ledger) -> int:
    """The last block whose settlements are in the tallies."""
    return int(str(ledger.rows("SELECT value FROM counters WHERE name = 'tallied'")[0][0]))


def tallies(ledger: Ledger) -> Iterator[tuple[Tally, Sums]]:
    """All tallies, of each contract in the order of time, and after them what was not added yet: in a `reading`."""
    for contract, hour, model, access, cost, listed, quantities in ledger.each(
        "SELECT contract, hour, model, access, cost_pico, list_pico, quantities FROM tallies"
    ):
        key = Tally(str(contract), int(str(hour)), str(model), str(access))
        yield key, Sums(int(str(cost)), int(str(listed)), json.loads(str(quantities)))
    found, _, _ = _summed(ledger, tallied(ledger))
    yield from sorted(found.items())


def _summed(ledger: Ledger, start: int, bytes_max: int | None = None) -> tuple[dict[Tally, Sums], int, bool]:
    """The sums of the blocks after one, of so many bytes; the last of them, and whether it is the last of all."""
    found: dict[Tally, Sums] = {}
    size, stop = 0, start
    for number, lines in ledger.each("SELECT number, lines FROM blocks WHERE number > ? ORDER BY number", start):
        if bytes_max is not None and size > bytes_max:
            return found, stop, False
        text = lines if isinstance(lines, bytes) else str(lines).encode()
        stop = int(str(number))
        size += len(text)
        for each in _settled(text):
            key = Tally(each.contract, each.used_at // HOUR, each.model, each.access)
            sums = found.get(key)
            if sums is None:
                sums = found[key] = Sums()
            sums.add(each.cost_pico, each.list_pico or each.cost_pico, each.quantities)
    return found, stop, True


def _settled(text: bytes) -> list[_Settled]:
    """The settlements of a block; none of one that was changed, which `offtake ledger verify` shows."""
    payloads = [line[HEAD_BYTES:] for line in text.split(b"\n") if line.startswith(_SETTLE, HEAD_BYTES)]
    try:
        return _decode(b"[%b]" % b",".join(payloads))
    except msgspec.DecodeError:
        return []


def _add(ledger: Ledger, found: dict[Tally, Sums]) -> None:
    for key, sums in found.items():
        for cost, listed, quantities in ledger.rows(
            "SELECT cost_pico, list_pico, quantities FROM tallies "
            "WHERE contract = ? AND hour = ? AND model = ? AND access = ?",
            *key,
        ):
            sums.add(int(str(cost)), int(str(listed)), json.loads(str(quantities)))
    ledger.run_each(
        "INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(*key, str(sums.cost_pico), str(sums.list_pico), json.dumps(sums.quantities)) for key, sums in found.items()],
    )
