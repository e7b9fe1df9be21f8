"""Shortfall: what was committed and not used is paid all the same (take or pay).

Clause: `commitments[].amount`, `commitments[].shortfall`. Source: S2 "Volume Commitments"; FOCUS spend agreements; Lago
minimum commitment; Azure MACC `automaticShortfall`.

Why it matters: it is the price of a promise that was too big. At face value unless the contract names a share.

Example: 1,200 USD a year, drawn 228 (48 + 120 + 60): shortfall 1,200 − 228 = 972.00, on the last month's invoice.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.contract.schema.commitments import Commitment
from offtake.values.money import ZERO


def unused(committed: Decimal, drawn: Decimal) -> Decimal:
    """What is left of the commitment, never below zero."""
    return max(ZERO, committed - drawn)


def amount(clause: Commitment, units: Decimal) -> Decimal:
    """Dollars for so many unused dollars or weighted tokens."""
    share = clause.shortfall.share if clause.shortfall else Decimal(1)
    if clause.tokens:
        return units * clause.tokens.shortfall_price.scaleb(-6) * share
    return units * share
