"""Answers that wait for the disk: one `fdatasync` for all who wait, so that its cost is shared.

Only with `durability: power`; without it an answer waits for the kernel only, which outlives the process.
"""

from __future__ import annotations

import asyncio

from offtake.gateway.journal.writer import JournalWriter


class Durable:
    """`await durable.appended()` returns when all that was appended before the call is on the disk."""

    def __init__(self, journal: JournalWriter) -> None:
        self._journal = journal
        self._waiting: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    async def appended(self) -> None:
        """Wait for the next sync that begins after this call. JournalError where the disk refuses."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        if self._task is None:
            self._task = asyncio.create_task(self._sync())
        await waiter

    async def _sync(self) -> None:
        try:
            while self._waiting:
                served, self._waiting = self._waiting, []
                failure: Exception | None = None
                try:
                    await asyncio.to_thread(self._journal.sync_descriptor, self._journal.duplicate())
                except Exception as error:  # noqa: BLE001 (those who wait get it)
                    failure = error
                for waiter in served:
                    if waiter.done():
                        continue
                    if failure is None:
                        waiter.set_result(None)
                    else:
                        waiter.set_exception(failure)
        finally:
            self._task = None
