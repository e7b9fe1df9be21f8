"""Decisions on disk: lines of the chain, and a table of the blocks that hold them, so that all are found at once."""

from __future__ import annotations

from offtake.ledger.decisions import Decision, decision_of
from offtake.ledger.lines import line_of, payload_of
from offtake.store.ledger.ledger import Ledger
from offtake.store.ledger.posting import lines_in


def decide(ledger: Ledger, decision: Decision) -> None:
    """Write it down for good, in a block of its own that moves no money."""
    with ledger.transaction():
        block = ledger.append(decision.at, [line_of(decision.payload())], {})
        ledger.run("INSERT INTO decisions VALUES (?)", block)


def read_decisions(ledger: Ledger) -> list[Decision]:
    """All decisions, in their order."""
    blocks = [int(str(block)) for (block,) in ledger.rows("SELECT block FROM decisions ORDER BY block")]
    return [decision_of(payload_of(line)) for block in blocks for line in lines_in(ledger, block)]


def decisions_version(ledger: Ledger) -> int:
    """The block of the latest decision; 0 where there is none."""
    return int(str(ledger.rows("SELECT coalesce(max(block), 0) FROM decisions")[0][0]))
