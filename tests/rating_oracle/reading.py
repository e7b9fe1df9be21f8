"""The texts of a contract, read in the plainest way: `20%`, `12 USD / month`, `30 days`; and amended terms."""

from __future__ import annotations

import copy
import re
from datetime import date
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any

from tests.rating_oracle.dates import midnight

Deal = dict[str, Any]
"""A contract as its file has it."""


def share(text: str) -> Fraction:
    """`20%` is one fifth."""
    return Fraction(text.removesuffix("%")) / 100


def money(text: str) -> Fraction:
    """`12 USD / month` is 12."""
    return Fraction(text.split()[0].replace("_", ""))


def per(text: str) -> str:
    """`12 USD / month` is a month's."""
    return text.split(" / ")[1]


def deal_at(deal: Deal, at: Any) -> Deal:
    """The text in force at an instant: the signed one with every amendment that has begun."""
    amended = copy.deepcopy(deal)
    for each in sorted(deal.get("amendments", []), key=lambda each: each["effective"]):
        if midnight(date.fromisoformat(each["effective"]), deal["term"]["time_zone"]) <= at:
            for path, value in each["changes"].items():
                put(amended, path, value)
    return amended


def in_pool(commitment: Deal, model: str, access: str) -> bool:
    """Whether usage of a model through an access form counts toward a commitment."""
    pool = commitment["pool"]
    if pool == "all_models":
        return True
    fits = any(fnmatchcase(model, pattern) for pattern in pool.get("models", ["*"]))
    return fits and access in pool.get("access", [access])


def put(node: Any, path: str, value: object) -> None:
    """Set the value at a path such as `commitments[0].amount`."""
    steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
    for step in steps[:-1]:
        node = node.setdefault(step, {}) if isinstance(node, dict) else node[step]
    node[steps[-1]] = value
