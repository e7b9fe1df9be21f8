"""One request of a batch, of either wire: worked on as any other, billed in the batch channel."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from offtake.sandbox.done import Wire, encode, new_id
from offtake.sandbox.exchange import Call, ask_of, bill, fail
from offtake.sandbox.faults import ERRORS
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.usage import Usage
from offtake.sandbox.work import Sandbox, do


@dataclass(slots=True)
class Line:
    """A request and how it ended: `state` is waiting | done | failed | cancelled | expired.

    `row` is what the results say of it; what it was made of goes then, for a batch may have 100,000 lines.
    """

    custom_id: str
    wire: Wire
    body: dict[str, Any]
    state: str = "waiting"
    request_id: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    error: VendorError | None = None
    row: bytes = b""


@dataclass(slots=True)
class Run:
    """The lines of a batch while they run. `cancelled` stops before the next line; `usage` adds up what was done."""

    id: str
    lines: list[Line]
    cancelled: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    usage: Usage = field(default_factory=Usage)

    def rows(self, *states: str) -> bytes:
        """The rows of the lines that ended in one of these ways, as JSON lines; b"" for none."""
        return b"".join(line.row + b"\n" for line in self.lines if line.state in states)


async def run_lines(sandbox: Sandbox, call: Call, run: Run, row: Callable[[Line], dict[str, Any]]) -> None:
    """Every line in its order, after the time that the script gives a batch; its last ones expire by the script."""
    await _wait(sandbox.script.batches.seconds, run)
    expiring = int(len(run.lines) * sandbox.script.batches.expire)
    for number, line in enumerate(run.lines):
        if run.cancelled:
            line.state = "cancelled"
        elif number >= len(run.lines) - expiring:
            line.state = "expired"
        else:
            _work(sandbox, call, line, run)
        run.counts[line.state] += 1
        line.row = encode(row(line))
        line.body, line.answer = {}, {}
        await asyncio.sleep(0)


async def _wait(seconds: int, run: Run) -> None:
    for _ in range(seconds * 20):
        if run.cancelled:
            return
        await asyncio.sleep(0.05)


def _work(sandbox: Sandbox, call: Call, line: Line, run: Run) -> None:
    line.request_id = new_id("req_")
    call = replace(call, request_id=line.request_id, body=b"")
    try:
        ask = ask_of(sandbox, line.wire, call, line.body, encode(line.body))
        ask.channel, ask.stream = "batch", False
        ask.tier = "batch" if call.anthropic else "default"
        named = {"custom_id": line.custom_id, "batch_id": run.id}
        fault = sandbox.faults.choose(ask, call.headers)
        if fault and fault.fault in ERRORS:
            raise fail(sandbox, ask, fault, call, named)
        done = do(sandbox, ask, fault, line.wire.prefix, line.request_id)
        line.answer = line.wire.whole(done)
        bill(sandbox, done, fault, call, done.usage, named=named)
        run.usage.add(done.usage)
        line.state = "done"
    except VendorError as error:
        line.error, line.state = error, "failed"
