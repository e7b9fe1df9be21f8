"""Seats: who uses the ones that are paid for, and from how many tokens on a seat is cheaper than the API.

2,000 paid, 1,400 active in the last 30 days: 600 idle × 40 USD = 24,000 USD a month
a seat at 40 USD against 8 USD a million tokens (blended): pays from 5,000,000 tokens a month
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import NoReturn

from offtake.values.errors import InputError, Place
from offtake.values.money import ROUNDING, divide


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the roster. `last_active` is None for who never was; `tokens` of a month are known to some tools."""

    user: str
    last_active: date | None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """Seats paid against people active since a day. `idle` seats have nobody who uses them; `unseated` people are
    active beyond the seats that are paid for.
    """

    paid: int
    listed: int
    active: int
    since: date

    @property
    def idle(self) -> int:
        """Seats that are paid for and not used."""
        return max(0, self.paid - self.active)

    @property
    def unseated(self) -> int:
        """Active people for whom no seat is paid."""
        return max(0, self.active - self.paid)


def read_roster(lines: Iterable[str], file: str) -> tuple[Person, ...]:
    """The people of a roster CSV with the columns user and last_active, and perhaps tokens; others are ignored.

    `last_active` is a date or an instant, or empty for never. A user who stands twice counts once, at the latest.
    InputError P624 names file and line.
    """
    rows = csv.DictReader(lines)
    names = {name.strip().lower(): name for name in rows.fieldnames or ()}
    if "user" not in names or "last_active" not in names:
        raise InputError(
            "P624", "a roster has the columns user and last_active", where=Place(file, 1),
            why=f"found: {', '.join(names) or 'nothing'}",
            hint="the first line is user,last_active; a row is ada@example.com,2026-10-30",
        )  # fmt: skip
    found: dict[str, Person] = {}
    for row in rows:
        place = Place(file, rows.line_num)
        cell = {key: (row.get(name) or "").strip() for key, name in names.items()}
        if not any(cell.values()):
            continue
        if not cell["user"]:
            _fail("the row names no user", place)
        person = Person(cell["user"], _day(cell["last_active"], place), _tokens(cell.get("tokens", ""), place))
        before = found.get(person.user)
        if before is None or (person.last_active or date.min) > (before.last_active or date.min):
            found[person.user] = person
    return tuple(found.values())


def activity(people: Sequence[Person], paid: int | None, today: date, days: int) -> Activity:
    """Who was active within so many days up to today. Without a count of paid seats, everyone listed has one."""
    since = today - timedelta(days=days)
    active = sum(person.last_active is not None and person.last_active > since for person in people)
    return Activity(len(people) if paid is None else paid, len(people), active, since)


def break_even_tokens(seat_price: Decimal, cost: Decimal, tokens: int) -> int | None:
    """Tokens a person and month from which a seat costs less than the API, at the blended price of cost ÷ tokens."""
    if not cost:
        return None
    exact = divide(ROUNDING.multiply(seat_price, Decimal(tokens)), cost)
    return int(exact.to_integral_value(ROUND_CEILING))


def _day(text: str, place: Place) -> date | None:
    if text.lower() in ("", "never", "null", "none", "-"):
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        _fail(f"last_active {text!r} is not a date", place, "write 2026-10-30, or leave it empty for never")


def _tokens(text: str, place: Place) -> int | None:
    digits = text.replace("_", "").replace(",", "")
    if digits and not digits.isdecimal():
        _fail(f"tokens {text!r} is not a whole number", place)
    return int(digits) if digits else None


def _fail(what: str, place: Place, hint: str = "") -> NoReturn:
    raise InputError("P624", what, where=place, hint=hint)
