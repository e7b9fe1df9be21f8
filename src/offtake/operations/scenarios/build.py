"""What a scenario runs on: its contract with this case's changes, its list prices, its facts."""

from __future__ import annotations

import copy
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from offtake.contract.contract import Contract
from offtake.contract.parse import parse, parse_data
from offtake.contract.paths import PathError, Step, at, locate
from offtake.operations.scenarios.file import Scenario
from offtake.operations.scenarios.node import Node
from offtake.rating.facts import Fact, in_order, parse_fact
from offtake.values.errors import ContractError


def contract_of(scenario: Scenario) -> Contract:
    """The contract as this case has it."""
    node, changes = scenario.node.need("contract"), scenario.item("changes")
    source = node.item("text")
    if source is not None:
        return parse(source.text(), scenario.place.file)
    if not isinstance(node.value, dict):
        path = beside(scenario, node)
        node = Node.read(_read(path, node), str(path))
        scope = dict(node.places)
    else:
        scope = {path.removeprefix(f"{node.path}."): place for path, place in node.places.items()}
    data = copy.deepcopy(node.value)
    for path_, value in changes.entries() if changes else ():
        _change(data, path_, value)
        scope[path_] = value.place
    return parse_data(data, str(scope[""].file), scope, sha256(repr(data).encode()).hexdigest())


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
        steps: tuple[Step, ...] = locate(path, data)
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
