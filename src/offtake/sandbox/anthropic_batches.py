"""Anthropic's message batches: requests inline, results as JSON lines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from offtake.sandbox.anthropic_messages import WIRE
from offtake.sandbox.batch_line import Line, Run, run_lines
from offtake.sandbox.done import new_id
from offtake.sandbox.exchange import Call, object_of, read_body
from offtake.sandbox.pages import call_of, one_of, page_of, reply, sandbox_of
from offtake.sandbox.prompt import objects
from offtake.sandbox.refusals import VendorError, anthropic_error
from offtake.sandbox.work import Sandbox

REQUESTS_MAX = 100_000
DAY_SECONDS = 86_400
_TYPES = {"done": "succeeded", "failed": "errored", "cancelled": "canceled", "expired": "expired"}


@dataclass(slots=True)
class MessageBatch:
    """A batch as Anthropic says it, and its run; the task is held, or it could be collected before it ends."""

    said: dict[str, Any]
    run: Run
    task: asyncio.Task[None] | None = field(default=None, repr=False)


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


async def create(request: Request) -> Response:
    """`POST messages/batches`."""
    sandbox, call = sandbox_of(request), call_of(request)
    body = object_of(await read_body(call.receive))
    lines = _lines(body)
    now = sandbox.now()
    said: dict[str, Any] = {
        "id": new_id("msgbatch_"),
        "type": "message_batch",
        "processing_status": "in_progress",
        "request_counts": {"processing": len(lines)} | dict.fromkeys(_TYPES.values(), 0),
        "created_at": _instant(now),
        "expires_at": _instant(now + DAY_SECONDS),
        "ended_at": None,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": None,
    }
    batch = MessageBatch(said, Run(said["id"], lines))
    sandbox.message_batches[said["id"]] = batch
    answered = dict(said)
    batch.task = asyncio.create_task(_run(sandbox, call, batch))
    return reply(request, answered)


def _lines(body: dict[str, Any]) -> list[Line]:
    requests = objects(body.get("requests"), "requests")
    if not 1 <= len(requests) <= REQUESTS_MAX:
        raise VendorError.invalid(f"requests: List should have 1 to {REQUESTS_MAX} items")
    lines, seen = [], set()
    for index, each in enumerate(requests):
        name, params = each.get("custom_id"), each.get("params")
        if not isinstance(name, str) or not name or not isinstance(params, dict):
            raise VendorError.invalid(f"requests.{index}: custom_id and params are required")
        if name in seen:
            raise VendorError.invalid(f"requests.{index}.custom_id: `custom_id` must be unique; {name!r} stands twice")
        seen.add(name)
        lines.append(Line(name, WIRE, params))
    return lines


async def list_batches(request: Request) -> Response:
    """`GET messages/batches`, the newest first."""
    batches = [batch.said for batch in sandbox_of(request).message_batches.values()]
    return reply(request, page_of(request, batches[::-1]))


async def one_batch(request: Request) -> Response:
    """`GET` or `DELETE messages/batches/ID`."""
    kept = sandbox_of(request).message_batches
    batch = one_of(kept, request.path_params["id"], "batch")
    if request.method == "DELETE":
        if batch.said["processing_status"] != "ended":
            raise VendorError.invalid("A batch can be deleted once it has ended; cancel it first")
        del kept[batch.run.id]
        return reply(request, {"id": batch.run.id, "type": "message_batch_deleted"})
    return reply(request, batch.said)


async def cancel(request: Request) -> Response:
    """`POST messages/batches/ID/cancel`: what is done stays done, and billed."""
    sandbox = sandbox_of(request)
    batch = one_of(sandbox.message_batches, request.path_params["id"], "batch")
    if batch.said["processing_status"] == "in_progress":
        batch.run.cancelled = True
        batch.said |= {"processing_status": "canceling", "cancel_initiated_at": _instant(sandbox.now())}
    return reply(request, batch.said)


async def results(request: Request) -> Response:
    """`GET messages/batches/ID/results`."""
    batch = one_of(sandbox_of(request).message_batches, request.path_params["id"], "batch")
    if batch.said["processing_status"] != "ended":
        raise VendorError(404, "The batch has not ended; its results are not there yet")
    return reply(request, batch.run.rows(*_TYPES), "application/x-jsonl")


def _row(line: Line) -> dict[str, Any]:
    return {"custom_id": line.custom_id, "result": _result(line)}


def _result(line: Line) -> dict[str, Any]:
    if line.state == "done":
        return {"type": "succeeded", "message": line.answer}
    if line.error is not None:
        return {"type": "errored", "error": anthropic_error(line.error, line.request_id)}
    return {"type": _TYPES[line.state]}


async def _run(sandbox: Sandbox, call: Call, batch: MessageBatch) -> None:
    await run_lines(sandbox, call, batch.run, _row)
    counts = {name: batch.run.counts[state] for state, name in _TYPES.items()}
    batch.said |= {
        "processing_status": "ended",
        "ended_at": _instant(sandbox.now()),
        "request_counts": {"processing": 0} | counts,
        "results_url": f"{call.base}/messages/batches/{batch.run.id}/results",
    }
