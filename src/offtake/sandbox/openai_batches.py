"""OpenAI's batches: a file of requests in, a file of answers and perhaps one of errors out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from offtake.sandbox import openai_chat, openai_embeddings, openai_responses
from offtake.sandbox.batch_line import Line, Run, run_lines
from offtake.sandbox.done import Wire, new_id
from offtake.sandbox.exchange import Call, object_of, read_body
from offtake.sandbox.openai_files import File
from offtake.sandbox.pages import call_of, one_of, page_of, reply, sandbox_of
from offtake.sandbox.refusals import VendorError, openai_error
from offtake.sandbox.usage import responses_usage
from offtake.sandbox.work import Sandbox

LINES_MAX = 50_000
DAY_SECONDS = 86_400
ENDPOINTS: dict[str, Wire] = {
    "/v1/chat/completions": openai_chat.WIRE,
    "/v1/responses": openai_responses.WIRE,
    "/v1/embeddings": openai_embeddings.WIRE,
}


@dataclass(slots=True)
class Batch:
    """A batch as OpenAI says it, and its run; the task is held, or it could be collected before it ends."""

    said: dict[str, Any]
    run: Run
    task: asyncio.Task[None] | None = field(default=None, repr=False)


async def create(request: Request) -> Response:
    """`POST batches`."""
    sandbox, call = sandbox_of(request), call_of(request)
    body = object_of(await read_body(call.receive))
    endpoint = body.get("endpoint")
    if endpoint not in ENDPOINTS:
        raise VendorError.invalid(f"Invalid value: '{endpoint}'. Supported values are: {list(ENDPOINTS)}", "endpoint")
    if body.get("completion_window") != "24h":
        raise VendorError.invalid("Invalid value for 'completion_window': '24h' is supported", "completion_window")
    file = one_of(sandbox.files, str(body.get("input_file_id")), "File object")
    if file.purpose != "batch":
        raise VendorError.invalid("The input file's purpose must be 'batch'", "input_file_id")
    now = int(sandbox.now())
    said: dict[str, Any] = {
        "id": new_id("batch_"),
        "object": "batch",
        "endpoint": endpoint,
        "errors": None,
        "input_file_id": file.id,
        "completion_window": "24h",
        "status": "validating",
        "output_file_id": None,
        "error_file_id": None,
        "created_at": now,
        "expires_at": now + DAY_SECONDS,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": body.get("metadata"),
    }
    batch = Batch(said, Run(said["id"], []))
    sandbox.batches[said["id"]] = batch
    answered = dict(said)
    batch.task = asyncio.create_task(_run(sandbox, call, batch, file))
    return reply(request, answered)


async def list_batches(request: Request) -> Response:
    """`GET batches`, the newest first."""
    batches = [batch.said for batch in sandbox_of(request).batches.values()]
    return reply(request, page_of(request, batches[::-1]))


async def one_batch(request: Request) -> Response:
    """`GET batches/ID`, with the counts of now."""
    batch = one_of(sandbox_of(request).batches, request.path_params["id"], "Batch object")
    _count(batch)
    return reply(request, batch.said)


async def cancel(request: Request) -> Response:
    """`POST batches/ID/cancel`: what is done stays done, and billed."""
    sandbox = sandbox_of(request)
    batch = one_of(sandbox.batches, request.path_params["id"], "Batch object")
    if batch.said["status"] not in ("validating", "in_progress", "cancelling"):
        raise VendorError(409, f"Cannot cancel a batch with status '{batch.said['status']}'.")
    batch.run.cancelled = True
    batch.said |= {"status": "cancelling", "cancelling_at": int(sandbox.now())}
    return reply(request, batch.said)


async def _run(sandbox: Sandbox, call: Call, batch: Batch, file: File) -> None:
    said = batch.said
    await asyncio.sleep(0)
    lines, errors = read_lines(file.content, said["endpoint"])
    said["request_counts"]["total"] = len(lines)
    if errors:
        said |= {"status": "failed", "failed_at": int(sandbox.now()), "errors": {"object": "list", "data": errors}}
        return
    batch.run.lines = lines
    if not batch.run.cancelled:
        said |= {"status": "in_progress", "in_progress_at": int(sandbox.now())}
    await run_lines(sandbox, call, batch.run, _row)
    said["finalizing_at"] = int(sandbox.now())
    _count(batch)
    _write_files(sandbox, batch)
    expired = batch.run.counts["expired"] > 0
    status = "cancelled" if batch.run.cancelled else "expired" if expired else "completed"
    said |= {"status": status, f"{status}_at": int(sandbox.now())}


def read_lines(content: bytes, endpoint: str) -> tuple[list[Line], list[dict[str, Any]]]:
    """The requests of a file, and what is wrong with it: any error fails the batch before it costs anything."""
    lines: list[Line] = []
    errors: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, text in enumerate(content.splitlines(), 1):
        if not text.strip():
            continue
        problem = ""
        try:
            row = msgspec.json.decode(text)
        except msgspec.DecodeError:
            row, problem = None, "invalid_json_line"
        if not problem and not (isinstance(row, dict) and isinstance(row.get("body"), dict) and row.get("custom_id")):
            problem = "missing_required_parameter"
        elif not problem and (row.get("url") != endpoint or row.get("method") != "POST"):
            problem = "mismatched_url"
        elif not problem and row["custom_id"] in seen:
            problem = "duplicate_custom_id"
        if problem:
            errors.append(
                {"code": problem, "line": number, "message": f"This line is refused: {problem}", "param": None}
            )
        else:
            seen.add(row["custom_id"])
            lines.append(Line(str(row["custom_id"]), ENDPOINTS[endpoint], row["body"]))
    if not lines and not errors:
        errors.append({"code": "empty_file", "line": None, "message": "The input file is empty.", "param": None})
    if len(lines) > LINES_MAX:
        errors.append({"code": "too_many_requests", "line": None, "message": f"More than {LINES_MAX}", "param": None})
    return lines, errors


def _count(batch: Batch) -> None:
    run = batch.run
    counts = {"total": len(run.lines), "completed": run.counts["done"], "failed": run.counts["failed"]}
    batch.said |= {"request_counts": counts, "usage": responses_usage(run.usage)}


def _write_files(sandbox: Sandbox, batch: Batch) -> None:
    for name, states in (("output", ("done",)), ("error", ("failed", "cancelled", "expired"))):
        rows = batch.run.rows(*states)
        if rows:
            filename = f"{batch.run.id}_{name}.jsonl"
            file = File(new_id("file-"), rows, int(sandbox.now()), filename, "batch_output")
            sandbox.files[file.id] = file
            batch.said[f"{name}_file_id"] = file.id


def _row(line: Line) -> dict[str, Any]:
    row: dict[str, Any] = {"id": new_id("batch_req_"), "custom_id": line.custom_id, "response": None, "error": None}
    if line.state == "done":
        row["response"] = {"status_code": 200, "request_id": line.request_id, "body": line.answer}
    elif line.error is not None:
        body = openai_error(line.error)
        row["response"] = {"status_code": line.error.status, "request_id": line.request_id, "body": body}
    else:
        row["error"] = {"code": f"batch_{line.state}", "message": "This request was not run in time"}
    return row
