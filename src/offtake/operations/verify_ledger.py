"""Is the ledger what was posted? The audit of a store's file."""

from __future__ import annotations

from pathlib import Path

from offtake.ledger.audit import Audit
from offtake.operations.gateway_store import gateway_ledger
from offtake.store.ledger.history import audit


def verify_ledger(*, config: Path | None, store: Path | None) -> Audit:
    """Check a ledger from its first block to its last; the gateway may write on meanwhile."""
    with gateway_ledger(config, store) as ledger:
        return audit(ledger)
