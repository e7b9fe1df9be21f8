"""Facts that are not usage: dated things that a term needs and that no log holds.

A facts file is JSONL, one fact a line: `{"kind": "top_up", "at": "2026-01-05", "id": "t-1", "amount": "999 USD"}`.
A fact that a term needs and nobody wrote down is an error of rating, never a guess.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from offtake.values import units
from offtake.values.errors import ContractError, Place
from offtake.values.money import Money
from offtake.values.periods import midnight


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatCount:
    """From `at` on, so many seats are in use."""

    at: datetime
    count: int
    where: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BurstNotice:
    """At `at` the buyer gave notice of a burst in the window that starts in month `window` (`2026-11`)."""

    at: datetime
    window: str
    commitment: str = ""
    where: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverageNotice:
    """At `at`, `by` (vendor | buyer) warned that usage nears or exceeds the commitment."""

    at: datetime
    by: str
    commitment: str = ""
    where: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """Cash that was paid into the wallet; the bonus is the contract's business. `id` is unique."""

    at: datetime
    id: str
    amount: Money
    where: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a person decided where a term needs one: `term` is a contract path, `value` free text or a number's text."""

    at: datetime
    term: str
    value: str
    by: str
    where: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDropOptIn:
    """From `at` on, the buyer takes lower list prices for the models that the pattern names."""

    at: datetime
    models: str = "*"
    where: Place | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Contracted spend of the twelve months before `at`, where the usage at hand does not reach back that far."""

    at: datetime
    amount: Money
    where: Place | None = None


Fact = SeatCount | BurstNotice | OverageNotice | TopUp | Judgement | PriceDropOptIn | Spend

_UTC = ZoneInfo("UTC")
_OPTIONAL = ("commitment", "models")

KINDS: Mapping[str, type[Fact]] = {
    "seat_count": SeatCount,
    "burst_notice": BurstNotice,
    "overage_notice": OverageNotice,
    "top_up": TopUp,
    "judgement": Judgement,
    "price_drop_opt_in": PriceDropOptIn,
    "spend": Spend,
}


def read_facts(lines: Iterable[str], file: str, zone: ZoneInfo = _UTC) -> tuple[Fact, ...]:
    """The facts of a JSONL file, in time order; blank lines are skipped. ContractError names file and line."""
    found: list[Fact] = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            place = Place(file, number)
            found.append(parse_fact(_json(line, place), place, zone))
    return in_order(found)


def parse_fact(row: Mapping[str, object], where: Place | None = None, zone: ZoneInfo = _UTC) -> Fact:
    """One fact from a mapping with `kind` and `at`; a date alone means the start of that day in `zone`."""
    kind = KINDS.get(str(row.get("kind")))
    if kind is None:
        raise ContractError(
            "C291", f"unknown kind of fact {row.get('kind')!r}", where=where, hint=f"one of: {', '.join(KINDS)}"
        )
    fields = {name: value for name, value in row.items() if name != "kind"}
    known = [name for name in kind.__dataclass_fields__ if name != "where"]
    for name in fields:
        if name not in known:
            raise ContractError(
                "C292", f"{row['kind']}: unknown key {name!r}", where=where, hint=f"keys: {', '.join(known)}"
            )
    for name in known:
        if name not in fields and name not in _OPTIONAL:
            raise ContractError("C293", f"{row['kind']} has no {name!r}", where=where, hint=f"keys: {', '.join(known)}")
    read = {name: _value(f"{row['kind']}.{name}", name, value, where, zone) for name, value in fields.items()}
    return kind(**read, where=where)  # type: ignore[arg-type]  # `_value` gives each name its type


def in_order(facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Facts by time, then as written. The same fact twice counts once; the id of a top-up is unique."""
    seen: dict[Fact, Fact] = {}
    by_id: dict[str, TopUp] = {}
    for fact in sorted(facts, key=lambda fact: fact.at):
        plain = replace(fact, where=None)
        if plain in seen:
            continue
        if isinstance(fact, TopUp):
            earlier = by_id.setdefault(fact.id, fact)
            if earlier is not fact:
                raise ContractError(
                    "C295", f"two top-ups have the id {fact.id!r}", where=fact.where,
                    why=f"{earlier.amount} at {earlier.where}, {fact.amount} here",
                )  # fmt: skip
        seen[plain] = fact
    return tuple(seen.values())


def _value(path: str, name: str, value: object, where: Place | None, zone: ZoneInfo) -> object:
    readers: dict[str, Callable[[object], object]] = {
        "at": lambda v: _instant(v, zone), "count": _count, "amount": units.money, "window": _window, "by": _text,
    }  # fmt: skip
    try:
        return readers.get(name, _text)(value)
    except (ValueError, TypeError) as error:
        raise ContractError("C294", f"{path}: {error}", where=where) from error


def _instant(value: object, zone: ZoneInfo) -> datetime:
    if isinstance(value, str):
        value = date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(value, date):
        return midnight(value, zone)
    raise ValueError(f"a time is written 2026-03-01 or 2026-03-01T12:00:00Z; got {value!r}")


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"a count is a whole number at or above zero; got {value!r}")
    return value


def _window(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value):
        raise ValueError(f"a window is written 2026-11; got {value!r}")
    return value


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)) or value == "":
        raise ValueError(f"text is expected; got {value!r}")
    return str(value)


def _json(line: str, where: Place) -> Mapping[str, object]:
    try:
        row = json.loads(line, parse_float=Decimal)
    except ValueError as error:
        raise ContractError(
            "C290", f"not JSON: {error}", where=where, hint="one fact a line, as a JSON object"
        ) from error
    if not isinstance(row, dict):
        raise ContractError(
            "C290", "a fact is a JSON object", where=where, hint='{"kind": "seat_count", "at": …, "count": …}'
        )
    return row
