"""What the ledger remembers: its blocks in order, checked as a whole, and its requests as usage records."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from offtake.ledger.audit import Audit, Block
from offtake.store.ledger.ledger import Ledger, readable
from offtake.store.ledger.packing import text_of
from offtake.usage.record import UsageRecord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def blocks(ledger: Ledger) -> Iterator[Block]:
    """All blocks in order, one by one: of one state of the file within `ledger.reading()`."""
    postings = ledger.each("SELECT block, account, pico FROM postings ORDER BY block, account")
    waiting = next(postings, None)
    for row in ledger.each("SELECT number, at, previous, hash, lines FROM blocks ORDER BY number"):
        number, at, previous, digest, lines = row
        amounts: dict[str, int] = {}
        while waiting is not None and int(str(waiting[0])) <= int(str(number)):
            amounts[str(waiting[1])] = int(str(waiting[2]))
            waiting = next(postings, None)
        yield Block(int(str(number)), int(str(at)), str(previous), str(digest), text_of(lines), amounts)


def audit(ledger: Ledger) -> Audit:
    """The whole ledger, checked: chain, sums, lines against postings, balances, floors, open requests, conflicts."""
    found = Audit()
    with ledger.reading():
        for block in blocks(ledger):
            found.add(block)
        rows = ledger.rows("SELECT name, pico, floor_pico FROM accounts")
        balances = {str(name): int(str(pico)) for name, pico, _ in rows}
        floors = {str(name): int(str(floor)) for name, _, floor in rows if floor is not None}
        requests = [str(request) for (request,) in ledger.rows("SELECT request FROM open_requests")]
        conflicts = [str(request) for (request,) in ledger.rows("SELECT request FROM conflicts ORDER BY number")]
    found.finish(balances, floors, requests, conflicts)
    return found


def events(ledger: Ledger, *kinds: str) -> Iterator[Mapping[str, Any]]:
    """The posted events of these kinds, in the order in which they were posted."""
    for block in blocks(ledger):
        readable(block.number, block.lines)
        yield from block.events(*kinds)


def events_after(ledger: Ledger, number: int, *kinds: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(block, event) of these kinds in the blocks after one, in the order in which they were posted."""
    for block, lines in ledger.each("SELECT number, lines FROM blocks WHERE number > ? ORDER BY number", number):
        for event in Block(int(str(block)), 0, "", "", readable(int(str(block)), lines), {}).events(*kinds):
            yield int(str(block)), event


def last_block(ledger: Ledger) -> int:
    """The number of the last block; 0 where there is none."""
    return int(str(ledger.rows("SELECT coalesce(max(number), 0) FROM blocks")[0][0]))


def block_before(ledger: Ledger, at: int) -> int:
    """The last block that was posted before an instant; 0 where there is none. Blocks are posted in time order."""

    def posted_at(number: int) -> int:
        return int(str(ledger.rows("SELECT at FROM blocks WHERE number = ?", number)[0][0]))

    return bisect_left(range(1, last_block(ledger) + 1), at, key=posted_at)


def usage_of(ledger: Ledger, contract: str = "") -> Iterator[UsageRecord]:
    """The usage records of settled requests, of all or of one contract, in the order in which they were posted."""
    for event in events(ledger, "settle"):
        if contract in ("", event["contract"]):
            yield usage_record(event)


def states_of(ledger: Ledger, prefix: str) -> dict[str, bool]:
    """The requests whose names begin so, and whether each has ended."""
    rows = ledger.rows(
        "SELECT request, ended IS NOT NULL FROM requests WHERE request >= ? AND request < ?",
        prefix, prefix + "\U0010ffff",
    )  # fmt: skip
    return {str(request): bool(ended) for request, ended in rows}


def usage_record(settle: Mapping[str, Any]) -> UsageRecord:
    """The usage record that a settlement holds."""
    fields = {name: settle[name] for name in _FIELDS if name in settle}
    return UsageRecord(**{**fields, "used_at": instant(settle["used_at"])})


def instant(microseconds: int) -> datetime:
    """An instant of the ledger, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


_FIELDS = tuple(name for name in UsageRecord.__dataclass_fields__ if name not in ("where", "used_at"))
