"""Paying in advance: worth it where the discount beats the cost of the money that it ties up.

Prepaying m months of even use at a yearly cost of capital i, instead of paying at each month's end, breaks even at a
discount of 1 − (1/m) Σ (1 + i)^(−t/12), t = 1 … m. Twelve months at 10%: 4.996%. A bonus of 6% is a discount of
1 − 1/1.06 = 5.66%, so it pays if it is used up within thirteen months, and not if it lies for longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from offtake.values.money import ROUNDING, divide, quantize, total

ONE = Decimal(1)
PLACES = 6
MONTHS_MAX = 120


@dataclass(frozen=True, slots=True)
class Prepayment:
    """Shares to six places; `months_max` is the longest even use for which the discount pays (0: never)."""

    discount: Decimal
    break_even: Decimal
    months_max: int

    @property
    def pays(self) -> bool:
        """Whether the discount beats the cost of capital."""
        return self.discount > self.break_even


def break_even_discount(cost_of_capital: Decimal, months: int = 12) -> Decimal:
    """The discount at which prepaying `months` of even use costs what paying at each month's end does."""
    growth = ROUNDING.add(ONE, cost_of_capital)
    powers = (ROUNDING.power(growth, divide(Decimal(-month), 12)) for month in range(1, months + 1))
    worth = total(quantize(power, 30) for power in powers)
    return quantize(ONE - divide(worth, months), PLACES)


def discount_of_bonus(bonus: Decimal) -> Decimal:
    """A bonus on what is paid, as a discount on what is got: 6% is 5.66%."""
    return quantize(ONE - divide(ONE, ONE + bonus), PLACES)


def prepayment(discount: Decimal, cost_of_capital: Decimal, months: int = 12) -> Prepayment:
    """Whether a discount for paying `months` ahead pays, and how long the credit may last at most."""
    lasts = 0
    while lasts < MONTHS_MAX and break_even_discount(cost_of_capital, lasts + 1) < discount:
        lasts += 1
    return Prepayment(quantize(discount, PLACES), break_even_discount(cost_of_capital, months), lasts)
