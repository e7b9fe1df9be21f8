"""What people write in a contract file: `20%`, `90 days`, `2x`, `1_200_000 USD / year`.

Each reader takes the text and returns an exact value, or raises ValueError with a sentence; the contract parser
adds the place. Nothing here guesses: a bare `20` is not a share, and `1,200` is not a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from offtake.values.money import EXACT, Money
from offtake.values.periods import DAYS, MONTHS, PERIODS, Period, add_days, add_months

DIGITS_MAX = 40  # more than any amount or count has, and few enough that a product of amounts stays exact

_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_NUMBER = rf"-?{_DIGITS}(?:\.{_DIGITS})?"
_SHARE = re.compile(rf"({_NUMBER})\s*%")
_MULTIPLE = re.compile(rf"({_NUMBER})\s*x")
_DURATION = re.compile(rf"({_DIGITS})\s+(minute|hour|day|business day|week|month|quarter|year)s?")
_MONEY = re.compile(rf"({_NUMBER})\s+([A-Z]{{3}})")
_PERIODS: dict[str, Period] = {period: period for period in PERIODS}
_PER = re.compile(rf"(.*\S)\s*/\s*({'|'.join(PERIODS)})")


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
        factor = MONTHS.get(self.unit)
        return None if factor is None else self.count * factor

    def after(self, instant: datetime) -> datetime:
        """The instant this long after: by the clock for minutes and hours, beyond by the calendar of its own zone.

        Month ends clip (31 January + 1 month = 28 February). Raises ValueError for business days, which need a calendar
        of holidays.
        """
        if self.months is not None:
            return add_months(instant, self.months)
        if self.unit == "business day":
            raise ValueError("business days need a holiday calendar")
        minutes = {"minute": 1, "hour": 60}.get(self.unit)
        if minutes is not None:
            return (instant.astimezone(UTC) + timedelta(minutes=self.count * minutes)).astimezone(instant.tzinfo)
        return add_days(instant, self.count * DAYS[self.unit])


@dataclass(frozen=True, slots=True)
class MoneyRate:
    """Money a period: `1_200_000 USD / year`; `per` is None for a one-off amount."""

    money: Money
    per: Period | None

    def __str__(self) -> str:
        return f"{self.money}{f' / {self.per}' if self.per else ''}"


@dataclass(frozen=True, slots=True)
class CountRate:
    """Pieces a period: `12_000_000_000 / year`."""

    count: int
    per: Period | None


@dataclass(frozen=True, slots=True)
class ShareRate:
    """A share a period: `1% / month`."""

    share: Decimal
    per: Period


def number(text: str) -> Decimal:
    """`1_200.50` as a Decimal. ValueError on anything else, NaN and infinities included."""
    if not re.fullmatch(_NUMBER, text):
        raise ValueError(f"not a number: {text!r}")
    digits = text.replace("_", "")
    if len(digits) > DIGITS_MAX:
        raise ValueError(f"a number has at most {DIGITS_MAX} digits, this one {len(digits)}")
    return Decimal(digits)


def share(text: object) -> Decimal:
    """`20%` as Decimal('0.20'); a bare number is refused because 20 and 0.20 are both plausible."""
    match = _SHARE.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"a share is written with a percent sign, such as 20%; got {text!r}")
    return EXACT.scaleb(number(match[1]), -2)


def share_rate(text: object) -> ShareRate:
    """`1% / month` as a ShareRate; the period is required."""
    ratio, per = _split_period(text)
    if per is None:
        raise ValueError(f"a share a period is written such as 1% / month; got {text!r}")
    return ShareRate(share(ratio), per)


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
    return Duration(int(number(match[1])), match[2])


def money(text: object) -> Money:
    """`1_200_000 USD` as Money."""
    match = _MONEY.fullmatch(text.strip()) if isinstance(text, str) else None
    if not match:
        raise ValueError(f"money is an amount and a currency, such as 1_200_000 USD; got {text!r}")
    return Money(number(match[1]), match[2])


def money_rate(text: object) -> MoneyRate:
    """`1_200_000 USD / year` (or without the period) as a MoneyRate."""
    amount, per = _split_period(text)
    return MoneyRate(money(amount), per)


def count_rate(text: object) -> CountRate:
    """`12_000_000_000 / year` (or without the period) as a CountRate."""
    pieces, per = _split_period(text)
    if isinstance(pieces, bool) or not isinstance(pieces, (int, str)):
        raise ValueError(f"a count is a whole number, such as 12_000_000_000 / year; got {text!r}")
    value = number(str(pieces).strip())
    if value != value.to_integral_value() or value < 0:
        raise ValueError(f"a count is a whole number at or above zero; got {text!r}")
    return CountRate(int(value), per)


def _split_period(text: object) -> tuple[object, Period | None]:
    """What stands before ` / period`, and the period; the text itself and None where there is no such end."""
    match = _PER.fullmatch(text.strip()) if isinstance(text, str) else None
    return (match[1], _PERIODS[match[2]]) if match else (text, None)
