"""The ingester: a process of its own that reads the workers' journals and posts them to the ledger in batches.

It can be killed at any moment: a batch and the place up to which its journals were read are one transaction. It also
buries the dead: a worker whose lock is free gets its leases closed once its journal is posted to the end, and then its
files go.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from offtake.gateway.journal.reader import (
    JournalDamagedError,
    Listing,
    dead_lock,
    journals,
    read_piece,
    remove,
    worker_of,
)
from offtake.gateway.journal.writer import lock
from offtake.gateway.memory import keep_freed
from offtake.store.ledger.leases import close_worker, open_workers
from offtake.store.ledger.ledger import Ledger, LedgerError, open_ledger
from offtake.store.ledger.lots import settle_lots
from offtake.store.ledger.posting import OutOfStepError, Posted, Stretch, forget_journal, place_in, post
from offtake.values.errors import OfftakeError

BATCH_BYTES = 2**20  # some 2,000 events: what is read of them fits the caches of a core; 8 MB cost half as much again
BATCH_SECONDS = 0.5
"""Between two batches: often enough for whoever looks, and what each batch costs is shared by more requests."""
TIDY_SECONDS = 1.0
LEAST_BYTES = 2**16  # of each journal: no worker waits for the others' backlog
RETRY_SECONDS = 1.0
STARTING_SECONDS = 60  # so long a worker that is known may be without a journal, and yet alive
LOTS_SECONDS = 60
NICE = 5
"""Whoever serves goes first where a core is short; what waits is in the journals."""
_NAME = "ingester"


@dataclass(slots=True)
class Ingester:
    """Reads `folder` into `ledger`; `say` is told what a person should know, once for each thing."""

    ledger: Ledger
    folder: Path
    say: Callable[[str], None] = lambda words: None
    batch_bytes: int = BATCH_BYTES
    behind: bool = False
    """Whether more was waiting than the last batch could take."""
    _places: dict[Path, int] = field(default_factory=dict)
    _tidied_at: int = 0
    _lots_at: int = 0
    _said: set[str] = field(default_factory=set)
    _listing: Listing = field(init=False)

    def __post_init__(self) -> None:
        self._listing = Listing(self.folder)

    def step(self) -> Posted:
        """Post one batch, and once a second close what is finished. What was posted."""
        return self._step(self._listing())

    def _step(self, found: dict[str, list[Path]]) -> Posted:
        paths = [path for several in found.values() for path in several]
        share = max(self.batch_bytes // max(len(paths), 1), min(LEAST_BYTES, self.batch_bytes))
        self.behind = False
        stretches = [stretch for several in found.values() for stretch in self._read_in_order(several, share)]
        posted = self._post(stretches)
        if not self.behind and now() - self._tidied_at > TIDY_SECONDS * 1_000_000:
            self._tidy(found)
        return posted

    def drain(self) -> int:
        """Post everything that is there now, and close what is finished; how many lines."""
        lines = 0
        while posted := self._step(journals(self.folder)).lines:
            lines += posted
        self._tidy(journals(self.folder))
        return lines

    def _read_in_order(self, paths: list[Path], share: int) -> Iterator[Stretch]:
        """A worker's files, each only when the one before was read to its end: a request begins before it ends."""
        for path in paths:
            try:
                start = self._place(path)
                piece = read_piece(path, start, share)
            except (JournalDamagedError, FileNotFoundError) as error:
                self._once(str(error))
                return
            if piece.stop > start:
                yield Stretch(worker_of(path), path.name, start, piece.stop, piece.events)
            if piece.more:
                self.behind = True
                return

    def _post(self, stretches: list[Stretch]) -> Posted:
        if not stretches:
            return Posted()
        try:
            posted = post(self.ledger, stretches, now())
        except OutOfStepError as error:
            self._places.clear()
            self._once(str(error))
            return Posted()
        for stretch in stretches:
            self._places[self.folder / stretch.file] = stretch.stop
        if posted.conflicts:
            self._once(
                f"{posted.conflicts} lines contradict what was posted before; `offtake ledger verify` shows them"
            )
        return posted

    def _place(self, path: Path) -> int:
        if path not in self._places:
            self._places[path] = place_in(self.ledger, path.name)
        return self._places[path]

    def _tidy(self, found: dict[str, list[Path]]) -> None:
        """Remove finished files of the living, close the dead, and once a minute lay what was spent on credit lots."""
        self._tidied_at = now()
        if now() - self._lots_at > LOTS_SECONDS * 1_000_000:
            self._lots_at = now()
            settle_lots(self.ledger, self._lots_at)
        for paths in found.values():
            for path in paths[:-1]:
                if self._is_posted(path):
                    path.unlink()
                    self._forget(path)
        for worker in {*open_workers(self.ledger, now() - STARTING_SECONDS * 1_000_000), *found}:
            descriptor = dead_lock(self.folder, worker)
            if descriptor is None:
                continue
            try:
                self._bury(worker)
            finally:
                os.close(descriptor)

    def _bury(self, worker: str) -> None:
        """Close a dead worker, if its journals are posted to the end; nobody can add to them any more."""
        paths = journals(self.folder).get(worker, [])
        if not all(self._is_posted(path) for path in paths):
            return
        unresolved = close_worker(self.ledger, worker, now())
        if unresolved:
            self.say(f"{worker} died and left {unresolved} requests without an end; their holds stay")
        remove(self.folder, worker)
        for path in paths:
            self._forget(path)

    def _is_posted(self, path: Path) -> bool:
        """Whether nothing is left to post in a file that nobody writes any more; a torn end was never promised."""
        try:
            start = self._place(path)
            piece = read_piece(path, start, self.batch_bytes)
        except (JournalDamagedError, FileNotFoundError):
            return False
        return piece.stop == start

    def _forget(self, path: Path) -> None:
        forget_journal(self.ledger, path.name)
        self._listing.forget()
        self._places.pop(path, None)

    def _once(self, words: str) -> None:
        if words not in self._said:
            self._said.add(words)
            self.say(words)


def now() -> int:
    """The present instant, in microseconds since 1970."""
    return time.time_ns() // 1_000


def ingest(store: Path, folder: Path, stopped: Callable[[], bool], say: Callable[[str], None]) -> None:
    """Run until `stopped`, then post what is left. OSError where another ingester reads the folder.

    A ledger that cannot be written does not end it: the journals keep everything, and it tries again.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = lock(folder, _NAME)
    os.nice(NICE)
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    keep_freed()
    ledger = open_ledger(store)
    ingester = Ingester(ledger, folder, say)
    try:
        while not stopped():
            try:
                ingester.step()
            except LedgerError as error:
                say(str(error))
                time.sleep(RETRY_SECONDS)
                continue
            if not ingester.behind:
                time.sleep(BATCH_SECONDS)
        ingester.drain()
    except OfftakeError as error:
        say(str(error))
        raise
    finally:
        ledger.close()
        os.close(descriptor)
