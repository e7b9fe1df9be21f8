"""What the workers of one gateway tell each other: that a budget is short, so that what lies free elsewhere comes back.

Each worker has a pipe, made before they are forked, on which the others write lines: `short` asks for a budget, and
`gave` answers when the ledger has taken back what was free. Who asks waits for all answers, and not for long: a worker
that is dead or stalled keeps what it was lent until the ingester or it itself gives that back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from offtake.values.errors import OutsideError

WAIT_SECONDS = 0.5
READ_BYTES = 65_536
Give = Callable[[str], Awaitable[tuple[int, int]]]
"""Gives back all that is free of a budget: how much that was, and what is held of it, in picodollars."""


class Pipes:
    """A pipe for each worker of a gateway; whoever is forked after this was made can write to all of them."""

    def __init__(self, workers: int) -> None:
        self.ends = [os.pipe() for _ in range(workers)]
        for end in (end for ends in self.ends for end in ends):
            os.set_blocking(end, False)


@dataclass(slots=True)
class _Asked:
    """A question on its way, with the sums of the answers so far."""

    waiting: int
    gave_pico: int = 0
    held_pico: int = 0
    all_answered: asyncio.Event = field(default_factory=asyncio.Event)


class Neighbours:
    """One worker's, once its event loop runs; without pipes it has no neighbours."""

    def __init__(self, index: int = 0, pipes: Pipes | None = None) -> None:
        self.index = index
        self._ends = pipes.ends if pipes else []
        self._asked: dict[int, _Asked] = {}
        self._number = time.monotonic_ns()  # so that no answer to a dead predecessor is taken for one to us
        self._rest = b""
        self._giving: set[asyncio.Task[None]] = set()

    def listen(self, give: Give) -> None:
        """Answer the others from now on."""
        if self._ends:
            asyncio.get_running_loop().add_reader(self._ends[self.index][0], self._heard, give)

    async def ask(self, budget: str) -> tuple[int, int]:
        """Have the others give back what they have free of a budget: how much came back, and how much they hold."""
        others = [index for index in range(len(self._ends)) if index != self.index]
        if not others:
            return 0, 0
        self._number += 1
        number, asked = self._number, _Asked(len(others))
        self._asked[number] = asked
        try:
            for index in others:
                self._tell(index, "short", self.index, number, budget)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asked.all_answered.wait(), WAIT_SECONDS)
        finally:
            del self._asked[number]
        return asked.gave_pico, asked.held_pico

    def _tell(self, index: int, *words: str | int) -> None:
        """Write a line, whole; one that a full pipe refuses is missed by nobody but a worker that does not read."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._ends[index][1], json.dumps(words).encode() + b"\n")

    def _heard(self, give: Give) -> None:
        with contextlib.suppress(BlockingIOError):
            *lines, self._rest = (self._rest + os.read(self._ends[self.index][0], READ_BYTES)).split(b"\n")
            for line in lines:
                with contextlib.suppress(ValueError):  # half a line, which a predecessor had begun to read
                    self._take(give, json.loads(line))

    def _take(self, give: Give, words: list[Any]) -> None:
        if words[0] == "short":
            task = asyncio.create_task(self._answer(give, *words[1:]))
            self._giving.add(task)
            task.add_done_callback(self._giving.discard)
            return
        _, number, gave, held = words
        asked = self._asked.get(number)
        if asked is not None:
            asked.gave_pico += gave
            asked.held_pico += held
            asked.waiting -= 1
            if not asked.waiting:
                asked.all_answered.set()

    async def _answer(self, give: Give, index: int, number: int, budget: str) -> None:
        gave = held = 0
        with contextlib.suppress(OutsideError):
            gave, held = await give(budget)
        self._tell(index, "gave", number, gave, held)
