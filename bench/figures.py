"""What a benchmark prints: named figures with their goals, as a table or as JSON, and what they were measured with."""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from bench.usage_data import DEFAULT_FOLDER

VERSIONS = ("duckdb", "genai-prices", "highspy", "numpy")
Measure = Callable[[argparse.Namespace], "list[Figure]"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, None where it could not be. `goal` is such as ">= 1000" or "<= 5"; empty: only told."""

    name: str
    value: float | None
    unit: str
    goal: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none, or nothing to judge."""
        if not self.goal or self.value is None:
            return None
        sign, bound = self.goal.split()
        return self.value >= float(bound) if sign == ">=" else self.value <= float(bound)


def arguments() -> argparse.ArgumentParser:
    """The flags that every script takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="where generated usage is kept")
    parser.add_argument("--rows", type=int, action="append", help="sizes to measure instead of the usual ones")
    return parser


def document(bench: str, figures: Sequence[Figure]) -> dict[str, object]:
    """The JSON document of a script."""
    versions = {name: version(name) for name in VERSIONS}
    versions |= {"python": platform.python_version(), "machine": platform.machine()}
    return {
        "bench": bench,
        "figures": [{**asdict(figure), "met": figure.met} for figure in figures],
        "versions": versions,
    }


def show(bench: str, figures: Sequence[Figure], output: str) -> None:
    """Print figures as a table or as JSON."""
    if output == "json":
        print(json.dumps(document(bench, figures), indent=1))
        return
    print(bench)
    for figure in figures:
        verdict = {None: "", True: f"{figure.goal}  met", False: f"{figure.goal}  MISSED"}[figure.met]
        value = "-" if figure.value is None else f"{figure.value:,.3f}"
        print(f"  {figure.name:<64} {value:>14} {figure.unit:<8} {verdict}")


def unmet(figures: Sequence[Figure]) -> int:
    """The exit code: 1 where a goal was missed."""
    return int(any(figure.met is False for figure in figures))
