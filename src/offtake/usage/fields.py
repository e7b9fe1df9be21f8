"""Values of foreign rows: each function turns one value into ours, or raises an `InputError` that says what is wrong.

Values come as text (CSV), as JSON values with Decimal for fractions, or as Python values (rows of a Parquet file).
Nothing here guesses: 12.0 is not a count, and a clock time without a zone is not an instant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from offtake.usage.record import COUNT_MAX
from offtake.values.errors import InputError

_WHOLE = re.compile(r"[+-]?\d{1,40}")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_UNITS = ((range(9, 12), 10**6), (range(12, 15), 10**3), (range(15, 18), 1))  # digits -> microseconds each
_TRUE, _FALSE = ("true", "1", "yes", "t"), ("false", "0", "no", "f", "")


def count(name: str, value: Any) -> int:
    """A whole number of pieces; nothing at all is 0. Negative numbers and numbers beyond any row are refused."""
    if type(value) is int and 0 <= value <= COUNT_MAX:  # nearly all
        return value
    if value is None or value == "":
        return 0
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError("U105", f"{name} is not a whole number: {_shown(value)}", hint="counts are written as 1234")
    if value < 0:
        raise InputError("U105", f"{name} is negative: {value:,}")
    if value > COUNT_MAX:
        raise InputError(
            "U105", f"{name} {value:,} is beyond {COUNT_MAX:,}", why="no row holds so many; a unit is wrong"
        )
    return value


def whole(name: str, value: Any) -> int:
    """As `count`, for formats that write counts as decimals: 2500000.0 is 2,500,000; 0.5 is refused."""
    number = None if value is None or value == "" else amount(name, value)
    if number is None or number != number.to_integral_value() or abs(number) > COUNT_MAX:
        return count(name, None if number is None else value)
    return count(name, int(number))


def rest(name: str, total: int, parts: Mapping[str, int]) -> int:
    """What is left of a total after parts that lie inside it; an error where they are more than the total."""
    left = total - sum(parts.values())
    if left < 0:
        inside = " + ".join(f"{part} {quantity:,}" for part, quantity in parts.items() if quantity)
        raise InputError("U106", f"{inside} is more than {name} {total:,}, which should hold it")
    return left


def amount(name: str, value: Any) -> Decimal:
    """A finite decimal number, never through a float."""
    text = str(value).strip() if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) else ""
    if not _NUMBER.fullmatch(text):
        raise InputError("U130", f"{name} is not a decimal number: {_shown(value)}")
    return Decimal(text)


def text(value: Any) -> str:
    """A value as trimmed text; nothing at all is empty."""
    return "" if value is None else str(value).strip()


def flag(name: str, value: Any) -> bool:
    """True or false, also written 1 and 0, yes and no."""
    word = text(value).lower()
    if word not in _TRUE + _FALSE:
        raise InputError("U102", f"{name} is neither true nor false: {_shown(value)}")
    return word in _TRUE


def instant(name: str, value: Any, zone: tzinfo | None = None) -> datetime:
    """A UTC instant: ISO 8601 text, or seconds, milliseconds or microseconds since 1970 (by the number of digits).

    A time without a zone is read in `zone`, and refused where there is none.
    """
    if value is None or value == "":
        raise InputError("U109", f"the row has no {name}")
    digits = str(value).strip()
    if isinstance(value, Decimal) or (not isinstance(value, (datetime, bool)) and digits.isdecimal()):
        return _from_epoch(name, amount(name, value))
    try:
        parsed = value if isinstance(value, datetime) else datetime.fromisoformat(digits)
    except ValueError:
        raise InputError("U101", f"{name} is not a time: {_shown(value)}", hint="write 2026-03-01T12:00:00Z") from None
    if parsed.tzinfo is None:
        if zone is None:
            raise InputError(
                "U101", f"{name} {digits} has no time zone", hint="write 2026-03-01T12:00:00Z, or pass --time-zone UTC"
            )
        parsed = parsed.replace(tzinfo=zone)
    try:
        return parsed.astimezone(UTC)
    except (OverflowError, ValueError):
        raise InputError("U101", f"{name} is out of range: {_shown(value)}") from None


def later(start: datetime, microseconds: int) -> datetime:
    """The instant so many microseconds after `start`."""
    try:
        return start + timedelta(microseconds=microseconds)
    except OverflowError:
        raise InputError("U101", f"{microseconds:,} microseconds after {start} is out of range") from None


def milliseconds(start: datetime, end: datetime) -> int | None:
    """The whole milliseconds from start to end, or None where the clock ran backwards."""
    passed = (end - start) // timedelta(milliseconds=1)
    return passed if passed >= 0 else None


def grain_of(start: datetime, end: datetime) -> str:
    """The grain of a bucket: minute, hour or day. Longer buckets are refused: their prices may have changed inside."""
    grains = {timedelta(minutes=1): "minute", timedelta(hours=1): "hour", timedelta(days=1): "day"}
    grain = grains.get(end - start)
    if grain is None:
        raise InputError(
            "U102", f"a bucket of {end - start}; usage is read by minute, hour or day", hint="export it again by day"
        )
    return grain


def json_object(name: str, value: Any) -> dict[str, Any]:
    """An object, to be read only: a mapping, JSON text of one (as CSV exports write it), or nothing."""
    if type(value) is dict:
        return value
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=Decimal, parse_constant=str)
        except ValueError:
            raise InputError("U108", f"{name} is not JSON: {_shown(value)}") from None
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError("U107", f"{name} is not an object: {_shown(value)}")
    return dict(value)


def json_objects(name: str, value: Any) -> list[Mapping[str, Any]]:
    """A list of objects, or nothing."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise InputError("U107", f"{name} is not a list of objects")
    return value


def _from_epoch(name: str, since: Decimal) -> datetime:
    digits = since.adjusted() + 1 if since > 0 else 0
    for lengths, factor in _EPOCH_UNITS:
        if digits in lengths:
            return _EPOCH + timedelta(microseconds=int(since * factor))
    raise InputError("U101", f"{name} is not a time: {_shown(since)}", hint="seconds since 1970 have ten digits")


def _shown(value: Any) -> str:
    shown = repr(value) if isinstance(value, str) else str(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
