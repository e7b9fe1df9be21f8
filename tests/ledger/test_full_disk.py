"""The ledger on a full disk: nothing is half posted, the journals keep everything, and all goes on with room."""

from __future__ import annotations

from pathlib import Path

import pytest

from offtake.gateway.ingest import Ingester
from offtake.gateway.journal.writer import JournalWriter
from offtake.ledger import accounts
from offtake.store.ledger.history import audit
from offtake.store.ledger.leases import lend, start_worker
from offtake.store.ledger.ledger import LedgerError, open_ledger
from tests.ledger.traffic import DOLLAR, NOON, intent, rule, settle

BUDGET = "key:k/month/2026-11-01"


def test_what_does_not_fit_waits_in_the_journals(small_disk: Path, folder: Path) -> None:
    ledger = open_ledger(small_disk / "offtake.db", create=True)
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=DOLLAR)
    journal = JournalWriter(folder, "w1")
    for number in range(3_000):
        journal.append(intent(f"r{number:04d}", {BUDGET: 10}), settle(f"r{number:04d}", [BUDGET], 7))
    journal.close()
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * (2 * 2**20 + 500_000))
    ingester = Ingester(ledger, folder, batch_bytes=200_000)

    with pytest.raises(LedgerError, match="L712"):
        ingester.drain()
    posted = ledger.balance(accounts.spent(BUDGET))
    with pytest.raises(LedgerError, match="L712"):  # and nothing is lent that is not on the disk
        for number in range(1_000):
            lend(ledger, "w1", rule(1, owner=f"key:{number}"), NOON, wanted_pico=1, needed_pico=1)
    assert posted < 3_000 * 7
    assert [] == [finding.code for finding in audit(ledger).findings]
    ballast.unlink()
    ingester.drain()

    assert 3_000 * 7 == ledger.balance(accounts.spent(BUDGET))
    assert [] == [finding.code for finding in audit(ledger).findings]
    ledger.close()
