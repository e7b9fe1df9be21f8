"""A part of a batch as a batch of its vendor: made, polled, read, settled, and cleared at the vendor."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from offtake.gateway.batch.documents import Part
from offtake.gateway.batch.plan import Answered
from offtake.gateway.batch.vendor import DeclinedError, LaterError, VendorBatches
from offtake.gateway.batch.work import Work
from offtake.gateway.desk import microseconds
from offtake.gateway.log import say

POLL_SECONDS, POLL_SECONDS_MAX = 0.25, 30.0
LATE = 3_600_000_000
"""Microseconds after the window in which a vendor may still end its batch."""
BREATH = 64
"""Answers after which others get a turn."""


async def run_native(work: Work, vendor: VendorBatches, index: int) -> None:
    """Run a part to its end, or as far as `work.stop` lets it."""
    part = work.batch.parts[index]
    if not part.vendor_batch and not await _made(work, vendor, part, index):
        return
    if not await _ended(work, vendor, part):
        return
    await _read(work, vendor, part, index)


async def _made(work: Work, vendor: VendorBatches, part: Part, index: int) -> bool:
    """Make the vendor's batch, or find it where it was sent before. Whether there is one."""
    pause = POLL_SECONDS
    while True:
        try:
            taken = {other.vendor_batch for other in work.batch.parts if other.vendor_batch}
            if part.sent_at and await vendor.find(work.batch, part, index, taken):
                work.save()
                return True
            if work.cancelled or microseconds() > work.batch.expires_at:
                work.end_rest(index, "canceled" if work.cancelled else "expired")
                return False
            part.sent_at = microseconds()
            work.save()
            await vendor.make(work.batch, part, index, work.requests(index))
            work.save()
            return True
        except DeclinedError as error:
            _decline(work, index, str(error))
            return False
        except LaterError as error:
            say("batch not taken yet", batch=work.batch.id, why=str(error))
        if microseconds() > work.batch.expires_at + LATE:
            work.end_rest(index, "lost")
            return False
        if not await _again(work, pause):
            return False
        pause = min(pause * 2, POLL_SECONDS_MAX)


async def _again(work: Work, seconds: float) -> bool:
    """Wait; whether to go on then: a process that stops leaves the rest to the next one."""
    if work.cancelled:
        await asyncio.sleep(seconds)
    else:
        await work.pause(seconds)
    return work.cancelled or not work.stop.is_set()


async def _ended(work: Work, vendor: VendorBatches, part: Part) -> bool:
    """Wait for its end, and tell the vendor when it is cancelled. False where we stop before."""
    pause, told = POLL_SECONDS, False
    while True:
        try:
            if work.cancelled and not told:
                await vendor.cancel(part)
                told, pause = True, POLL_SECONDS
            if await vendor.ended(part):
                return True
        except LaterError as error:
            say("batch cannot be seen", batch=work.batch.id, why=str(error))
        if microseconds() > work.batch.expires_at + LATE:
            return True
        if not await _again(work, pause):
            return False
        pause = min(pause * 1.2, POLL_SECONDS_MAX)


async def _read(work: Work, vendor: VendorBatches, part: Part, index: int) -> None:
    """Take every answer into the books, then let the vendor forget them."""
    prefix = f"{work.batch.id}_"
    while True:
        try:
            count = 0
            async for name, answered in vendor.answers(part):
                if name.startswith(prefix) and name.removeprefix(prefix).isdigit():
                    work.finish(replace(answered, number=int(name.removeprefix(prefix))))
                count += 1
                if count % BREATH == 0:
                    await asyncio.sleep(0)
            break
        except DeclinedError as error:
            _decline(work, index, str(error))
            break
        except LaterError as error:
            say("results of a batch not read yet", batch=work.batch.id, why=str(error))
        if microseconds() > work.batch.expires_at + LATE:
            work.end_rest(index, "lost")
            break
        if not await _again(work, POLL_SECONDS * 4):
            return
    work.end_rest(index, "canceled" if work.cancelled else "expired")
    work.answers.sync()
    part.ended = True
    work.save()
    await vendor.clear(part)


def _decline(work: Work, index: int, words: str) -> None:
    """The vendor has refused the whole part: each line says why, and costs nothing."""
    for line in work.left(index):
        work.finish(Answered(line.number, "failed", request_id=words[:500]))
