"""Minimum: a floor inside the floor, month by month; its top-up counts toward the commitment.

Clause: `commitments[].minimum`. Source: FOCUS spend agreement A2; Lago minimum commitment.

Why it matters: it turns a quiet month into a payment, but not into a loss: what was topped up has been paid already
when the year is trued up.

Example: 1,200 a year with 60 a month: April used 48, topped up by 12; May used 120; June 60; eight quiet months 60
each; in March the rest: 1,200 − (60 + 120 + 60 + 8 × 60) = 480, of which 60 is the minimum and 420 the shortfall.
"""

from __future__ import annotations

from decimal import Decimal

from offtake.values.money import ZERO


def top_up(minimum: Decimal, drawn: Decimal) -> Decimal:
    """What is missing to the minimum, never below zero."""
    return max(ZERO, minimum - drawn)
