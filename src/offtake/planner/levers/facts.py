"""The three fact tables beside this module, as values: gates, exclusions, and whether an ask moves.

All are dated or plain lists of rows with a source, so that a change at a vendor is a new row and never an edit of code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NoReturn

from offtake.values.errors import ContractError, Place
from offtake.values.units import MoneyRate, money_rate

ANY = "*"
ACCOUNT_EXECUTIVE = "account_executive"
MOVES = ("yes", "sometimes", "rarely", "never", "tactic")
FEATURES = ("batch", "cache", "extended_cache", "files")
RULES = ("zero_retention", "region", "cache")
A_YEAR: Mapping[str, int] = {"year": 1, "quarter": 4, "month": 12}


@dataclass(frozen=True, slots=True)
class Gate:
    """From which committed spend, in dollars a year, a vendor opens what stands behind the gate."""

    gate: str
    vendor: str
    start: date
    low: Decimal
    high: Decimal
    source: str
    seen: date | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A feature that cannot be had together with a requirement (zero retention, a region), or with caching."""

    vendor: str
    start: date
    feature: str
    excludes: str
    why: str
    source: str
    access: tuple[str, ...] = ("api",)
    until: date | None = None
    seen: date | None = None

    @property
    def words(self) -> str:
        """The reason, with whether the vendor's own words were seen."""
        return self.why if self.seen else f"{self.why} (not verified)"


@dataclass(frozen=True, slots=True)
class Ask:
    """An ask: whether it moves at all, and behind which gate or other ask it stands ("": none)."""

    id: str
    name: str
    moves: str
    gate: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read: its data and the places of its terms."""

    data: object
    places: Mapping[str, Place]
    file: str

    def fail(self, path: str, what: str, hint: str = "") -> NoReturn:
        """ContractError P621 at a path of the file."""
        raise ContractError("P621", what, where=self.places.get(path, Place(self.file)), hint=hint)

    def rows(self, name: str) -> Iterable[tuple[str, Mapping[str, object]]]:
        """The rows of a list, each with its path."""
        listed = self.data.get(name) if isinstance(self.data, dict) else None
        if not isinstance(listed, list):
            self.fail("", f"no list {name!r}", hint=f"the file has one key, `{name}:`, with a list of rows")
        for index, row in enumerate(listed):
            if not isinstance(row, dict):
                self.fail(f"{name}[{index}]", "a row is a mapping, {key: value, …}")
            yield f"{name}[{index}]", row


def read_gates(table: Table) -> tuple[Gate, ...]:
    """The rows of a gates file. ContractError P621 with the place of what is wrong."""
    found = []
    for path, row in table.rows("gates"):
        _only(table, path, row, ("gate", "vendor", "from", "opens_at", "source"), ("seen",))
        opens_at = row["opens_at"]
        if not isinstance(opens_at, dict) or set(opens_at) != {"low", "high"}:
            table.fail(f"{path}.opens_at", "opens_at has a low and a high", "{low: 50_000 USD / month, high: …}")
        low, high = (_yearly(table, f"{path}.opens_at.{end}", opens_at[end]) for end in ("low", "high"))
        if not 0 < low <= high:
            table.fail(f"{path}.opens_at", "low lies above zero and not above high")
        found.append(
            Gate(
                str(row["gate"]), str(row["vendor"]), _day(table, path, row, "from"), low, high, str(row["source"]),
                _day(table, path, row, "seen") if "seen" in row else None,
            )
        )  # fmt: skip
    return tuple(found)


def read_exclusions(table: Table) -> tuple[Exclusion, ...]:
    """The rows of an exclusions file. ContractError P621 with the place of what is wrong."""
    found = []
    for path, row in table.rows("exclusions"):
        _only(table, path, row, ("vendor", "from", "feature", "excludes", "why", "source"), ("access", "until", "seen"))
        _one_of(table, f"{path}.feature", row["feature"], FEATURES)
        _one_of(table, f"{path}.excludes", row["excludes"], RULES)
        access = row.get("access", ["api"])
        if not isinstance(access, list):
            table.fail(f"{path}.access", "access is a list of forms of access", "[api], [vertex]")
        days = {key: _day(table, path, row, key) for key in ("until", "seen") if key in row}
        found.append(
            Exclusion(
                str(row["vendor"]), _day(table, path, row, "from"), str(row["feature"]), str(row["excludes"]),
                str(row["why"]), str(row["source"]), tuple(str(each) for each in access), **days,
            )
        )  # fmt: skip
    return tuple(found)


def read_asks(table: Table) -> tuple[Ask, ...]:
    """Every ask, in the order of the file."""
    if not isinstance(table.data, dict):
        table.fail("", "the file maps each ask's id to a row")
    found = []
    for name, row in table.data.items():
        if not isinstance(row, dict):
            table.fail(name, "a row is a mapping, {ask: …, moves: …}")
        _only(table, name, row, ("ask", "moves"), ("gate", "why"))
        _one_of(table, f"{name}.moves", row["moves"], MOVES)
        found.append(Ask(name, *(str(row.get(key, "")) for key in ("ask", "moves", "gate", "why"))))
    return tuple(found)


def gate_of(gates: Sequence[Gate], gate: str, vendor: str, day: date) -> Gate | None:
    """The row that counts: the vendor's own before the one for all, the latest that has begun, the last as written."""
    rows = [row for row in gates if row.gate == gate and row.vendor in (vendor, ANY) and row.start <= day]
    return max(rows, key=lambda row: (row.vendor == vendor, row.start, rows.index(row)), default=None)


def exclusion_of(
    rows: Sequence[Exclusion], *, vendor: str, access: str, feature: str, excludes: str, day: date
) -> Exclusion | None:
    """The row that forbids a feature of a vendor together with a requirement on a day, if any does."""
    return next(
        (
            row
            for row in rows
            if (row.vendor, row.feature, row.excludes) == (vendor, feature, excludes)
            and access in row.access
            and row.start <= day
            and (row.until is None or day < row.until)
        ),
        None,
    )


def _only(
    table: Table, path: str, row: Mapping[str, object], needed: Sequence[str], allowed: Sequence[str] = ()
) -> None:
    for key in needed:
        if row.get(key) is None:
            table.fail(path, f"the row has no {key!r}", hint=f"keys: {', '.join((*needed, *allowed))}")
    for key in row:
        if key not in needed and key not in allowed:
            table.fail(f"{path}.{key}", f"unknown key {key!r}", hint=f"keys: {', '.join((*needed, *allowed))}")


def _one_of(table: Table, path: str, value: object, allowed: Sequence[str]) -> None:
    if value not in allowed:
        table.fail(path, f"unknown {path.rpartition('.')[2]} {value!r}", hint=f"one of: {', '.join(allowed)}")


def _day(table: Table, path: str, row: Mapping[str, object], key: str) -> date:
    value = row[key]
    if not isinstance(value, date):
        table.fail(f"{path}.{key}", f"{key} is a day, such as 2026-01-01")
    return value


def _yearly(table: Table, path: str, value: object) -> Decimal:
    try:
        rate: MoneyRate = money_rate(value)
    except ValueError as error:
        table.fail(path, str(error))
    periods = A_YEAR.get(rate.per or "")
    if periods is None or rate.money.currency != "USD":
        table.fail(path, "a gate is dollars a month, a quarter or a year", hint="50_000 USD / month")
    return rate.money.amount * periods
