"""Reading journals: what a stretch of a file holds, which files there are, and whether their worker lives.

Only the end of a file may be torn: a line that a worker was writing when it died was never promised to anyone. A line
that is not whole, with whole lines after it, is damage, and reading that file stops with an error.
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from offtake.gateway.journal.events import events_of
from offtake.gateway.journal.writer import LOCK, SPARE, SUFFIX, lock
from offtake.ledger.entries import Written
from offtake.ledger.lines import split_lines
from offtake.values.errors import OutsideError

LISTED_NS = 1_000_000_000
_NAME = re.compile(r"([A-Za-z0-9_-]+)\.[0-9]+" + re.escape(SUFFIX))


class JournalDamagedError(OutsideError):
    """A journal that cannot be read on: what follows in it is not posted until somebody has looked."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Events of a journal up to the byte `stop`, each with its line; `more` says that the file goes on after them.

    What is torn at its very end is not read, and is not more.
    """

    events: Written
    stop: int
    more: bool


def read_piece(path: Path, start: int, bytes_max: int) -> Piece:
    """The next events of a journal from the byte `start` on, of about `bytes_max`; none where there are no more.

    JournalDamagedError for a line that is not whole in the middle, for one that is no event, and for a later format.
    """
    if path.stat().st_size <= start:  # most often, where there is little to do
        return Piece(Written((), b""), start, more=False)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        left = max(os.fstat(descriptor).st_size - start, 0)
        data = os.pread(descriptor, min(bytes_max, left), start)
        if len(data) < left:
            data = data[: data.rfind(b"\n") + 1]  # the rest of the line is the next piece
        found = split_lines(data)
        if len(data) < left and (found.torn or not data):  # a line longer than that, or damage: look at all of it
            found = split_lines(os.pread(descriptor, left, start))
    finally:
        os.close(descriptor)
    if found.damaged is not None:
        raise _damaged(path, start + found.damaged, "a line does not match its checksum, and whole lines follow it")
    try:
        events = events_of(found)
    except ValueError as error:
        raise _damaged(path, start, f"a line from there on cannot be read: {error}") from error
    return Piece(events, start + found.length, found.length + found.torn < left)


def _damaged(path: Path, at: int, why: str) -> JournalDamagedError:
    return JournalDamagedError(
        "L703", f"the journal {path} cannot be read beyond byte {at}", why=why,
        hint="keep the file; what stands before is posted, and its worker's leases stay lent",
    )  # fmt: skip


def worker_of(path: Path) -> str:
    """The worker that writes a journal."""
    return path.name.partition(".")[0]


def journals(folder: Path) -> dict[str, list[Path]]:
    """The journals of a folder by worker, each worker's in the order in which they were written."""
    found: dict[str, list[Path]] = {}
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except FileNotFoundError:
        return found
    for name in names:
        named = _NAME.fullmatch(name)
        if named:
            found.setdefault(named[1], []).append(folder / name)
    return found


class Listing:
    """The journals of a folder, which is listed again where its entries have changed, and once a second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found: dict[str, list[Path]] = {}
        self._changed_ns, self._listed_ns = -1, -LISTED_NS

    def __call__(self) -> dict[str, list[Path]]:
        """As `journals`; but what changed within the file system's tick of the last listing is seen a second later."""
        try:
            changed_ns = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            changed_ns = -1
        now_ns = time.monotonic_ns()
        if changed_ns != self._changed_ns or now_ns - self._listed_ns >= LISTED_NS:
            self._changed_ns, self._listed_ns = changed_ns, now_ns
            self._found = journals(self._folder)
        return self._found

    def forget(self) -> None:
        """List again the next time."""
        self._listed_ns = -LISTED_NS


def dead_lock(folder: Path, worker: str) -> int | None:
    """The lock of a worker that is dead, taken: a descriptor to close. None while the worker lives."""
    try:
        return lock(folder, worker)
    except BlockingIOError:
        return None


def remove(folder: Path, worker: str) -> None:
    """Remove the journals of a worker, which are posted and whose leases are closed, and its lock as the last."""
    for path in (*folder.glob(f"{worker}.*{SUFFIX}"), folder / f"{worker}{SPARE}", folder / f"{worker}{LOCK}"):
        path.unlink(missing_ok=True)
