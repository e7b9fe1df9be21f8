"""Price one record from Python: `offtake.price` and what it needs.

Contracts are compiled once and kept, so that pricing a second record costs microseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from offtake.contract.contract import Contract
from offtake.contract.list_only import list_contract
from offtake.operations.contracts import LOCK, load_contract
from offtake.rating.compiled import CompiledTerms
from offtake.rating.request import machine_of, price_request
from offtake.rating.run import Position
from offtake.store.catalogs import open_catalog
from offtake.usage.readers.own import read_jsonl
from offtake.usage.reading import ReadOptions
from offtake.usage.record import UsageRecord, validated
from offtake.usage.rows import Rejected, TextSource
from offtake.values.errors import InputError

KEPT_MAX = 16
_KEPT: dict[tuple[str, str], CompiledTerms] = {}


def price(
    record: UsageRecord | Mapping[str, Any],
    contract: Contract | str | Path | None = None,
    at: datetime | None = None,
    position: Position | None = None,
) -> Decimal:
    """What one record costs, unrounded, in the contract's currency; at list price without a contract.

    `record` is a UsageRecord or a mapping of its fields and meters: `{"model": …, "input_tokens": …}`. `at` is the
    instant that it is priced at (its `used_at`, or now). `position` says where cumulative terms stand; see
    `position_after`. Raises InputError for a record that is wrong, for an instant outside of the term, and R414 where
    the contract has cumulative terms and no position is given; UnpricedError or CatalogError where nothing prices it.
    """
    usage = as_record(record, at)
    terms = compiled(contract, usage)
    if position is None and machine_of(terms).acting:
        clauses = ", ".join(clause.path for clause in machine_of(terms).acting)
        raise InputError(
            "R414",
            "what this record costs depends on the usage before it",
            why=f"the contract has cumulative terms: {clauses}",
            hint="pass position=offtake.position_after(usage, contract); `[]` is the start of the term",
        )
    return price_request(terms, usage, position)[0].total


def position_after(
    usage: Iterable[UsageRecord | Mapping[str, Any]], contract: Contract | str | Path, position: Position | None = None
) -> Position:
    """Where the contract's cumulative terms stand after this usage, in (used_at, id) order, from `position` on.

    Without usage and position it is the start of the term.
    """
    terms = compiled(contract)
    records = sorted((as_record(each) for each in usage), key=lambda record: (record.used_at, record.id))
    for record in records:
        _, position = price_request(terms, record, position)
    return position or machine_of(terms).start(collect=False).position()


def as_record(record: UsageRecord | Mapping[str, Any], at: datetime | None = None) -> UsageRecord:
    """A checked usage record, used at `at` where that is given. InputError names the field that is wrong."""
    if at is not None and at.tzinfo is None:
        raise InputError("U101", f"at {at} has no zone", hint="datetime(2026, 3, 1, tzinfo=UTC)")
    if isinstance(record, UsageRecord):
        return validated(replace(record, used_at=at.astimezone(UTC)) if at else record)
    row = dict(record)
    if at is not None or not row.get("used_at"):
        row["used_at"] = at or datetime.now(UTC)
    line = json.dumps(row, default=_plain)
    found = next(iter(read_jsonl(TextSource("record", [line]), ReadOptions())))
    if isinstance(found, Rejected):
        raise InputError(found.code, found.error)
    assert isinstance(found, UsageRecord)  # only other formats have rows that are no usage
    return found


def compiled(contract: Contract | str | Path | None, usage: UsageRecord | None = None) -> CompiledTerms:
    """The contract's terms, ready to price: list prices of the record's year without a contract."""
    if contract is None:
        return _public(usage.used_at.year if usage else datetime.now(UTC).year, usage.access if usage else "api")
    if isinstance(contract, (str, Path)):
        contract = load_contract(contract)
    key = contract.file, contract.hash
    if key not in _KEPT:
        lock = Path(contract.file).with_name(LOCK)
        if len(_KEPT) >= KEPT_MAX:
            _KEPT.pop(next(iter(_KEPT)))
        _KEPT[key] = CompiledTerms(contract, open_catalog(lock=lock if lock.exists() else None))
    return _KEPT[key]


@lru_cache(maxsize=KEPT_MAX)
def _public(year: int, access: str) -> CompiledTerms:
    day = date(year, 1, 1)
    return CompiledTerms(list_contract(day, day, [access]), open_catalog())


def _plain(value: object) -> str:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (Decimal, int)):
        return str(value)
    raise InputError("U107", f"a record holds no {type(value).__name__}")


def is_paths(usage: object) -> bool:
    """Whether usage is named by files: one path, or a sequence of paths."""
    if isinstance(usage, (str, Path)):
        return True
    return isinstance(usage, Sequence) and bool(usage) and all(isinstance(each, (str, Path)) for each in usage)
