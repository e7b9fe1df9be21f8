"""What people write in a contract: each text means one value, and what could mean two is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from offtake.values import units
from offtake.values.money import Money
from offtake.values.units import CountRate, Duration, MoneyRate

MILLION_USD = Money(Decimal(1_200_000), "USD")


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (units.number, "1_200.50", Decimal("1200.50")),
        (units.number, "-3", Decimal(-3)),
        (units.share, "20%", Decimal("0.20")),
        (units.share, "0.1 %", Decimal("0.001")),
        (units.share, "105%", Decimal("1.05")),
        (units.multiple, "2x", Decimal(2)),
        (units.multiple, "1.25 x", Decimal("1.25")),
        (units.duration, "90 days", Duration(90, "day")),
        (units.duration, "1 quarter", Duration(1, "quarter")),
        (units.duration, "5 business days", Duration(5, "business day")),
        (units.duration, "1_000 hours", Duration(1000, "hour")),
        (units.money, "1_200_000 USD", MILLION_USD),
        (units.money_rate, "1_200_000 USD / year", MoneyRate(MILLION_USD, "year")),
        (units.money_rate, "1_200_000 USD/year", MoneyRate(MILLION_USD, "year")),
        (units.money_rate, "1_200_000 USD", MoneyRate(MILLION_USD, None)),
        (units.count_rate, "12_000_000_000 / year", CountRate(12_000_000_000, "year")),
        (units.count_rate, 400, CountRate(400, None)),
    ],
)
def test_a_text_means_one_value(read: Callable[[Any], object], text: object, value: object) -> None:
    assert value == read(text)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (units.number, "1,200"),
        (units.number, "1e6"),
        (units.number, "NaN"),
        (units.number, "Infinity"),
        (units.number, "1_"),
        (units.number, "1__000"),
        (units.number, ".5"),
        (units.number, "٣"),  # a digit elsewhere, not here
        (units.number, ""),
        (units.number, "9" * 41),
        (units.share, "20"),
        (units.share, 20),
        (units.share, Decimal("0.2")),
        (units.share, "20 percent"),
        (units.multiple, "2"),
        (units.multiple, 2),
        (units.duration, "90"),
        (units.duration, "1.5 days"),
        (units.duration, "-1 days"),
        (units.duration, "3 fortnights"),
        (units.money, "1200"),
        (units.money, "$1200"),
        (units.money, "1200 usd"),
        (units.money, True),
        (units.money_rate, "1200 USD / decade"),
        (units.count_rate, "1.5 / year"),
        (units.count_rate, "-1"),
        (units.count_rate, True),
        (units.count_rate, 1.0),
    ],
)
def test_what_could_mean_two_things_is_refused(read: Callable[[Any], object], text: object) -> None:
    with pytest.raises(ValueError, match=r"\w+ .*\w+"):
        read(text)


def test_a_share_keeps_more_digits_than_pythons_default_context() -> None:
    digits = "12345678901234567890123456789.0123456"

    assert digits.replace(".", "") == str(units.share(f"{digits}%")).replace(".", "")


def test_durations_read_as_they_are_written() -> None:
    assert "90 days" == str(units.duration("90 days"))
    assert "1 business day" == str(units.duration("1 business day"))
    assert "1,200,000 USD / year" == str(units.money_rate("1_200_000 USD / year"))


@pytest.mark.parametrize(("text", "months"), [("2 months", 2), ("1 quarter", 3), ("2 years", 24), ("30 days", None)])
def test_some_durations_are_whole_months(text: str, months: int | None) -> None:
    assert months == units.duration(text).months


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "text", "end"),
    [
        (datetime(2026, 1, 31, tzinfo=UTC), "1 month", datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2028, 1, 31, tzinfo=UTC), "1 month", datetime(2028, 2, 29, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), "1 year", datetime(2029, 2, 28, tzinfo=UTC)),
        (datetime(2026, 11, 30, tzinfo=UTC), "1 quarter", datetime(2027, 2, 28, tzinfo=UTC)),
        (datetime(2026, 12, 31, 23, tzinfo=UTC), "60 days", datetime(2027, 3, 1, 23, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=UTC), "2 weeks", datetime(2026, 1, 15, tzinfo=UTC)),
        (datetime(2026, 1, 1, tzinfo=UTC), "90 minutes", datetime(2026, 1, 1, 1, 30, tzinfo=UTC)),
        # The night of 28 to 29 March 2026 has 23 hours in Berlin: a day is a day of the calendar, 24 hours are hours.
        (datetime(2026, 3, 28, 12, tzinfo=BERLIN), "1 day", datetime(2026, 3, 29, 12, tzinfo=BERLIN)),
        (datetime(2026, 3, 28, 12, tzinfo=BERLIN), "24 hours", datetime(2026, 3, 29, 13, tzinfo=BERLIN)),
        (datetime(2026, 2, 28, 2, 30, tzinfo=BERLIN), "29 days", datetime(2026, 3, 29, 3, 30, tzinfo=BERLIN)),
    ],
)
def test_the_instant_after(start: datetime, text: str, end: datetime) -> None:
    after = units.duration(text).after(start)

    assert end.astimezone(UTC) == after.astimezone(UTC)
    assert end.replace(tzinfo=None) == after.replace(tzinfo=None)


def test_business_days_need_a_calendar_of_holidays() -> None:
    with pytest.raises(ValueError, match="holiday"):
        units.duration("5 business days").after(datetime(2026, 1, 1, tzinfo=UTC))
