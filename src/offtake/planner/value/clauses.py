"""Every clause of a contract: priced, in need of something, or without a price, and why.

A clause that is not in the table of counterfactuals is listed too: a list that left out what it cannot price would
read as if the rest were worth nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from offtake.contract.contract import Contract
from offtake.contract.paths import at, locate, text
from offtake.planner.value.counterfactuals import TABLE, Counterfactual

Status = Literal["priced", "needs", "not_priceable"]

NEEDS: Mapping[str, str] = {
    "prices.new_models": "usage of models that were launched after signing: the futures hold today's models",
    "prices.new_meters": "usage of meters that did not exist at signing: the futures hold today's meters",
    "payment.late_fee": "how often you pay late",
    "commitments.marketplace": "your cloud commitment and what else burns it down",
    "renewal.commit_reduction": "the commitment of the next term; try --change commitment.amount=…",
    "renewal.incentive": "the terms of the next contract; try --change prices.discounts[0].share=…",
    "capacity": "what a refused request costs you",
    "sla.latency": "what a slow answer costs you",
    "residency": "the price of what it rules out: compare offers with `offtake plan`",
    "models": "what a forced migration costs you",
    "liability": "loss scenarios, which are yours to enter and are never invented",
    "ip.indemnity": "loss scenarios, which are yours to enter and are never invented",
    "exit": "how likely its event is",
    "protection.yearly_increase_cap": "an increase that the freeze does not stop already",
    "protection.meet_or_release": "a rival's offer: price the discount it would bring with --change",
    "protection.benchmark_review": "a rival's offer: price the discount it would bring with --change",
}
NOT_PRICEABLE: Mapping[str, str] = {
    "prices.basis": "what every other price is relative to; take off a discount instead",
    "prices.combine": "how shares meet, no right of its own; try --change prices.combine.how=add",
    "protection.most_favoured": "other buyers' prices cannot be seen; a right to price drops is the part that can",
    "protection": "a condition without an amount",
    "sla.support": "a duty without an amount",
    "data": "a duty, whose breach is a matter of liability",
    "security": "a duty, whose breach is a matter of liability",
    "ip": "ownership, which no bill shows",
    "behaviour": "a duty without an amount",
    "deployment": "a way to run; its fees are priced",
    "payment": "how a dispute runs, without an amount",
    "renewal": "a duty to act by a date",
    "exit.data_export": "a duty without an amount",
    "alerts": "when people are told",
    "obligations": "a duty without an amount",
    "capacity.priority": "a rank among customers, without an amount",
    "top_ups": "the wallet's rules; its bonus is priced",
}
IDENTITY = ("contract", "buyer", "vendor", "term", "billing", "scope", "documents", "source")
"""Who, when, for what and by which paper: not terms that could be off."""
PARTS = ("prices", "fees", "capacity", "sla", "ip", "protection", "payment", "renewal", "exit", "top_ups", "liability")
"""Sections whose keys are clauses of their own; any other section is one clause."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of the file. `reason` is what is missing, or why there is no price; empty for a priced one."""

    path: str
    status: Status
    counterfactual: Counterfactual | None = None
    reason: str = ""
    source: str = ""


def clauses_of(contract: Contract) -> tuple[Clause, ...]:
    """Every clause of the latest text, those that can be priced first."""
    data = contract.versions[-1].data
    priced = [
        Clause(path, "priced", row, source=contract.source(_indexed(path, data)))
        for row in TABLE
        for path in _standing(row.path, data)
        if not _is_default(path, data)
    ]
    if "renewal.price_cap" in _all(data):
        priced.append(Clause("renewal.price_cap", "priced", source=contract.source("renewal.price_cap")))
    taken = [clause.path for clause in priced]
    rest = [
        Clause(path, *_why(path), source=contract.source(_indexed(path, data)))
        for path in _all(data)
        if not any(each == path or each.startswith((f"{path}.", f"{path}[")) for each in taken)
    ]
    return (*priced, *sorted(rest, key=lambda clause: clause.status == "not_priceable"))


def _why(path: str) -> tuple[Status, None, str]:
    if any(re.fullmatch(_pattern(row.path), path) for row in TABLE):
        return "not_priceable", None, "it says what holds without such a term"
    plain = re.sub(r"\[[^\]]*\]", "", path)
    for prefix in (plain, plain.partition(".")[0]):
        if prefix in NEEDS:
            return "needs", None, NEEDS[prefix]
        if prefix in NOT_PRICEABLE:
            return "not_priceable", None, NOT_PRICEABLE[prefix]
    return "not_priceable", None, "nothing that a bill shows follows from it"


def _all(data: Mapping[str, object]) -> Iterator[str]:
    """The path of each clause, as people write it."""
    for key, value in data.items():
        if key in IDENTITY:
            continue
        if key in PARTS and isinstance(value, dict):
            yield from (f"{key}.{part}" for part in value if part not in IDENTITY)
        elif key == "commitments" and isinstance(value, list):
            for each in value:
                yield f"commitments[{each['id']}]"
                yield from (f"commitments[{each['id']}].{part}" for part in each if part == "marketplace")
        elif key == "obligations" and isinstance(value, list):
            yield from (f"obligations[{each['id']}]" for each in value)
        else:
            yield key


def _standing(pattern: str, data: object) -> Iterator[str]:
    """The paths of a pattern that the text has; list elements by their name where they have one."""
    found: list[tuple[str, object]] = [("", data)]
    for key in re.findall(r"\[\]|\*|\w+", pattern):
        following: list[tuple[str, object]] = []
        for path, node in found:
            if key == "[]" and isinstance(node, list):
                following += [(f"{path}[{_name(each, index)}]", each) for index, each in enumerate(node)]
            elif key == "*" and isinstance(node, dict):
                following += [(f"{path}.{each}", value) for each, value in node.items()]
            elif isinstance(node, dict) and node.get(key) is not None:
                following.append((f"{path}.{key}" if path else key, node[key]))
        found = following
    return (path for path, _ in found)


def _name(each: object, index: int) -> str:
    return str(each.get("id", each.get("name", index))) if isinstance(each, dict) else str(index)


def _indexed(path: str, data: object) -> str:
    """The path with list elements by number, as places and sources know them."""
    return text(locate(path, data))


def _is_default(path: str, data: object) -> bool:
    """Whether the text says what off means already."""
    row = next(row for row in TABLE if re.fullmatch(_pattern(row.path), path))
    edits = row.off(path)
    return len(edits) == 1 and at(data, locate(path, data)) == edits[0].value


def _pattern(path: str) -> str:
    return re.escape(path).replace(r"\[\]", r"\[[^\]]*\]").replace(r"\*", r".+")
