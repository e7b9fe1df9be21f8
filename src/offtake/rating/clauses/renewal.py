"""Renewal cap: how far a price may rise when the term is renewed.

Clause: `renewal.price_cap`. Source: S2 "cap … at 5%".

Why it matters: without it the discount of the first term is the vendor's to take back. The cap is a share of today's
contract price, so 105% allows 5% more.

Example: $5.00/M and $25.00/M with a cap of 105%: at most $5.25/M and $26.25/M.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.schema.ending import Renewal


def ceiling(clause: Renewal, price: Decimal) -> Decimal | None:
    """The highest renewal price for a contract price of today; None where the contract caps nothing."""
    return None if clause.price_cap is None else price * clause.price_cap
