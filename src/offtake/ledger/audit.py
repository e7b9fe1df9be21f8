"""Checking the books, block by block: the chain is whole, all sums to zero, every balance follows from its postings.

What is posted must also be what the lines say: the costs of a block's settlements are what its accounts of expense and
of spent budgets moved by. The audit needs memory for accounts and open requests, not for all that was ever posted.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from offtake.ledger import accounts
from offtake.ledger.chain import GENESIS, block_hash
from offtake.ledger.entries import BEGIN, ENDS
from offtake.ledger.lines import is_whole, payload_of
from offtake.values.errors import Finding

CHARGED = ("settle", "resolve")


@dataclass(frozen=True, slots=True)
class Block:
    """One block as it is stored; `lines` are joined by line feeds."""

    number: int
    at: int
    previous: str
    hash: str
    lines: bytes
    postings: Mapping[str, int]

    def events(self, *kinds: str) -> Iterator[Mapping[str, Any]]:
        """The events of its whole lines, as JSON objects; those of some kinds, or all."""
        others = tuple(f'{{"kind":"{kind}"'.encode() for kind in (BEGIN, *ENDS) if kinds and kind not in kinds)
        for line in _lines(self):
            payload = payload_of(line)
            if not payload.startswith(others) and is_whole(line):
                event = json.loads(payload)
                if not kinds or event["kind"] in kinds:
                    yield event


@dataclass(slots=True)
class Audit:
    """Takes the blocks in order, then what is stored as present; `findings` says what does not hold."""

    findings: list[Finding] = field(default_factory=list)
    blocks: int = 0
    lines: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    open_requests: set[str] = field(default_factory=set)
    _ended_early: set[str] = field(default_factory=set)
    _previous: str = GENESIS

    def add(self, block: Block) -> None:
        """Check a block and fold its postings."""
        where = f"block {block.number}"
        if block.number != self.blocks + 1:
            self._found("L731", f"{where} follows block {self.blocks}", "blocks between them are gone")
        elif block.previous != self._previous:
            self._found("L732", f"{where} does not name the hash of block {self.blocks}", "one of them was changed")
        events = list(block.events(BEGIN, *ENDS))
        self._check_lines(block, where)
        begun = {event["id"] for event in events if event["kind"] == BEGIN}
        ended = {event["id"] for event in events if event["kind"] != BEGIN}
        early = ended - self.open_requests - begun  # written down before its intent: a file was read out of order
        self.open_requests = (self.open_requests | (begun - self._ended_early)) - ended
        self._ended_early = (self._ended_early | early) - begun
        if total := sum(block.postings.values()):
            self._found("L734", f"{where} sums to {total} picodollars", "a transaction sums to zero")
        for account, pico in _charged(events).items():
            if block.postings.get(account, 0) != pico:
                posted = block.postings.get(account, 0)
                self._found("L735", f"{where} posts {posted} to {account}", f"its lines say {pico} picodollars")
        for account, pico in block.postings.items():
            self.balances[account] = self.balances.get(account, 0) + pico
        self.blocks, self._previous = block.number, block.hash

    def finish(
        self,
        balances: Mapping[str, int],
        floors: Mapping[str, int],
        open_requests: Collection[str],
        conflicts: Collection[str],
    ) -> None:
        """Compare what is stored as present with what was folded."""
        for account in sorted(balances.keys() | self.balances.keys()):
            stored, folded = balances.get(account, 0), self.balances.get(account, 0)
            if stored != folded:
                what = f"the balance of {account} is {stored} picodollars, its postings sum to {folded}"
                self._found("L736", what, "a balance is the sum of its postings")
            floor = floors.get(account)
            if floor is not None and stored < floor:
                what = f"{account} is at {stored} picodollars, below its floor of {floor}"
                self._found("L737", what, "a request has cost more than it held")
        for request in sorted(self.open_requests ^ set(open_requests)):
            listed = "listed" if request in open_requests else "not listed"
            self._found("L738", f"the request {request} is {listed} as open", "its lines say otherwise")
        for request in conflicts:
            self._found("L739", f"the request {request} was written down twice, differently", "the first one counts")

    def _check_lines(self, block: Block, where: str) -> None:
        torn = [number for number, line in enumerate(_lines(block), 1) if not is_whole(line)]
        for number in torn:
            self._found("L733", f"{where}, line {number}: the line does not match its checksum", "it was changed")
        digest = block_hash(block.number, block.at, block.previous, block.lines, block.postings)
        if digest != block.hash and not torn:
            self._found("L733", f"{where} does not match its hash", "it was changed after it was posted")
        self.lines += len(_lines(block))

    def _found(self, code: str, what: str, why: str) -> None:
        self.findings.append(Finding(code, "error", what, why=why))


def _lines(block: Block) -> list[bytes]:
    return block.lines.split(b"\n") if block.lines else []


def _charged(events: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """What these events charge, by account."""
    found: dict[str, int] = {}
    for event in events:
        if event["kind"] in CHARGED:
            charges = [accounts.expense(event["vendor"], event["contract"]), *map(accounts.spent, event["budgets"])]
            for account in charges:
                found[account] = found.get(account, 0) + event["cost_pico"]
    return found
