"""Calls that need not be answered now: `Prefer: respond-async` (RFC 7240) makes one a batch of one line, to poll for.

    POST /v1/chat/completions, Prefer: respond-async → 202, Location: /v1/deferred/ID
    GET /v1/deferred/ID     202 until it is done, then the answer, in the dialect of the call
    DELETE /v1/deferred/ID  cancels what has not run, and deletes what has

Only keys whose workload the configuration names under `[[non_urgent]]` may: half the price for an answer that may take
a day is somebody's decision, and no client's. The line is held, run, settled once and expired as any line of a batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from offtake.gateway import headers as ours
from offtake.gateway.ask import Ask, BadAsk, Refusal
from offtake.gateway.batch.documents import Batch, batch_of
from offtake.gateway.batch.results import Kept, kept_of, results_name
from offtake.gateway.batch.visit import JSON, MissingError, RefusedPageError, Visit, new_batch
from offtake.gateway.callers import Caller
from offtake.gateway.desk import microseconds
from offtake.gateway.dialects import BY_NAME
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder

PATH = "/v1/deferred"
RETRY_SECONDS = b"5"
URLS = {
    "openai_chat": "/v1/chat/completions", "openai_responses": "/v1/responses", "openai_embeddings": "/v1/embeddings",
    "anthropic_messages": "/v1/messages",
}  # fmt: skip
_GONE = {
    "canceled": ("G912", "the call was cancelled before it ran, and costs nothing"),
    "expired": ("G913", "the call did not run within 24 hours, and costs nothing"),
}
_VERSIONS = (b"anthropic-version", b"anthropic-beta")


def preferences(headers: Mapping[bytes, bytes]) -> frozenset[bytes]:
    """The names of the preferences of a request, in lower case."""
    said = headers.get(b"prefer", b"")
    return frozenset(each.partition(b";")[0].partition(b"=")[0].strip().lower() for each in said.split(b","))


async def defer(visit: Visit, request: Request, responder: Responder, caller: Caller, ask: Ask) -> None:
    """Take a call as a batch of one line, and say where its answer will be. BadAsk, RefusedPageError: nothing runs."""
    if caller.patience is None:
        raise RefusedPageError(Refusal(
            "policy", "G911", f"the calls of the workload {caller.key.workload!r} are not marked as non-urgent",
            f"key {caller.key.id}", "leave `Prefer: respond-async` out, or name the workload under [[non_urgent]]",
        ))  # fmt: skip
    url = URLS.get(ask.dialect)
    if url is None:
        raise BadAsk("G902", "this call is not deferred: it is answered at once and costs nothing")
    of_anthropic = ask.dialect == "anthropic_messages"
    batch = new_batch("anthropic" if of_anthropic else "openai", url, "", microseconds(), "call_")
    batch.deferred, batch.key_name = ask.dialect, visit.key_name
    versions = {name: request.headers[name] for name in _VERSIONS if name in request.headers}
    batch.headers = {name.decode(): value.decode("latin-1") for name, value in versions.items()}
    visit.once(batch, request)
    try:
        body = msgspec.json.format(request.body, indent=-1)  # on one line
    except RecursionError as error:  # we stand deeper than whoever has read it
        raise BadAsk("G104", "the body is nested too deeply") from error
    if of_anthropic:
        line = b'{"custom_id":"call","params":%b}\n' % body
    else:
        line = b'{"custom_id":"call","method":"POST","url":"%b","body":%b}\n' % (url.encode(), body)
    try:
        made = await visit.add_batch(batch, [line])
    except RefusedPageError as error:
        refusal = error.refusal
        raise RefusedPageError(replace(refusal, message=refusal.message.removeprefix("line 1: "))) from error
    _waits(responder, made, "")


async def serve(visit: Visit, request: Request, responder: Responder, path: str) -> None:
    """Answer a poll or a cancellation. MissingError where there is no such call of this key."""
    id = path.strip("/").partition("/")[2]
    document = await visit.document("batch", id, "call")
    batch = batch_of(document.body)
    if not batch.deferred or request.method not in ("GET", "DELETE"):
        raise MissingError(f"{request.method} {request.path} is not served")
    if request.method == "GET":
        if not batch.ended:
            _waits(responder, batch, document.asked)
        else:
            await _answered(visit, batch, responder)
    elif not batch.ended:
        await asyncio.to_thread(visit.store.ask, id, "cancel")
        _waits(responder, batch, "cancel")
    else:
        await asyncio.to_thread(visit.store.remove, id)
        await asyncio.to_thread(visit.store.delete, results_name(id))
        gone = {"id": id, "object": "deferred_call.deleted", "deleted": True}
        responder.send(200, JSON, msgspec.json.encode(gone))


def _waits(responder: Responder, batch: Batch, asked: str) -> None:
    said: dict[str, Any] = {
        "id": batch.id, "object": "deferred_call", "status": "cancelling" if asked else batch.status,
        "created_at": batch.created_at // 1_000_000, "expires_at": batch.expires_at // 1_000_000,
        "offtake": {"held": ours.dollars(batch.held_pico).decode()},
    }  # fmt: skip
    where = f"{PATH}/{batch.id}".encode()
    headers = {
        b"location": where, b"preference-applied": b"respond-async", b"retry-after": RETRY_SECONDS,
        ours.REQUEST_ID: batch.request_id(1).encode(),
    }  # fmt: skip
    responder.send(202, JSON | headers, msgspec.json.encode(said))


async def _answered(visit: Visit, batch: Batch, responder: Responder) -> None:
    """The answer as if it had been served just now, or why there is none."""
    if batch.refusal is not None:
        raise RefusedPageError(batch.refusal)
    kept = await asyncio.to_thread(_kept, visit, batch.id)
    if kept is None:
        raise MissingError("its answer was kept for 24 hours, and is gone")
    if kept.status:
        responder.send(kept.status, JSON | _headers(batch, kept), bytes(kept.body))
        return
    if kept.state not in _GONE:
        raise RefusedPageError(Refusal("upstream", "G602", kept.message, hint="ask again as a new call"))
    code, words = _GONE[kept.state]
    _, listed, body = BY_NAME[batch.deferred].refuse(Refusal("bad_request", code, words), batch.request_id(1))
    responder.send(410, dict(listed), body)


def _headers(batch: Batch, kept: Kept) -> dict[bytes, bytes]:
    found = {
        ours.REQUEST_ID: batch.request_id(1).encode(), ours.CONTRACT: kept.contract.encode(),
        ours.VENDOR: kept.vendor.encode(), ours.MODEL: kept.model.encode(), ours.COST: ours.dollars(batch.cost_pico),
        ours.CLAUSE: "; ".join(batch.clauses).encode("ascii", "replace"),
    }  # fmt: skip
    name = b"request-id" if batch.wire == "anthropic" else b"x-request-id"
    return found | ({name: kept.request_id.encode("latin-1")} if kept.request_id else {})


def _kept(visit: Visit, id: str) -> Kept | None:
    try:
        return kept_of(visit.store.path(results_name(id)).read_bytes())
    except FileNotFoundError:
        return None
