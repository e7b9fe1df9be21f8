"""What people write in a contract file: `20%`, `90 days`, `2x`, `1_200_000 USD / year`.

Each reader takes the text and returns an exact value, or raises ValueError with a sentence; the contract parser
adds the place. Nothing here guesses: a bare `20` is not a share, and `1,200` is not a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

from offtake.values.money import Money

PERIODS = ("hour", "day", "week", "month", "quarter", "year")
Period = Literal["hour", "day", "week", "month", "quarter", "year"]

_NUMBER = r"-?\d[\d_]*(?:\.\d[\d_]*)?"
_SHARE = re.compile(rf"({_NUMBER})\s*%")
_MULTIPLE = re.compile(rf"({_NUMBER})\s*x")
_DURATION = re.compile(r"(\d[\d_]*)\s+(minute|hour|day|business day|week|month|quarter|year)s?")
_MONEY = re.compile(rf"({_NUMBER})\s+([A-Z]{{3}})")
_PER = re.compile(r"(.*\S)\s*/\s*(hour|day|week|month|quarter|year)")


@dataclass(frozen=True, slots=True)
class Duration:
    """So many minutes, hours, days, business days, weeks, months, quarters or years."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @property
    def months(self) -> int | None:
        """Whole months, or None for a unit that is not made of months."""
        factor = {"month": 1, "quarter": 3, "year": 12}.get(self.unit)
        return None if factor is None else self.count * factor

    def after(self, instant: datetime) -> datetime:
        """The instant this long after (wall clock of the instant's zone; month ends clip: 31 Jan + 1 month = 28 Feb)."""
        from offtake.values.periods import add_months

        if self.months is not None:
            return add_months(instant, self.months)
        if self.unit == "business day":
            raise ValueError("business days need a holiday calendar")
        seconds = {"minute": 60, "hour": 3600}.get(self.unit)
        if seconds is not None:
            return (instant.astimezone(UTC) + timedelta(seconds=self.count * seconds)).astimezone(instant.tzinfo)
        return instant + timedelta(days=self.count * (7 if self.unit == "week" else 1))



@dataclass(frozen=True, slots=True)
class MoneyRate:
    """Money a period: `1_200_000 USD / year`; `per` is None for a one-off amount."""

    money: Money
    per: str | None

    def __str__(self) -> str:
        return f"{self.money}{f' / {self.per}' if self.per else ''}"


@dataclass(frozen=True, slots=True)
class CountRate:
    """Pieces a period: `12_000_000_000 / year`."""

    count: int
    per: str | None


def number(text: str) -> Decimal:
    """`1_200.50` as a Decimal. ValueError on anything else, NaN and infinities included."""
    if not re.fullmatch(_NUMBER, text):
        raise ValueError(f"not a number: {text!r}")
    try:
        return Decimal(text.replace("_", ""))
    except InvalidOperation as error:
        raise ValueError(f"not a number: {text!r}") from error


def share(text: object) -> Decimal:
    """`20%` as Decimal('0.20'); a bare number is refused because 20 and 0.20 are both plausible."""
    match = _SHARE.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"a share is written with a percent sign, such as 20%; got {text!r}")
    return number(match[1]).scaleb(-2)


def multiple(text: object) -> Decimal:
    """`2x` as Decimal('2')."""
    match = _MULTIPLE.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"a multiple is written with an x, such as 2x; got {text!r}")
    return number(match[1])


def duration(text: object) -> Duration:
    """`90 days` as a Duration."""
    match = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"a duration is a whole number and a unit, such as 90 days; got {text!r}")
    return Duration(int(match[1].replace("_", "")), match[2])


def money(text: object) -> Money:
    """`1_200_000 USD` as Money."""
    match = _MONEY.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"money is an amount and a currency, such as 1_200_000 USD; got {text!r}")
    return Money(number(match[1]), match[2])


def money_rate(text: object) -> MoneyRate:
    """`1_200_000 USD / year` (or without the period) as a MoneyRate."""
    match = _PER.fullmatch(text.strip()) if isinstance(text, str) else None
    return MoneyRate(money(match[1]), match[2]) if match else MoneyRate(money(text), None)


def count_rate(text: object) -> CountRate:
    """`12_000_000_000 / year` (or without the period) as a CountRate."""
    per = None
    if isinstance(text, str) and (match := _PER.fullmatch(text.strip())):
        text, per = match[1], match[2]
    if isinstance(text, bool) or not isinstance(text, (int, str)):
        raise ValueError(f"a count is a whole number, such as 12_000_000_000 / year; got {text!r}")
    value = number(str(text).strip())
    if value != value.to_integral_value() or value < 0:
        raise ValueError(f"a count is a whole number at or above zero; got {text!r}")
    return CountRate(int(value), per)
