"""What becomes of a batch's lines, in two files beside the store: the plan, and the answers as they come.

The plan is written whole before anything is held. Answers are appended, each with one write before its line is settled,
so that what was billed has an answer whoever is killed; a torn last line was never settled.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from offtake.store.batches import BatchStore, private


class Planned(msgspec.Struct, array_like=True):
    """One line: its number and place in the input file, its part of the batch, its model, and what it holds."""

    number: int
    start: int
    size_bytes: int
    part: int
    model: str
    hold_pico: int


class Answered(msgspec.Struct, omit_defaults=True):
    """How a line ended, or that it was sent.

    `state`: sent | unsent | done | failed (never ran) | canceled | expired | lost. `body`: the vendor's answer in its
    dialect. `request_id` is the vendor's; its words where it refused, and why there was none where `status` is 0.
    """

    number: int
    state: str
    status: int = 0
    request_id: str = ""
    body: msgspec.Raw = msgspec.Raw(b"null")


_encode = msgspec.json.Encoder().encode
_planned = msgspec.json.Decoder(Planned).decode
_answered = msgspec.json.Decoder(Answered).decode


def plan_name(batch: str) -> str:
    """The contents that hold a batch's plan."""
    return f"{batch}.plan"


def answers_name(batch: str) -> str:
    """The contents that hold its answers until its results are written."""
    return f"{batch}.answers"


def input_name(batch: str) -> str:
    """The contents that hold its lines: its own name for them, so that a client may delete the file meanwhile."""
    return f"{batch}.input"


def write_plan(store: BatchStore, batch: str, plan: Sequence[Planned]) -> None:
    """Keep a plan."""
    store.keep(plan_name(batch), (_encode(line) + b"\n" for line in plan))


def read_plan(store: BatchStore, batch: str) -> list[Planned] | None:
    """The plan of a batch, None where it has none yet."""
    try:
        with store.path(plan_name(batch)).open("rb") as file:
            return [_planned(line) for line in file]
    except FileNotFoundError:
        return None


class Answers:
    """The answers of a batch, open for more."""

    def __init__(self, store: BatchStore, batch: str) -> None:
        self.path: Path = store.path(answers_name(batch))
        self._file = private(self.path, os.O_APPEND)
        os.truncate(self.path, _whole(self.path))

    def add(self, answer: Answered) -> None:
        """Append one, whole or not at all; it survives `kill -9` then. OSError: a full disk."""
        line, descriptor = _encode(answer) + b"\n", self._file.fileno()
        size = os.fstat(descriptor).st_size
        if os.write(descriptor, line) != len(line):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self) -> None:
        """Return when they are on the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """No more come."""
        self._file.close()

    def each(self) -> Iterator[Answered]:
        """All so far."""
        with self.path.open("rb") as file:
            for line in file:
                yield _answered(line)


def _whole(path: Path) -> int:
    """The bytes up to the last whole line."""
    whole = 0
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                whole += len(line)
    return whole
