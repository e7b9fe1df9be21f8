"""The paths of files and batches at a worker: who calls is checked, and refusals are in the words of the dialect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from offtake.gateway.ask import Ask, BadAsk, Refusal
from offtake.gateway.batch import anthropic_pages, deferred, openai_pages
from offtake.gateway.batch.lines import FILE_BYTES_MAX
from offtake.gateway.batch.visit import JSON, MissingError, RefusedPageError, Visit
from offtake.gateway.callers import Caller
from offtake.gateway.dialects import BY_NAME, Dialect
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.store.batches import BatchStore, open_batches

UPLOADS = dict.fromkeys(("/v1/files", "/files", "/v1/messages/batches", "/messages/batches"), FILE_BYTES_MAX + 100_000)
"""Bodies that may be larger than those of other paths: the file, and the form around it."""
Find = Callable[[Mapping[bytes, bytes], str], Caller | Refusal]


def is_batch_path(path: str) -> bool:
    """Whether a path is one of these."""
    return path.removeprefix("/v1").startswith(("/files", "/batches", "/messages/batches", "/deferred/"))


class Pages:
    """Made once a worker. `find` gives the caller of a request's headers, for a scope."""

    def __init__(self, folder: Path, find: Find) -> None:
        self._folder = folder
        self._find = find
        self._store: BatchStore | None = None

    async def serve(self, request: Request, responder: Responder, request_id: str) -> None:
        """Answer one request, refusals in its dialect. What is not served here is a 404."""
        path = request.path.removeprefix("/v1")
        is_deferred = path.startswith("/deferred/")
        of_anthropic = path.startswith("/messages/") or (is_deferred and b"anthropic-version" in request.headers)
        pages = deferred if is_deferred else anthropic_pages if of_anthropic else openai_pages
        scope = "inference" if is_deferred else "files" if path.startswith("/files") else "batch"
        try:
            await pages.serve(await self._visit(request, scope), request, responder, path)
        except MissingError as error:
            responder.send(404, JSON, _missing(str(error), of_anthropic, request_id))
        except (BadAsk, RefusedPageError) as error:
            dialect = BY_NAME["anthropic_messages" if of_anthropic else "openai_chat"]
            status, listed, body = dialect.refuse(error.refusal, request_id)
            responder.send(status, dict(listed), body)

    async def defer(
        self, request: Request, responder: Responder, caller: Caller, dialect: Dialect, ask: Ask, request_id: str
    ) -> None:
        """Take a call that need not be answered now, refusals in its dialect."""
        try:
            await deferred.defer(await self._of(caller), request, responder, caller, ask)
        except (BadAsk, RefusedPageError) as error:
            status, listed, body = dialect.refuse(error.refusal, request_id)
            responder.send(status, dict(listed), body)

    async def _visit(self, request: Request, scope: str) -> Visit:
        caller = self._find(request.headers, scope)
        if isinstance(caller, Refusal):
            raise RefusedPageError(caller)
        return await self._of(caller)

    async def _of(self, caller: Caller) -> Visit:
        if self._store is None:
            self._store = await asyncio.to_thread(open_batches, self._folder)
        return Visit(self._store, caller.key.id, caller.key.name)


def _missing(words: str, of_anthropic: bool, request_id: str) -> bytes:
    if of_anthropic:
        found: dict[str, Any] = {"type": "error", "error": {"type": "not_found_error", "message": words}}
        return json.dumps(found | {"request_id": request_id}).encode()
    error = {"message": words, "type": "invalid_request_error", "param": None, "code": None}
    return json.dumps({"error": error}).encode()
