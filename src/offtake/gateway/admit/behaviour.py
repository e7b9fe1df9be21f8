"""Behaviour: what is blocked in requests, and what suspends a model at once.

Clause: `behaviour.block`, `behaviour.suspend_on`. An entry of `block` is a phrase, found as whole words whatever the
case. The text is looked at in memory, byte by byte, and what is recorded is the entry that matched, never the text. A
suspension holds from the moment at which it is reported until a person lifts it; it is state, and not part of the
contract.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from offtake.contract.contract import Contract
from offtake.contract.patterns import match
from offtake.gateway.admit.question import Looked, Suspension, clause_of
from offtake.gateway.admit.search import holds_any
from offtake.gateway.ask import Refusal


def not_suspended(looked: Looked) -> Refusal | None:
    """No event has suspended the model under this contract."""
    name, model = looked.terms.contract, looked.asked.model
    for each in looked.suspensions:
        if each.contract in ("*", name) and match(each.model, model):
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


class Blocks(Struct):
    """A block list ready to look for: the longest word of each entry, and one pattern with a group for each.

    `words` are looked for first and fast. `clauses` are those of the entries, as refusals name them.
    """

    entries: tuple[str, ...]
    clauses: tuple[str, ...]
    words: tuple[bytes, ...]
    pattern: re.Pattern[bytes]

    def found_in(self, body: bytes) -> Refusal | None:
        """The refusal of the first entry that stands in a request's text. Some microseconds for each 10 KB."""
        lowered = body.lower()
        if not holds_any(lowered, self.words):
            return None
        found = self.pattern.search(lowered)
        if found is None:
            return None
        index = (found.lastindex or 1) - 1
        return Refusal(
            "policy", "G322", "the request asks for what the contract blocks", self.clauses[index],
            f"rule: {self.entries[index]}",
        )  # fmt: skip


def blocks_of(contract: Contract, at: datetime) -> Blocks | None:
    """The block list that is in force at an instant; None where there is none."""
    behaviour = contract.as_of(at).behaviour
    entries = tuple((behaviour.block if behaviour else None) or ())
    if not entries:
        return None
    spelled = [list(_spellings(entry)) for entry in entries]
    longest = dict.fromkeys(max(words, key=len) for each in spelled for words in each if words)
    groups = (b"(" + b"|".join(map(_joined, each)) + b")" for each in spelled)
    pattern = re.compile(rb"(?<![a-z0-9])(?:" + b"|".join(groups) + rb")(?![a-z0-9])")
    clauses = tuple(clause_of(contract, f"behaviour.block[{index}]", at) for index in range(len(entries)))
    return Blocks(entries, clauses, tuple(longest), pattern)


def _joined(words: list[bytes]) -> bytes:
    return rb"[\s_-]+".join(map(re.escape, words))


def _spellings(entry: str) -> Iterator[list[bytes]]:
    """The words of an entry as a body may write them: in either case, as UTF-8 or as JSON escapes them."""
    seen: list[list[bytes]] = []
    for text in (entry.lower(), entry.upper(), entry.title()):
        for write in (str.encode, lambda word: json.dumps(word)[1:-1].encode()):
            words = [write(word).lower() for word in text.replace("_", " ").split()]
            if words not in seen:
                seen.append(words)
                yield words
