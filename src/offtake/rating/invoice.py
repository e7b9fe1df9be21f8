"""The invoice: the one place that rounds money.

Clause: `billing.rounding`. Each line is rounded (`where: line`) or the sum is (`where: invoice`); total + residual is
always the exact sum, and the residual is shown, so that two roundings never hide a cent.

Example: three lines of 0.005 at 2 places, half even: 0.00 each, total 0.00, residual 0.015; rounded on the invoice
the total is 0.02 (0.015 goes to the even cent), residual −0.005.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass, replace
from decimal import Decimal

from offtake.contract.schema.terms import Rounding
from offtake.rating.lines import Amounts, Invoice, Line
from offtake.values.money import ZERO, quantize
from offtake.values.periods import Interval

MODES = {
    "half_even": decimal.ROUND_HALF_EVEN,
    "half_up": decimal.ROUND_HALF_UP,
    "down": decimal.ROUND_DOWN,
    "up": decimal.ROUND_UP,
}


@dataclass(frozen=True, slots=True)
class Booked:
    """The exact lines of a period."""

    lines: list[Line]


def rounded(amount: Decimal, rounding: Rounding) -> Decimal:
    """An amount as the contract rounds it."""
    return quantize(amount, rounding.places, MODES[rounding.mode])


def invoice(period: Interval, booked: Booked, rounding: Rounding) -> Invoice:
    """The invoice of a period. `list`, `contracted` and `effective` stay exact; only what is billed is rounded."""
    exact = sum((line.amounts.billed for line in booked.lines), ZERO)
    lines = [_rounded_line(line, rounding) if rounding.where == "line" else line for line in booked.lines]
    total = rounded(sum((line.amounts.billed for line in lines), ZERO), rounding)
    return Invoice(period, tuple(lines), total, exact - total)


def _rounded_line(line: Line, rounding: Rounding) -> Line:
    amounts = line.amounts
    billed = rounded(amounts.billed, rounding)
    return replace(line, amounts=Amounts(amounts.list, amounts.contracted, amounts.effective, billed))
