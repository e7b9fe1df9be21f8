"""What a scenario runs on: its contract with this case's changes, its list prices, its facts."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from offtake.catalog.catalog import Catalog
from offtake.contract.contract import Contract
from offtake.contract.list_only import list_contract
from offtake.contract.parse import parse, parse_data
from offtake.contract.paths import PathError, Step, at, locate
from offtake.contract.schema.terms import ContractFile
from offtake.operations.contracts import LOCK
from offtake.operations.scenarios.file import Scenario
from offtake.operations.scenarios.node import Node
from offtake.rating.facts import Fact, in_order, parse_fact
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord
from offtake.values.errors import ContractError


def contract_of(scenario: Scenario, records: Sequence[UsageRecord]) -> Contract:
    """The contract as this case has it; list prices over the years of the usage where the scenario names none."""
    node, changes = scenario.item("contract"), scenario.item("changes")
    if node is None:
        days = [record.used_at.date() for record in records]
        return list_contract(min(days), max(days), {record.access for record in records})
    if source := node.item("text"):
        return parse(source.text(), str(source.place.file))
    if isinstance(node.value, dict):
        places = {path.removeprefix(f"{node.path}."): place for path, place in node.places.items()} | {"": node.place}
    else:
        path = beside(scenario, node)
        node = Node.read(_read(path, node), str(path))
        places = dict(node.places)
    data = copy.deepcopy(node.value)
    for term, value in changes.entries() if changes else ():
        _change(data, term, value)
        places[term] = value.place
    return parse_data(data, str(places[""].file), places, sha256(repr(data).encode()).hexdigest())


def catalog_of(scenario: Scenario) -> Catalog:
    """The catalogue with this case's files, and the lock beside its contract, where there is one."""
    contract = scenario.item("contract")
    lock = beside(scenario, contract).with_name(LOCK) if contract and isinstance(contract.value, str) else None
    return _catalog(catalog_paths(scenario), lock if lock and lock.exists() else None)


def catalog_paths(scenario: Scenario) -> tuple[Path, ...]:
    """The files of list prices that the scenario names."""
    files = scenario.item("catalog")
    return tuple(beside(scenario, node) for node in files.items()) if files else ()


@lru_cache(maxsize=8)
def _catalog(paths: tuple[Path, ...], lock: Path | None) -> Catalog:
    return open_catalog(paths, lock)


def facts_of(scenario: Scenario, zone: ZoneInfo) -> tuple[Fact, ...]:
    """The facts of a scenario, in time order."""
    node = scenario.item("facts")
    rows = node.items() if node else []
    return in_order([parse_fact(dict(_mapping(row)), row.place, zone) for row in rows])


def beside(scenario: Scenario, node: Node) -> Path:
    """A path of the file, which counts from the scenario file's folder."""
    return Path(scenario.place.file).parent / node.text()


def _change(data: object, path: str, value: Node) -> None:
    """Set one term, or take it away where the value is null."""
    try:
        steps: tuple[Step, ...] = locate(path, data, ContractFile)
    except PathError as error:
        raise value.fail(str(error), hint=error.hint) from error
    for index in range(1, len(steps)):
        if at(data, steps[:index]) is None:
            _set(data, steps[:index], {})
    _set(data, steps, value.value)


def _set(data: object, steps: tuple[Step, ...], value: object) -> None:
    parent, last = at(data, steps[:-1]), steps[-1]
    if isinstance(parent, list) and isinstance(last, int):
        parent[last : last + 1] = [] if value is None else [value]
    elif isinstance(parent, dict) and isinstance(last, str):
        parent.pop(last, None)
        if value is not None:
            parent[last] = value


def _mapping(row: Node) -> dict[str, object]:
    return {key: item.value for key, item in row.entries()}


def _read(path: Path, node: Node) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise node.fail(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ContractError("C207", f"{path} is not UTF-8 text", where=node.place) from error
