"""Windows: contiguous, half-open, covering their span exactly, in any zone, from any origin."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from offtake.values.periods import (
    Interval,
    Period,
    billing_origin,
    midnight,
    shift_months,
    whole_windows,
    windows,
)
from offtake.values.units import Duration

ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Sao_Paulo",  # changed its clocks at midnight until 2019
        "America/Havana",  # shows midnight twice
        "Africa/Cairo",  # skips midnight
        "Australia/Lord_Howe",  # moves by half an hour
        "Asia/Kathmandu",  # is 5:45 ahead
        "Pacific/Apia",  # skipped a whole day in 2011
        "Pacific/Kiritimati",  # is 14:00 ahead
    ]
).map(ZoneInfo)
PERIODS: st.SearchStrategy[Period] = st.sampled_from(["day", "week", "month", "quarter", "year"])
DATES = st.dates(date(2005, 1, 1), date(2040, 12, 31))
INSTANTS = st.datetimes(datetime(2005, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
SPANS = st.builds(
    lambda start, length: Interval(start, start + length), INSTANTS, st.timedeltas(timedelta(seconds=1), timedelta(800))
)


@given(PERIODS, DATES, SPANS, ZONES)
def test_windows_cover_their_span_exactly(every: Period, origin: date, span: Interval, zone: ZoneInfo) -> None:
    found = list(windows(every, origin, span, zone))

    assert span.start == found[0].start
    assert span.end == found[-1].end
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(window.start < window.end for window in found)


@given(DATES, st.builds(lambda start: Interval(start, start + timedelta(days=3)), INSTANTS), ZONES)
def test_hours_cover_their_span_and_are_an_hour_long(origin: date, span: Interval, zone: ZoneInfo) -> None:
    found = list(whole_windows("hour", origin, span, zone))

    assert found[0].start <= span.start < found[0].end
    assert found[-1].start < span.end <= found[-1].end
    assert all(before.end == after.start for before, after in pairwise(found))
    assert {timedelta(hours=1)} == {window.end - window.start for window in found}


@given(PERIODS, DATES, SPANS, INSTANTS, ZONES)
def test_every_instant_is_in_exactly_one_window(
    every: Period, origin: date, span: Interval, at: datetime, zone: ZoneInfo
) -> None:
    assert (at in span) == sum(at in window for window in windows(every, origin, span, zone))


@given(PERIODS, DATES, SPANS, ZONES, st.data())
def test_a_window_does_not_depend_on_the_span_that_asks(
    every: Period, origin: date, span: Interval, zone: ZoneInfo, data: st.DataObject
) -> None:
    found = list(whole_windows(every, origin, span, zone))
    chosen = data.draw(st.sampled_from(found))

    assert [chosen] == list(whole_windows(every, origin, chosen, zone))
    assert found[0].start <= span.start < found[0].end
    assert found[-1].start < span.end <= found[-1].end


@given(DATES, ZONES)
def test_the_days_of_the_months_are_the_days_of_the_year(origin: date, zone: ZoneInfo) -> None:
    year = next(
        iter(
            whole_windows("year", origin, Interval(midnight(origin, zone), midnight(origin, zone) + timedelta(1)), zone)
        )
    )
    parts: tuple[Period, ...] = ("month", "quarter", "day")

    assume(not (year.start <= datetime(2011, 12, 30, 10, tzinfo=UTC) < year.end))  # Samoa's year of 364 days
    assert (shift_months(origin, 12) - origin).days == year.days(zone)
    for part in parts:
        assert year.days(zone) == sum(window.days(zone) for window in windows(part, origin, year, zone))


@given(st.integers(1, 31), DATES, ZONES)
def test_a_billing_month_starts_on_its_anchor_or_on_the_months_last_day(
    anchor: int, start: date, zone: ZoneInfo
) -> None:
    span = Interval(midnight(start, zone), midnight(shift_months(start, 14), zone))

    for window in whole_windows("month", billing_origin(start, anchor), span, zone):
        first = window.start.astimezone(zone).date()
        if midnight(first - timedelta(days=1), zone) == window.start:
            first -= timedelta(days=1)  # a day that a zone skipped starts and ends with the next one (Samoa, 2011)
        is_last_day = (first + timedelta(days=1)).day == 1
        assert first.day == anchor or (is_last_day and first.day < anchor)


@given(DATES, ZONES)
def test_midnight_is_the_first_instant_of_its_day(day: date, zone: ZoneInfo) -> None:
    first = midnight(day, zone)

    assert first.astimezone(zone).date() >= day
    assert (first - timedelta(seconds=1)).astimezone(zone).date() < day


@given(DATES, st.integers(-60, 60), st.integers(-60, 60))
def test_months_on_and_back_return_unless_a_month_end_clipped(day: date, months: int, more: int) -> None:
    shifted = shift_months(day, months)

    assert shifted.day <= day.day
    assert (day.year * 12 + day.month + months) == shifted.year * 12 + shifted.month
    if day.day <= 28:
        assert shift_months(day, months + more) == shift_months(shifted, more)
        assert day == shift_months(shifted, -months)


@given(INSTANTS, st.integers(0, 10_000), st.sampled_from(["minute", "hour"]), ZONES)
def test_minutes_and_hours_are_time_that_passes(at: datetime, count: int, unit: str, zone: ZoneInfo) -> None:
    end = Duration(count, unit).after(at.astimezone(zone))

    assert at + count * timedelta(minutes=1 if unit == "minute" else 60) == end.astimezone(UTC)


@given(INSTANTS, st.integers(0, 400), st.sampled_from(["day", "week", "month", "quarter"]), ZONES)
def test_days_and_months_keep_the_wall_clock_where_it_exists(
    at: datetime, count: int, unit: str, zone: ZoneInfo
) -> None:
    start = at.astimezone(zone)
    end = Duration(count, unit).after(start)
    day = shift_months(start.date(), count * (3 if unit == "quarter" else 1))
    if unit in ("day", "week"):
        day = start.date() + timedelta(days=count * (7 if unit == "week" else 1))
    wanted = datetime.combine(day, start.timetz())
    exists = wanted.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wanted.replace(tzinfo=None)

    assert wanted.astimezone(UTC) == end.astimezone(UTC)
    assert exists == (wanted.replace(tzinfo=None) == end.replace(tzinfo=None))
