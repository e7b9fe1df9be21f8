"""Reserved capacity: throughput that is paid whether used or not; what it serves bills nothing more.

Clause: `capacity.reserved`.
Source: S1 "Dedicated / reserved capacity"; S2 "reserve capacity equivalent to 2x their peak".

Why it matters: usage served from the reservation (`tier_served: reserved`) is already paid; what spills over bills at
the contracted price. Billing both is the commonest error on such invoices.

Example: 4,000,000 input TPM for 180,000 USD a month. A month with 100 M reserved and 20 M spilled input tokens at
$4.25/M costs 180,000 + 20 × 4.25 = 180,085.00 USD.
"""

from __future__ import annotations

from offtake.contract.patterns import match
from offtake.contract.schema.terms import Terms
from offtake.usage.record import UsageRecord
from offtake.values.errors import UnpricedError

SERVED = "reserved"


def serves(terms: Terms, record: UsageRecord, model: str) -> bool:
    """Whether the reservation served the record. UnpricedError where the contract has none for the model."""
    if record.tier_served != SERVED:
        return False
    clause = terms.capacity.reserved if terms.capacity else None
    if clause is None or not match(clause.models, model):
        raise UnpricedError("R408", f"{model} was served from reserved capacity that the contract does not have")
    return True
