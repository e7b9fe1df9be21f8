"""Posting what journals say: a batch of events becomes one block, its lines kept, its money netted account by account.

The place up to which each journal was read is stored in the same transaction, so that a batch is posted once or not at
all, whoever is killed. A request that is named twice is posted once; where its two lines differ, the later one is a
conflict, kept apart and shown, and never money.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from offtake.ledger import movements
from offtake.ledger.entries import BEGIN, Entry, Written
from offtake.ledger.lines import is_whole, line_of, payload_of
from offtake.ledger.resolutions import Resolution
from offtake.ledger.transactions import Postings, netted
from offtake.store.ledger.ledger import Ledger, LedgerError, readable
from offtake.store.ledger.tallies import HOUR, Sums, Tally, add_tallies

_WITHIN = "SELECT value FROM json_each(?)"
_NOTE = (
    "INSERT INTO requests SELECT value, ?, ? FROM json_each(?) WHERE true ON CONFLICT (request) DO UPDATE SET "
    "begun = coalesce(begun, excluded.begun), ended = coalesce(ended, excluded.ended) "
    "WHERE (begun IS NULL OR excluded.begun IS NULL) AND (ended IS NULL OR excluded.ended IS NULL)"
)
"""In which block requests began or ended; one that did so before is left as it is, and not counted."""

_Key = tuple[str, tuple[str, ...], str, str, int, str, str]
"""Worker ("" where a dead one held it), budgets, vendor, contract, hour, model, access."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was read of one journal: `events` between two places of the file, in bytes."""

    worker: str
    file: str
    start: int
    stop: int
    events: Written


@dataclass(slots=True)
class Posted:
    """What became of a batch: lines posted, left out as already posted, and set apart as conflicts."""

    lines: int = 0
    settled: int = 0
    repeated: int = 0
    conflicts: int = 0


class OutOfStepError(LedgerError):
    """Somebody else has posted from this journal: read the place again."""


class _PostedBeforeError(Exception):
    """One of the requests of a batch began or ended before; the transaction must be undone."""


