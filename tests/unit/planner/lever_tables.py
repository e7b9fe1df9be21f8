"""The fact tables as they are shipped, for tests."""

from __future__ import annotations

from pathlib import Path

from offtake.planner.levers.facts import Table, read_asks, read_exclusions, read_gates
from offtake.values.yaml_text import read_yaml

FOLDER = Path(__file__).parents[3] / "src" / "offtake" / "planner" / "levers"


def table(name: str) -> Table:
    return of(name, (FOLDER / name).read_text())


def of(name: str, text: str) -> Table:
    return Table(*read_yaml(text, name), name)


GATES = read_gates(table("gates.yaml"))
ASKS = read_asks(table("asks.yaml"))
EXCLUSIONS = read_exclusions(table("exclusions.yaml"))
