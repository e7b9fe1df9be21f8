"""OpenAI's `/v1/files` and `/v1/batches`, for files of purpose `batch`."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from offtake.gateway.ask import BadAsk
from offtake.gateway.batch.documents import DAY, File, file_of, new_id
from offtake.gateway.batch.form import fields_of
from offtake.gateway.batch.lines import ENDPOINTS, FILE_BYTES_MAX
from offtake.gateway.batch.said import openai_batch, openai_file, page, whole
from offtake.gateway.batch.visit import MissingError, Visit, new_batch, query_of, said, send_content
from offtake.gateway.desk import microseconds
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder

OCTETS = {b"content-type": b"application/octet-stream"}
KEPT_SECONDS = (3_600, 2_592_000)
"""The shortest and the longest that a client may ask for."""


async def serve(visit: Visit, request: Request, responder: Responder, path: str) -> None:
    """Answer one request. BadAsk, RefusedPageError or MissingError where there is no answer."""
    parts = path.strip("/").split("/")
    match (request.method, *parts):
        case ("POST", "files"):
            said(responder, openai_file(await _upload(visit, request)))
        case ("GET", "files"):
            found = [file_of(each.body) for each in await asyncio.to_thread(visit.store.of_key, "file", visit.key_id)]
            purpose = query_of(request).get("purpose")
            listed = [file for file in found if purpose in (None, file.purpose)]
            said(responder, page(listed, query_of(request), openai_file))
        case ("GET", "files", id):
            said(responder, openai_file(await visit.file(id)))
        case ("DELETE", "files", id):
            await visit.file(id)
            await asyncio.to_thread(visit.store.remove, id)
            said(responder, {"id": id, "object": "file", "deleted": True})
        case ("GET", "files", id, "content"):
            await visit.file(id)
            await send_content(visit.store, id, responder, OCTETS)
        case ("POST", "batches"):
            said(responder, openai_batch(await visit.add_batch(await _batch(visit, request))))
        case ("GET", "batches"):
            asked = {batch.id: (batch, word) for batch, word in await visit.batches("openai")}
            batches = [batch for batch, _ in asked.values()]
            said(responder, page(batches, query_of(request), lambda batch: openai_batch(*asked[batch.id])))
        case ("GET", "batches", id):
            said(responder, openai_batch(*await visit.batch(id, "openai")))
        case ("POST", "batches", id, "cancel"):
            batch, _ = await visit.batch(id, "openai")
            if batch.ended:
                raise BadAsk("G905", f"the batch is {batch.status}, so there is nothing to cancel")
            await asyncio.to_thread(visit.store.ask, id, "cancel")
            said(responder, openai_batch(batch, "cancel"))
        case _:
            raise MissingError(f"{request.method} {request.path} is not served")


async def _upload(visit: Visit, request: Request) -> File:
    fields = fields_of(request.headers.get(b"content-type", b"").decode("latin-1"), request.body)
    purpose = bytes(fields.get("purpose", ("", memoryview(b"")))[1]).decode("utf-8", "replace")
    if purpose != "batch":
        raise BadAsk("G906", f"files of purpose {purpose!r} are not kept here", hint="purpose is batch")
    name, content = fields.get("file", ("", memoryview(b"")))
    if not 0 < len(content) <= FILE_BYTES_MAX:
        raise BadAsk("G906", f"a file has 1 to {FILE_BYTES_MAX:,} bytes, and this one has {len(content):,}")
    seconds = whole(bytes(fields.get("expires_after[seconds]", ("", memoryview(b"")))[1]).decode("utf-8", "replace"))
    at = microseconds()
    kept = 2 * DAY if seconds is None else _kept(seconds)  # a batch that reads it ends within one
    file = File(new_id("file-"), "batch", name or "upload", len(content), at, at + kept, "checking")
    return await visit.add_file(file, content)


async def _batch(visit: Visit, request: Request) -> Any:
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise BadAsk("G101", f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise BadAsk("G104", "the body is nested too deeply") from error
    if not isinstance(body, dict):
        raise BadAsk("G103", "the body is an object")
    if body.get("endpoint") not in ENDPOINTS:
        raise BadAsk("G904", f"endpoint is one of {', '.join(ENDPOINTS)}")
    if body.get("completion_window") != "24h":
        raise BadAsk("G904", "completion_window is 24h")
    file = await visit.file(str(body.get("input_file_id")))
    if file.purpose != "batch":
        raise BadAsk("G904", f"{file.id} is no file of purpose batch")
    batch = new_batch("openai", body["endpoint"], file.id, microseconds())
    batch.key_name = visit.key_name
    visit.once(batch, request)
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        batch.metadata = {str(name): str(value) for name, value in list(metadata.items())[:16]}
    after = body.get("output_expires_after")
    if isinstance(after, dict) and isinstance(after.get("seconds"), int):
        batch.kept_for = _kept(after["seconds"])
    return batch


def _kept(seconds: int) -> int:
    """Microseconds for which something is kept. BadAsk for a time that is none."""
    least, most = KEPT_SECONDS
    if not least <= seconds <= most:
        raise BadAsk("G904", f"expires_after is {least:,} to {most:,} seconds")
    return seconds * 1_000_000