@dataclass(slots=True)
class _Batch:
    """A batch being netted. `unresolved`: requests of dead workers (→ their holds), whose money is held apart."""

    unresolved: Mapping[str, Mapping[str, int]]
    texts: list[bytes] = field(default_factory=list)
    lines: int = 0
    begun: dict[str, tuple[str, Entry]] = field(default_factory=dict)
    ended: dict[str, Entry] = field(default_factory=dict)
    charged: dict[_Key, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    resolved: list[Postings] = field(default_factory=list)
    settled: int = 0
    sums: dict[_Key, Sums] = field(default_factory=dict)

    def add(self, worker: str, events: Written) -> None:
        """Take a worker's events. One loop, with as few steps as there can be: it runs for every request."""
        begun, ended, all_charged, unresolved = self.begun, self.ended, self.charged, self.unresolved
        if events:
            self.texts.append(events.text)
            self.lines += len(events)
        for entry in events.entries:
            request = entry.id
            if entry.kind == BEGIN:
                begun[request] = worker, entry
                continue
            ended[request] = entry
            charged = worker
            if unresolved and request in unresolved:
                self.resolved.append(
                    movements.resolve(unresolved[request], entry.vendor, entry.contract, entry.cost_pico)
                )
                if entry.kind != "settle":
                    continue
                charged = ""
            elif entry.kind == "release":
                continue
            else:
                self.settled += 1
            all_charged[
                charged, entry.budgets, entry.vendor, entry.contract, entry.used_at // HOUR, entry.model, entry.access
            ].append(entry)

    def close(self) -> None:
        """Sum up what was taken."""
        self.sums = {key: _sums(entries) for key, entries in self.charged.items()}

    @property
    def postings(self) -> Postings:
        """The whole batch as one transaction."""
        settled = (
            movements.settle(worker, budgets, vendor, contract, sums.cost_pico)
            for (worker, budgets, vendor, contract, *_), sums in self.sums.items()
            if worker
        )
        return netted([*settled, *self.resolved])

    @property
    def tallies(self) -> dict[Tally, Sums]:
        """The settlements of the batch by contract, hour, model and form of access."""
        found: dict[Tally, Sums] = {}
        for (_, _, _, contract, hour, model, access), sums in self.sums.items():
            if model:
                tally = Tally(contract, hour, model, access)
                found.setdefault(tally, Sums()).add(sums.cost_pico, sums.list_pico, sums.quantities)
        return found


def _sums(entries: Sequence[Entry]) -> Sums:
    quantities: dict[str, int] = {}
    for entry in entries:
        found = entry.quantities
        for meter in found:
            quantities[meter] = quantities.get(meter, 0) + found[meter]
    cost = sum([entry.cost_pico for entry in entries])
    return Sums(cost, sum([entry.list_pico or entry.cost_pico for entry in entries]), quantities)


def place_in(ledger: Ledger, file: str) -> int:
    """Up to which byte a journal was posted."""
    rows = ledger.rows("SELECT offset FROM journals WHERE file = ?", file)
    return int(str(rows[0][0])) if rows else 0


def post(ledger: Ledger, stretches: Sequence[Stretch], at: int) -> Posted:
    """Post the events of several journals as one block, durably. OutOfStepError where one was posted meanwhile."""
    with suppress(_PostedBeforeError), ledger.transaction():
        for stretch in stretches:
            _advance(ledger, stretch)
        return _append(ledger, stretches, at)
    kept = Posted()
    with ledger.transaction():  # the rare case costs the time, not the usual one
        for stretch in stretches:
            _advance(ledger, stretch)
        fresh = list(_unposted(ledger, stretches, at, kept))
        try:
            posted = _append(ledger, fresh, at)
        except _PostedBeforeError as error:
            what = "the ledger's list of requests is not what its blocks say"
            raise LedgerError("L712", what, hint="verify it") from error
    return replace(posted, repeated=kept.repeated, conflicts=kept.conflicts)


def post_resolutions(ledger: Ledger, resolutions: Sequence[Resolution], at: int) -> None:
    """End requests that dead workers left without an end, all in one block. LedgerError where one is not among them."""
    if not resolutions:
        return
    lines = [line_of(each.payload()) for each in resolutions]
    stretch = Stretch("", "", 0, 0, Written(resolutions, b"\n".join(lines)))
    with ledger.transaction():
        known = _unresolved(ledger, [stretch])
        missing = [each.id for each in resolutions if each.id not in known]
        hint = "`offtake ledger unresolved` lists the rest"
        if missing:
            raise LedgerError("L729", f"{missing[0]} has ended meanwhile", why="nothing was posted", hint=hint)
        try:
            _append(ledger, [stretch], at)
        except _PostedBeforeError as error:
            raise LedgerError("L729", "one of them has ended meanwhile", why="nothing was posted", hint=hint) from error


def forget_journal(ledger: Ledger, file: str) -> None:
    """A journal that was posted to its end and removed has no place any more."""
    with ledger.transaction():
        ledger.run("DELETE FROM journals WHERE file = ?", file)


def holds_of(text: str) -> dict[str, int]:
    """The holds of an open request as they are stored: budget → picodollars."""
    found: dict[str, int] = json.loads(text)
    return found


def intent_of(ledger: Ledger, request: str) -> Mapping[str, Any]:
    """What a request's intent said; empty where it has none."""
    line = _lines_of(ledger, [request]).get((request, True))
    found: Mapping[str, Any] = json.loads(payload_of(line)) if line else {}
    return found


def _append(ledger: Ledger, stretches: Sequence[Stretch], at: int) -> Posted:
    """Post a batch. _PostedBeforeError, with half of it written, where one of its requests began or ended before."""
    batch = _Batch(_unresolved(ledger, stretches))
    for stretch in stretches:
        batch.add(stretch.worker, stretch.events)
    if not batch.lines:
        return Posted()
    batch.close()
    begun, ended = batch.begun, batch.ended
    block = ledger.append(at, batch.texts, batch.postings)
    add_tallies(ledger, batch.tallies)
    opened = [request for request in begun if request not in ended]
    closed = [request for request in ended if request not in begun]
    whole = [request for request in begun if request in ended] if len(opened) < len(begun) else []
    noted = [
        ledger.run(_NOTE, *blocks, json.dumps(requests)) == len(requests)
        for requests, *blocks in ((whole, block, block), (opened, block, None), (closed, None, block))
        if requests
    ]
    if not all(noted) or len(begun) + len(ended) != batch.lines:
        raise _PostedBeforeError
    ledger.run_each(
        "INSERT INTO open_requests SELECT ?1, ?2, ?3, ?4, NULL "
        "WHERE EXISTS (SELECT 1 FROM requests WHERE request = ?1 AND ended IS NULL)",
        [
            (request, worker, entry.at, bytes(entry.holds).decode())
            for request in opened
            for worker, entry in (begun[request],)
        ],
    )
    if closed:
        ledger.run(f"DELETE FROM open_requests WHERE request IN ({_WITHIN})", json.dumps(closed))
    return Posted(batch.lines, batch.settled)


def _unresolved(ledger: Ledger, stretches: Sequence[Stretch]) -> dict[str, dict[str, int]]:
    """The holds of requests in these events whose worker is dead."""
    if not ledger.rows("SELECT 1 FROM open_requests WHERE unresolved_at IS NOT NULL LIMIT 1"):
        return {}
    ids = [entry.id for stretch in stretches for entry in stretch.events.entries]
    rows = ledger.rows(
        f"SELECT request, holds FROM open_requests WHERE unresolved_at IS NOT NULL AND request IN ({_WITHIN})",
        json.dumps(ids),
    )
    return {str(request): holds_of(str(holds)) for request, holds in rows}


def _advance(ledger: Ledger, stretch: Stretch) -> None:
    changed = ledger.run(
        "UPDATE journals SET offset = ? WHERE file = ? AND offset = ?", stretch.stop, stretch.file, stretch.start
    )
    if changed:
        return
    if stretch.start or ledger.rows("SELECT 1 FROM journals WHERE file = ?", stretch.file):
        raise OutOfStepError("L713", f"{stretch.file} was posted by another process meanwhile", hint="run one ingester")
    ledger.run("INSERT INTO journals VALUES (?, ?, ?)", stretch.file, stretch.worker, stretch.stop)


def _unposted(ledger: Ledger, stretches: Sequence[Stretch], at: int, posted: Posted) -> Iterator[Stretch]:
    """The events that are not posted yet; those that are, are counted, and kept as conflicts where they differ."""
    seen = _lines_of(ledger, [entry.id for stretch in stretches for entry in stretch.events.entries])
    for stretch in stretches:
        fresh, lines = [], []
        for entry, line in stretch.events:
            key = (entry.id, entry.kind == BEGIN)
            if key not in seen:
                seen[key] = line
                fresh.append(entry)
                lines.append(line)
            elif seen[key] == line:
                posted.repeated += 1
            else:
                posted.conflicts += 1
                ledger.run("INSERT INTO conflicts VALUES (NULL, ?, ?, ?, ?)", at, entry.id, entry.kind, line)
        yield replace(stretch, events=Written(fresh, b"\n".join(lines)))


def _lines_of(ledger: Ledger, requests: Sequence[str]) -> dict[tuple[str, bool], bytes]:
    """The posted lines of these requests: (request, whether it is the intent) → line."""
    wanted = set(requests)
    rows = ledger.rows(f"SELECT begun, ended FROM requests WHERE request IN ({_WITHIN})", json.dumps(list(wanted)))
    found: dict[tuple[str, bool], bytes] = {}
    for block in sorted({int(str(number)) for row in rows for number in row if number is not None}):
        for line in filter(is_whole, lines_in(ledger, block)):
            event = json.loads(payload_of(line))
            if event.get("id") in wanted:
                found[event["id"], event["kind"] == BEGIN] = line
    return found


def lines_in(ledger: Ledger, block: int) -> list[bytes]:
    """The lines of a block."""
    ((stored,),) = ledger.rows("SELECT lines FROM blocks WHERE number = ?", block)
    text = readable(block, stored)
    return text.split(b"\n") if text else []
