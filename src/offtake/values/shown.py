"""Amounts and ratios for the eye: `$1,234.57`, `12.5%`. Rounded to be read; nobody is billed by these."""

from __future__ import annotations

from decimal import Decimal

from offtake.values.money import quantize


def money(amount: Decimal, currency: str = "USD", places: int = 2) -> str:
    """An amount for the eye: `$1,234.57`, `-$0.50`, `1,234.57 EUR`."""
    shown = quantize(amount.copy_abs(), places)
    sign = "-" if amount < 0 and shown else ""
    return f"{sign}${shown:,f}" if currency == "USD" else f"{sign}{shown:,f} {currency}"


def share(ratio: Decimal, places: int = 1) -> str:
    """A ratio as a percentage for the eye: Decimal('0.125') is `12.5%`."""
    return f"{quantize(ratio * 100, places):,f}%"
