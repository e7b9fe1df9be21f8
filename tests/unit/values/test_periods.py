"""Windows on the days when the clock or the calendar is awkward, each drawn by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from offtake.values.periods import Interval, Period, billing_origin, midnight, shift_months, whole_windows, windows


def span(zone: ZoneInfo, start: date, end: date) -> Interval:
    return Interval(midnight(start, zone), midnight(end, zone))


def starts(every: Period, origin: date, zone: ZoneInfo, start: date, end: date) -> list[date]:
    return [window.start.astimezone(zone).date() for window in windows(every, origin, span(zone, start, end), zone)]


UTC_ZONE = ZoneInfo("UTC")


def test_an_interval_holds_its_start_and_not_its_end() -> None:
    year = span(UTC_ZONE, date(2026, 1, 1), date(2027, 1, 1))

    assert year.start in year
    assert year.end not in year


def test_intervals_that_touch_do_not_overlap() -> None:
    first, second = (
        span(UTC_ZONE, date(2026, 1, 1), date(2026, 2, 1)),
        span(UTC_ZONE, date(2026, 2, 1), date(2026, 3, 1)),
    )

    assert first.overlap(second) is None
    assert first == first.overlap(Interval(first.start, second.end))


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (date(2026, 1, 31), [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]),
        (date(2028, 1, 30), [date(2028, 1, 30), date(2028, 2, 29), date(2028, 3, 30), date(2028, 4, 30)]),
        (date(2026, 1, 29), [date(2026, 1, 29), date(2026, 2, 28), date(2026, 3, 29), date(2026, 4, 29)]),
    ],
)
def test_months_clip_from_the_origin_and_not_from_the_clipped_day(origin: date, expected: list[date]) -> None:
    end = shift_months(origin, 4)

    assert expected == starts("month", origin, UTC_ZONE, origin, end)


def test_an_anniversary_on_29_february_falls_on_the_28th_in_common_years() -> None:
    assert [date(2028, 2, 29), date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29)] == starts(
        "year", date(2028, 2, 29), UTC_ZONE, date(2028, 2, 29), date(2033, 2, 28)
    )


def test_a_span_that_starts_in_mid_month_has_a_short_first_window() -> None:
    assert [date(2026, 3, 10), date(2026, 4, 1)] == starts(
        "month", date(2026, 1, 1), UTC_ZONE, date(2026, 3, 10), date(2026, 5, 1)
    )
    (first, _) = whole_windows("month", date(2026, 1, 1), span(UTC_ZONE, date(2026, 3, 10), date(2026, 5, 1)), UTC_ZONE)
    assert span(UTC_ZONE, date(2026, 3, 1), date(2026, 4, 1)) == first


@pytest.mark.parametrize(
    ("start", "anchor", "origin"),
    [
        (date(2026, 2, 10), 1, date(2026, 1, 1)),
        (date(2026, 2, 10), 31, date(2026, 1, 31)),
        (date(2026, 2, 10), "anniversary", date(2026, 2, 10)),
    ],
)
def test_billing_periods_count_from_january_or_from_the_anniversary(start: date, anchor: int, origin: date) -> None:
    assert origin == billing_origin(start, anchor)


def test_an_anchor_beyond_31_is_refused() -> None:
    with pytest.raises(ValueError, match="day"):
        billing_origin(date(2026, 1, 1), 32)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), "23:00"),
        ("Europe/Berlin", date(2026, 10, 25), "25:00"),
        ("America/New_York", date(2026, 3, 8), "23:00"),
        ("America/New_York", date(2026, 11, 1), "25:00"),
        ("Australia/Lord_Howe", date(2026, 4, 5), "24:30"),
        ("Australia/Lord_Howe", date(2026, 10, 4), "23:30"),
        ("America/Sao_Paulo", date(2018, 11, 4), "23:00"),
        ("America/Sao_Paulo", date(2018, 2, 17), "25:00"),
        ("Asia/Kathmandu", date(2026, 3, 29), "24:00"),
        ("America/Havana", date(2026, 11, 1), "25:00"),
    ],
)
def test_a_day_is_as_long_as_its_clock_says(zone: str, day: date, hours: str) -> None:
    there = ZoneInfo(zone)
    (window,) = windows("day", day, span(there, day, date.fromordinal(day.toordinal() + 1)), there)
    minutes = int((window.end - window.start).total_seconds()) // 60

    assert hours == f"{minutes // 60}:{minutes % 60:02}"


def test_a_midnight_that_the_clock_skips_is_the_instant_of_the_jump() -> None:
    """On 4 November 2018 clocks in São Paulo went from 23:59:59 to 01:00."""
    start = midnight(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo"))

    assert datetime(2018, 11, 4, 3, tzinfo=UTC) == start
    assert 1 == start.astimezone(ZoneInfo("America/Sao_Paulo")).hour


def test_a_midnight_that_the_clock_shows_twice_is_the_first() -> None:
    assert datetime(2026, 11, 1, 4, tzinfo=UTC) == midnight(date(2026, 11, 1), ZoneInfo("America/Havana"))


def test_a_day_that_a_zone_skipped_has_no_window() -> None:
    """Samoa crossed the date line: 30 December 2011 does not exist there."""
    assert [date(2011, 12, 29), date(2011, 12, 31)] == starts(
        "day", date(2011, 1, 1), ZoneInfo("Pacific/Apia"), date(2011, 12, 29), date(2012, 1, 1)
    )


def test_hours_are_counted_from_the_origins_midnight() -> None:
    kathmandu = ZoneInfo("Asia/Kathmandu")
    hours = list(windows("hour", date(2026, 1, 1), span(kathmandu, date(2026, 1, 1), date(2026, 1, 2)), kathmandu))

    assert 24 == len(hours)
    assert datetime(2025, 12, 31, 18, 15, tzinfo=UTC) == hours[0].start


def test_an_empty_span_has_no_windows() -> None:
    assert [] == starts("month", date(2026, 1, 1), UTC_ZONE, date(2026, 2, 1), date(2026, 2, 1))


def test_days_are_counted_on_the_local_calendar() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    assert 31 == span(berlin, date(2026, 3, 1), date(2026, 4, 1)).days(berlin)
    assert 365 == span(berlin, date(2026, 7, 1), date(2027, 7, 1)).days(berlin)
