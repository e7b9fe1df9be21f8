"""The thread that seals and writes transcripts, so that no request waits for a disk, and none fails with it.

What waits to be written, and what is still being heard, takes a bounded amount of memory; a call that does not fit is
not kept, and counted. What cannot be written is counted and said once a minute. `kill -9` loses what waits: the files
hold whole calls up to there.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from offtake.gateway.log import say
from offtake.store.transcripts.customer_key import HeldKey, folder_of, hold_key
from offtake.store.transcripts.seal import Master
from offtake.store.transcripts.sealed_file import SealedFile
from offtake.store.transcripts.span import MINUTE, Span, name_of, span_of
from offtake.values.errors import OfftakeError

ROOM_BYTES = 64 * 2**20
TIDY_SECONDS, SAID_SECONDS = 1.0, 60.0
LATE = 15 * MINUTE
"""So long after a file is filled, a call that took its time may still be written to it."""


class Call(NamedTuple):
    """One call to keep; `head` says nothing of what was said."""

    customer: str
    at: int
    hours: int
    head: Mapping[str, Any]
    request: bytes
    answer: list[bytes]
    size: int


class Room:
    """How many bytes of calls are in memory. One thread takes and drops, another gives: no lock is needed."""

    def __init__(self, limit: int = ROOM_BYTES) -> None:
        self._limit = limit
        self._taken = self._given = 0

    def take(self, size: int) -> bool:
        """Whether there is room, which is then taken. For the event loop alone."""
        if self._taken - self._given + size > self._limit:
            return False
        self._taken += size
        return True

    def drop(self, size: int) -> None:
        """What was taken is not kept after all. For the event loop alone."""
        self._taken -= size

    def give(self, size: int) -> None:
        """What was taken is written. For the writer alone."""
        self._given += size


class Writer:
    """One worker's; `count` is called in the thread with kept, failed or late for each call."""

    def __init__(self, folder: Path, master: Master, worker: str, count: Callable[[str], None]) -> None:
        self.room = Room()
        self._folder, self._master, self._worker, self._count = folder, master, worker, count
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._keys: dict[str, HeldKey] = {}
        self._files: dict[tuple[str, Span], SealedFile] = {}
        self._number = 0
        self._said = -SAID_SECONDS
        self._thread = threading.Thread(target=self._run, name="transcripts", daemon=True)
        self._thread.start()

    def put(self, call: Call) -> None:
        """Have a call written, whose size was taken from the room."""
        self._calls.put(call)

    def close(self) -> None:
        """Write what waits, and end."""
        self._calls.put(None)
        self._thread.join()

    def _run(self) -> None:
        tidied = time.monotonic()
        going = True
        while going:
            try:
                call = self._calls.get(timeout=TIDY_SECONDS)
            except queue.Empty:
                call = None
            else:
                going = call is not None
            if call is not None:
                self._count(self._written(call))
                self.room.give(call.size)
                del call
            if time.monotonic() - tidied >= TIDY_SECONDS:
                with contextlib.suppress(OSError):  # another time, then
                    self._tidy(time.time_ns() // 1_000)
                tidied = time.monotonic()

    def _written(self, call: Call) -> str:
        try:
            return "kept" if self._write(call) else "late"
        except OSError as error:
            why = error.strerror or type(error).__name__
        except OfftakeError as error:
            why = error.code
        except Exception as error:  # noqa: BLE001 - a fault of ours must end neither the thread nor the calls after it
            why = type(error).__name__
        if time.monotonic() - self._said >= SAID_SECONDS:
            self._said = time.monotonic()
            say("transcripts cannot be written", worker=self._worker, why=why)
        return "failed"

    def _write(self, call: Call) -> bool:
        """Whether it is written; not when its time was over, or its customer's were deleted, before it had ended."""
        span = span_of(call.at, call.hours)
        while True:
            key = self._keys.get(call.customer)
            if key is None:
                key = self._keys[call.customer] = hold_key(self._folder, call.customer, self._master)
            with key.held() as good:
                if good:
                    if call.at <= key.after or time.time_ns() // 1_000 >= span.until:
                        return False
                    self._append(key, span, call)
                    return True
            self._let_go(call.customer)

    def _append(self, key: HeldKey, span: Span, call: Call) -> None:
        file = self._files.pop((call.customer, span), None)
        if file is None:
            self._number += 1
            path = folder_of(self._folder, call.customer) / name_of(span, self._worker, self._number)
            file = SealedFile(path, key, span)
        file.append(call.head, call.request, b"".join(call.answer))  # where that fails, the next call gets a new file
        self._files[call.customer, span] = file

    def _let_go(self, customer: str) -> None:
        """Forget a customer's key, and the files under it."""
        del self._keys[customer]
        for name in [name for name in self._files if name[0] == customer]:
            del self._files[name]

    def _tidy(self, now: int) -> None:
        """Forget files that are filled, and keys that were destroyed or have no files."""
        for name in [name for name in self._files if now >= name[1].filled + LATE]:
            del self._files[name]
        busy = {customer for customer, _ in self._files}
        for customer, key in list(self._keys.items()):
            with key.held() as good:
                keep = good and customer in busy
            if not keep:
                self._let_go(customer)
