"""The bill as it streams in: a million rows folded into cells of model × meter × channel × days.

Inside a cell, rows of one unit price stay together; what rows lack (a quantity, a price) makes them loose: only their
sum can be compared. What each row's own rounding adds is kept apart, because a bill rounds row by row. Rows that
stand twice are remembered, so that an excess can be told from a repetition.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from offtake.usage.charge import Charge
from offtake.values.errors import InputError, Place
from offtake.values.money import EXACT, ZERO

DAY = timedelta(days=1)
_UTC = ZoneInfo("UTC")
ATTO = 18
"""Amounts are compared with quantity × unit price on a grid of 1e-18."""
_PICO_TO_ATTO = 10**6
_ROUNDED_MOST = 10**ATTO  # a row that is a dollar or more off its own arithmetic is not rounded: it is priced otherwise
_DIGITS_OF_A_DOUBLE = 15
_PLACES_OF_A_PRICE = 10  # amounts with fewer decimals do not show what a token costs
_TICK = timedelta(microseconds=1)


class Key(NamedTuple):
    """A cell: days are ordinals, [start, end). An empty name stands for all of its kind."""

    model: str
    meter: str
    channel: str
    start: int
    end: int


@dataclass(slots=True)
class Group:
    """Rows of one cell at one unit price (picodollars a piece), or loose rows (None). `implied`: no row states it.

    `quantity` is None where some row does not say it. `noise` is how far binary fractions may be off.
    """

    price: int | None
    quantity: int | None = 0
    amount: Decimal = ZERO
    rows: int = 0
    noise: Decimal = ZERO
    implied: bool = False

    def add(self, quantity: int | None, amount: Decimal) -> None:
        """One more row."""
        self.rows += 1
        self.amount += amount
        self.quantity = None if quantity is None or self.quantity is None else self.quantity + quantity


@dataclass(slots=True)
class Rows:
    """The rows of one cell as folded. `fair` is what fair rounding of rows added, `unfair` what unfair rounding did."""

    groups: dict[int | None, Group] = field(default_factory=dict)
    repeats: dict[tuple[int | None, Decimal], int] = field(default_factory=dict)
    fair: Decimal = ZERO
    unfair: Decimal = ZERO
    unfair_rows: int = 0
    where: Place | None = None

    @property
    def amount(self) -> Decimal:
        """Σ of the rows."""
        return sum((group.amount for group in self.groups.values()), ZERO)


@dataclass(slots=True)
class OtherCharge:
    """Rows that are no usage of a model: fees, credits, lines that name nothing. Rows of one description are one."""

    kind: str
    description: str
    model: str
    start: datetime
    end: datetime
    amount: Decimal = ZERO
    rows: int = 0
    where: Place | None = None
    places: int = 2

    @property
    def spare(self) -> Decimal:
        """What rounding to its own decimals may have moved."""
        return self.rows * Decimal(5).scaleb(-self.places - 1)


@dataclass(slots=True)
class Bill:
    """A bill under way. `currency` is the contract's: a row of another one ends the reading (InputError U170).

    `several`: it comes in more than one file, and what stands in two of them under one id counts once.
    """

    currency: str
    zone: ZoneInfo
    several: bool = False
    cells: dict[Key, Rows] = field(default_factory=dict)
    others: dict[tuple[str, str, str, datetime, datetime], OtherCharge] = field(default_factory=dict)
    quantities: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    taxes: int = 0
    tax: Decimal = ZERO
    overlapping: int = 0
    rejected: int = 0
    channels: set[str] = field(default_factory=set)
    names_models: bool = False
    _owners: dict[tuple[Key, int | None], int] = field(default_factory=dict)
    _rounded_group: array[int] = field(default_factory=lambda: array("q"))
    _rounded_by: array[int] = field(default_factory=lambda: array("q"))
    _rounded_quantity: array[int] = field(default_factory=lambda: array("q"))
    _places: dict[int, int] = field(default_factory=dict)
    _prices: dict[Decimal, int | None] = field(default_factory=dict)
    _contents: set[int] = field(default_factory=set)
    _ids: dict[int, int] = field(default_factory=dict)
    _file: int = 0

    def next_file(self) -> None:
        """Rows of another file follow: an id that was seen in an earlier file is the same row again."""
        self._file += 1

    def add(self, charge: Charge) -> None:
        """Fold one row."""
        self.rows += 1
        if charge.currency != self.currency:
            raise InputError(
                "U170", f"the bill is in {charge.currency}, the contract in {self.currency}", where=charge.where,
                why="no rate between the two is part of the contract", hint="convert the bill by the agreed rate first",
            )  # fmt: skip
        if self.several and self._ids.setdefault(hash(charge.id), self._file) != self._file:
            self.overlapping += 1
        elif charge.kind == "tax":
            self.taxes += 1
            self.tax += charge.amount
        elif charge.kind == "usage" and (charge.model or charge.meter):
            self._add_usage(charge)
        else:
            self._add_other(charge)

    def _add_other(self, charge: Charge) -> None:
        key = (charge.kind, charge.description, charge.model, charge.starts_at, charge.ends_at)
        into = self.others.get(key)
        if into is None:
            into = self.others[key] = OtherCharge(*key, where=charge.where)
        into.amount += charge.amount
        into.rows += 1
        into.places = max(into.places, -int(charge.amount.as_tuple().exponent))

    def _add_usage(self, charge: Charge) -> None:
        key = Key(charge.model, charge.meter or "", charge.channel, *self._days(charge.starts_at, charge.ends_at))
        rows = self.cells.get(key)
        if rows is None:
            rows = self.cells[key] = Rows(where=charge.where)
            self.channels.add(charge.channel)
            self.names_models |= bool(charge.model)
        amount, quantity = charge.amount, charge.quantity if charge.meter else None
        exact = self._exact(amount)
        price = self._price(charge.unit_price, quantity, exact)
        off = 0
        if price is not None and exact is not None and quantity is not None:
            off = exact - quantity * price * _PICO_TO_ATTO
            if abs(off) > _ROUNDED_MOST:
                price = None
        group = rows.groups.get(price)
        if group is None:
            group = rows.groups[price] = Group(price)
            group.implied = price is not None
            self._owners[key, price] = len(self._owners)
        group.implied &= charge.unit_price is None
        group.add(quantity, amount)
        if exact is None:
            group.noise += Decimal(1).scaleb(amount.adjusted() - _DIGITS_OF_A_DOUBLE + 1)
        if price is not None and off:
            self._rounded_group.append(self._owners[key, price])
            self._rounded_by.append(off)
            self._rounded_quantity.append(quantity or 0)
        if quantity:
            self.quantities[key.meter] = self.quantities.get(key.meter, 0) + quantity
        self._remember(charge, rows)

    def _days(self, starts: datetime, ends: datetime) -> tuple[int, int]:
        """The day that a row begins on; all days where it is longer than one."""
        first = starts.astimezone(self.zone).toordinal()
        if ends - starts <= DAY:
            return first, first + 1
        return first, max(first, (ends - _TICK).astimezone(self.zone).toordinal()) + 1

    def _exact(self, amount: Decimal) -> int | None:
        """The amount on the fine grid, and the bill's decimals kept up; None for the digits of a binary fraction."""
        parts = amount.as_tuple()
        places = -int(parts.exponent)
        if places > ATTO or (len(parts.digits) > _DIGITS_OF_A_DOUBLE and places > 12):
            return None
        self._places[places] = self._places.get(places, 0) + 1
        return int(amount.scaleb(ATTO))

    def _price(self, stated: Decimal | None, quantity: int | None, exact: int | None) -> int | None:
        """The unit price of a row: as stated, or what its amount and quantity imply to the last digit."""
        if not quantity or exact is None:
            return None
        if stated is None:
            implied, rest = divmod(exact, quantity * _PICO_TO_ATTO)
            return None if rest else implied
        if stated not in self._prices:
            pico = stated.scaleb(12)
            self._prices[stated] = int(pico) if pico == pico.to_integral_value() else None
        return self._prices[stated]

    def _remember(self, charge: Charge, rows: Rows) -> None:
        content = hash((
            charge.starts_at, charge.ends_at, charge.model, charge.meter, charge.channel, charge.quantity,
            charge.amount, charge.description, *charge.tags.values(),
        ))  # fmt: skip
        if content in self._contents:
            repeated = (charge.quantity, charge.amount)
            rows.repeats[repeated] = rows.repeats.get(repeated, 0) + 1
        self._contents.add(content)

    @property
    def decimals(self) -> int:
        """What the usage rows are rounded to: the most places that one row in fifty has, and never less than cents."""
        most, rows, fiftieth = 2, 0, sum(self._places.values()) // 50
        for places in sorted(self._places, reverse=True):
            rows += self._places[places]
            if rows > fiftieth:
                return max(most, places)
        return most

    def settle(self, mode: str, places: int) -> None:
        """After the last row. Where no row names a model or a meter, the plain totals are the usage."""
        if not self.cells:
            for name in [name for name, each in self.others.items() if each.kind == "usage"]:
                each = self.others.pop(name)
                first, last = self._days(each.start, each.end)
                rows = self.cells.setdefault(Key("", "", "realtime", first, last), Rows(where=each.where))
                group = rows.groups.setdefault(None, Group(None, None))
                group.amount += each.amount
                group.rows += each.rows
                self._places[each.places] = self._places.get(each.places, 0) + each.rows
        self._settle_rounding(mode, places)

    def _settle_rounding(self, mode: str, places: int) -> None:
        """Tell fair rounding of rows from unfair, now that the bill's decimals are known.

        Fair is the nearest value at the bill's decimals, or what the contract's own mode gives at its own places. A row
        that is further off than its last digit is not rounded, but priced otherwise: it becomes loose.
        """
        decimals = self.decimals
        if decimals < _PLACES_OF_A_PRICE:
            self._loosen_implied()
        unit = 10 ** (ATTO - decimals)
        one_way = {"up": 1, "down": -1}.get(mode, 0) if places == decimals else 0
        owners = list(self._owners)
        for owner, off, quantity in zip(self._rounded_group, self._rounded_by, self._rounded_quantity, strict=True):
            key, price = owners[owner]
            assert price is not None
            rows = self.cells[key]
            if abs(off) >= unit:
                self._loosen(rows, price, quantity, off)
            elif 2 * abs(off) <= unit or off * one_way > 0:
                rows.fair += Decimal(off).scaleb(-ATTO)
            else:
                step = unit if off > 0 else -unit
                rows.unfair += Decimal(step).scaleb(-ATTO)
                rows.unfair_rows += 1
                rows.fair += Decimal(off - step).scaleb(-ATTO)

    def _loosen_implied(self) -> None:
        """A rounded amount implies no price, even where it divides."""
        for rows in self.cells.values():
            for group in [group for group in rows.groups.values() if group.implied]:
                del rows.groups[group.price]
                loose = rows.groups.setdefault(None, Group(None))
                loose.rows += group.rows
                loose.amount += group.amount
                known = loose.quantity is not None and group.quantity is not None
                loose.quantity = (loose.quantity or 0) + (group.quantity or 0) if known else None

    def _loosen(self, rows: Rows, price: int, quantity: int, off: int) -> None:
        amount = Decimal(quantity * price * _PICO_TO_ATTO + off).scaleb(-ATTO)
        group = rows.groups[price]
        group.rows -= 1
        group.amount -= amount
        group.quantity = (group.quantity or 0) - quantity
        if not group.rows:
            del rows.groups[price]
        rows.groups.setdefault(None, Group(None)).add(quantity, amount)

    def usage_rows(self) -> Iterator[tuple[Key, Rows]]:
        """The cells in order."""
        for key in sorted(self.cells):
            yield key, self.cells[key]

    @property
    def amount(self) -> Decimal:
        """Σ of all rows but taxes."""
        with_usage = sum((rows.amount for rows in self.cells.values()), ZERO)
        return EXACT.add(with_usage, sum((each.amount for each in self.others.values()), ZERO))


def day_zone(charges: Iterable[Charge], own: ZoneInfo) -> ZoneInfo:
    """The zone in which a bill's days begin: the contract's own where its rows start at midnight there, else UTC."""
    daily = [charge.starts_at for charge in charges if charge.ends_at - charge.starts_at >= DAY - timedelta(hours=1)]

    def midnights(zone: ZoneInfo) -> int:
        return sum(at.astimezone(zone).time().isoformat() == "00:00:00" for at in daily)

    return own if midnights(own) >= midnights(_UTC) else _UTC
