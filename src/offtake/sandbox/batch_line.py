"""One request of a batch, of either wire: worked on as any other, billed in the batch channel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from offtake.sandbox.done import Done, Wire, encode, new_id
from offtake.sandbox.exchange import Call, ask_of, bill, fail
from offtake.sandbox.faults import ERRORS
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.work import Sandbox, do


@dataclass(slots=True)
class Line:
    """A request and how it ended: `state` is waiting | done | failed | cancelled | expired."""

    custom_id: str
    wire: Wire
    body: dict[str, Any]
    state: str = "waiting"
    request_id: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    error: VendorError | None = None
    done: Done | None = None


@dataclass(slots=True)
class Run:
    """The lines of a batch while they run. `cancelled` stops before the next line."""

    id: str
    lines: list[Line]
    cancelled: bool = False

    def count(self, state: str) -> int:
        """How many lines ended so."""
        return sum(line.state == state for line in self.lines)

    def ended(self, *states: str) -> Iterator[Line]:
        """The lines that ended in one of these ways."""
        return (line for line in self.lines if line.state in states)


async def run_lines(sandbox: Sandbox, call: Call, run: Run) -> None:
    """Every line in its order, after the time that the script gives a batch; its last ones expire by the script."""
    await _wait(sandbox.script.batches.seconds, run)
    expiring = int(len(run.lines) * sandbox.script.batches.expire)
    for number, line in enumerate(run.lines):
        if run.cancelled:
            line.state = "cancelled"
        elif number >= len(run.lines) - expiring:
            line.state = "expired"
        else:
            _work(sandbox, call, line, run.id)
            await asyncio.sleep(0)


async def _wait(seconds: int, run: Run) -> None:
    for _ in range(seconds * 20):
        if run.cancelled:
            return
        await asyncio.sleep(0.05)


def _work(sandbox: Sandbox, call: Call, line: Line, batch_id: str) -> None:
    line.request_id = new_id("req_")
    call = replace(call, request_id=line.request_id, body=b"")
    try:
        ask = ask_of(sandbox, line.wire, call, line.body, encode(line.body))
        ask.channel, ask.stream = "batch", False
        ask.tier = "batch" if call.anthropic else "default"
        named = {"custom_id": line.custom_id, "batch_id": batch_id}
        fault = sandbox.faults.choose(ask, call.headers)
        if fault and fault.fault in ERRORS:
            raise fail(sandbox, ask, fault, call, named)
        line.done = do(sandbox, ask, fault, line.wire.prefix, line.request_id)
        line.answer = line.wire.whole(line.done)
        bill(sandbox, line.done, fault, call, line.done.usage, named=named)
        line.state = "done"
    except VendorError as error:
        line.error, line.state = error, "failed"
