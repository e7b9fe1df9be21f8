"""Weigh seats: who uses the ones that are paid for, and from how many tokens on a seat beats the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from offtake.contract.list_only import list_contract
from offtake.contract.parse import parse_data
from offtake.operations.weigh_levers import LeversOfUsage
from offtake.planner.levers.seats import Activity, activity, break_even_tokens, read_roster
from offtake.rating.facts import SeatCount
from offtake.rating.rate import rate_records
from offtake.store.catalogs import open_catalog
from offtake.values.errors import InputError, Place
from offtake.values.money import Money, total
from offtake.values.periods import Interval, add_months


@dataclass(frozen=True, slots=True)
class Seats:
    """Amounts are of one month. `heavy` counts people at or above the break-even, of `metered` with known tokens."""

    activity: Activity
    price: Money | None = None
    paid_fee: Decimal | None = None
    idle_fee: Decimal | None = None
    break_even: int | None = None
    heavy: int | None = None
    metered: int = 0


def weigh_seats(
    roster: Path,
    *,
    paid: int | None = None,
    price: Money | None = None,
    at: datetime | date | None = None,
    active_days: int = 30,
    levers: LeversOfUsage | None = None,
) -> Seats:
    """Seats against a roster CSV. `price` is of a seat and month; break-even is against the usage's own mix.

    Active are those who were within `active_days` up to `at` (by default today). InputError P624 for the roster.
    """
    people = read_roster(_lines(roster), str(roster))
    today = at.date() if isinstance(at, datetime) else at or datetime.now(UTC).date()
    found = activity(people, paid, today, active_days)
    if price is None:
        return Seats(found)
    fee, used = (_fee(price, count, today) for count in (found.paid, found.paid - found.idle))
    weighed = levers.weighed if levers else None
    point = break_even_tokens(price.amount, weighed.now, weighed.tokens) if weighed else None
    metered = [person.tokens for person in people if person.tokens is not None]
    heavy = sum(tokens >= point for tokens in metered) if point is not None and metered else None
    return Seats(found, price, fee, fee - used, point, heavy, len(metered))


def _fee(price: Money, count: int, day: date) -> Decimal:
    """What rating bills for so many seats in the month of a day."""
    start = datetime(day.year, day.month, 1, tzinfo=UTC)
    base = list_contract(day, day)
    rate = f"{price.amount:f} {price.currency} / month"
    data = {**base.versions[0].data, "fees": {"seats": {"count": count, "price": rate}}}
    contract = parse_data(data, base.file, {}, f"{base.hash} {count} {rate}")
    taken = SeatCount(at=contract.span.start, count=count)
    rated = rate_records([], contract, open_catalog(), [taken], span=Interval(start, add_months(start, 1)))
    return total(invoice.total + invoice.residual for invoice in rated.invoices)


def _lines(path: Path) -> Sequence[str]:
    try:
        return path.read_bytes().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError("P624", "the roster is not UTF-8 text", where=Place(str(path)), why=str(error)) from error
