"""Money and unit prices: Decimal and integers only.

A unit price is an integer number of picodollars (1e-12 of the currency unit) a token, or a piece: the grid on
which contract prices are quantised once, half-even. A price of $0.003625 per million tokens is 3,625 picodollars
a token. Amounts are exact Decimals; only `rating/invoice.py` rounds them.

Arithmetic that could lose a digit runs in `EXACT`, which has 60 digits and raises on a rounded result.
"""

from __future__ import annotations

import decimal
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

EXACT = decimal.Context(
    prec=60,
    rounding=ROUND_HALF_EVEN,
    traps=[
        decimal.Inexact,
        decimal.FloatOperation,
        decimal.InvalidOperation,
        decimal.DivisionByZero,
        decimal.Overflow,
    ],
)
# For the few places that mean to round: half-even at 60 digits. The same traps, but for Inexact.
ROUNDING = decimal.Context(
    prec=60,
    rounding=ROUND_HALF_EVEN,
    traps=[decimal.FloatOperation, decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)

PICO = 10**12
PICO_EXPONENT = Decimal(-12)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of one currency. Adds only like with like; multiplies only by an int or a Decimal; never rounds."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"Money needs a Decimal, got {type(self.amount).__name__}")
        if not self.amount.is_finite():
            raise ValueError("Money must be finite")

    def __add__(self, other: Money) -> Money:
        return Money(EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        if isinstance(factor, bool) or not isinstance(factor, (int, Decimal)):
            raise TypeError(f"Money multiplies by an int or a Decimal, got {type(factor).__name__}")
        return Money(EXACT.multiply(self.amount, Decimal(factor)), self.currency)

    def __neg__(self) -> Money:
        return Money(EXACT.minus(self.amount), self.currency)

    def __str__(self) -> str:
        return f"{self.amount:,f} {self.currency}"

    def _same(self, other: Money) -> Decimal:
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add")
        return other.amount


def to_pico(price: Decimal) -> int:
    """A price a piece (dollars a token) on the 1e-12 grid, half-even: Decimal('5')/10**6 gives 5_000_000."""
    return int(ROUNDING.to_integral_value(ROUNDING.multiply(price, Decimal(PICO))))


def from_pico(pico: int) -> Decimal:
    """Picodollars as exact dollars: 5_000_000 gives Decimal('0.000005')."""
    return EXACT.scaleb(pico, PICO_EXPONENT)


def to_integer(amount: Decimal) -> int:
    """The nearest whole number, half-even: how a part of an amount comes back to the grid."""
    return int(ROUNDING.to_integral_value(amount))


def divide(numerator: Decimal, denominator: Decimal | int) -> Decimal:
    """A quotient to 60 digits, half-even: the one way to divide, used where the result is quantised next."""
    return ROUNDING.divide(numerator, Decimal(denominator))


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum; the built-in `sum` rounds at the digits of the context that it happens to run in."""
    found = ZERO
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


def quantize(amount: Decimal, places: int, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """An amount at so many decimal places; never minus zero. For invoices, instalments, prorations, and screens."""
    return ROUNDING.plus(amount.quantize(Decimal(1).scaleb(-places), rounding=rounding, context=ROUNDING))
