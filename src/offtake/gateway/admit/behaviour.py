"""Behaviour: what is blocked in requests, and what suspends a model at once.

Clause: `behaviour.block`, `behaviour.suspend_on`. An entry of `block` is a phrase, found as whole words whatever the
case. The text is looked at in memory, byte by byte, and what is recorded is the entry that matched, never the text. A
suspension holds from the moment at which it is reported until a person lifts it; it is state, and not part of the
contract.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from offtake.contract.contract import Contract
from offtake.contract.patterns import match
from offtake.gateway.admit.question import Looked, Suspension, clause_of
from offtake.gateway.ask import Refusal


def not_suspended(looked: Looked) -> Refusal | None:
    """No event has suspended the model under this contract."""
    name, model = looked.terms.contract, looked.asked.model
    for each in looked.suspensions:
        if each.contract == name and match(each.model, model):
            return Refusal(
                "policy", "G321", f"{model} is suspended since {each.since:%Y-%m-%d %H:%M} UTC: {each.event}",
                looked.clause("behaviour.suspend_on"), "a person lifts the suspension after review",
            )  # fmt: skip
    return None


def suspends(contract: Contract, model: str, event: str, at: datetime, by: str = "") -> Suspension | None:
    """The suspension that an event brings, if the contract lists it; from this moment on nothing is sent."""
    behaviour = contract.as_of(at).behaviour
    if behaviour is None or event not in (behaviour.suspend_on or []):
        return None
    return Suspension(contract.signed.contract, model, event, at, by)


def blocked(contract: Contract, body: bytes, at: datetime) -> Refusal | None:
    """The first entry of `behaviour.block` that stands in a request's text. A few microseconds for each 10 KB."""
    behaviour = contract.as_of(at).behaviour
    entries = tuple((behaviour.block if behaviour else None) or ())
    found = _pattern(entries).search(body) if entries else None
    if found is None:
        return None
    index = (found.lastindex or 1) - 1
    return Refusal(
        "policy", "G322", "the request asks for what the contract blocks",
        clause_of(contract, f"behaviour.block[{index}]", at), f"rule: {entries[index]}",
    )  # fmt: skip


@lru_cache(maxsize=256)
def _pattern(entries: tuple[str, ...]) -> re.Pattern[bytes]:
    """One pattern for all entries, a group for each: as UTF-8, and as JSON may escape it."""
    groups = (b"(" + b"|".join(_spellings(entry)) + b")" for entry in entries)
    return re.compile(rb"(?<![A-Za-z0-9])(?:" + b"|".join(groups) + rb")(?![A-Za-z0-9])", re.IGNORECASE)


def _spellings(entry: str) -> Iterable[bytes]:
    words = entry.replace("_", " ").split()
    plain = [re.escape(word.encode()) for word in words]
    escaped = [re.escape(json.dumps(word)[1:-1].encode()) for word in words]
    return dict.fromkeys((rb"[\s_-]+".join(plain), rb"[\s_-]+".join(escaped)))
