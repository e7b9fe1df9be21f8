"""Anthropic's `/v1/messages/batches`."""

from __future__ import annotations

import asyncio

import msgspec

from offtake.gateway.ask import BadAsk
from offtake.gateway.batch.documents import Batch
from offtake.gateway.batch.lines import MESSAGES
from offtake.gateway.batch.results import results_name
from offtake.gateway.batch.said import anthropic_batch, page
from offtake.gateway.batch.visit import LINES, MissingError, Visit, new_batch, query_of, said, send_content
from offtake.gateway.desk import microseconds
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder


class _Requests(msgspec.Struct):
    requests: list[msgspec.Raw]


async def serve(visit: Visit, request: Request, responder: Responder, path: str) -> None:
    """Answer one request. BadAsk, RefusedPageError or MissingError where there is no answer."""
    base = f"http://{request.headers.get(b'host', b'').decode('latin-1')}"
    match (request.method, *path.strip("/").split("/")[1:]):
        case ("POST", "batches"):
            said(responder, anthropic_batch(await _create(visit, request), "", base))
        case ("GET", "batches"):
            asked = {batch.id: (batch, word) for batch, word in await visit.batches("anthropic")}
            batches = [batch for batch, _ in asked.values()]
            said(responder, page(batches, query_of(request), lambda each: anthropic_batch(*asked[each.id], base)))
        case ("GET", "batches", id):
            batch, word = await visit.batch(id, "anthropic")
            said(responder, anthropic_batch(batch, word, base))
        case ("DELETE", "batches", id):
            batch, _ = await visit.batch(id, "anthropic")
            if not batch.ended:
                raise BadAsk("G905", "a batch can be deleted once it has ended; cancel it first")
            await asyncio.to_thread(visit.store.remove, id)
            await asyncio.to_thread(visit.store.delete, results_name(id))
            said(responder, {"id": id, "type": "message_batch_deleted"})
        case ("POST", "batches", id, "cancel"):
            batch, word = await visit.batch(id, "anthropic")
            if not batch.ended:
                await asyncio.to_thread(visit.store.ask, id, "cancel")
                word = "cancel"
            said(responder, anthropic_batch(batch, word, base))
        case ("GET", "batches", id, "results"):
            await visit.batch(id, "anthropic")
            await send_content(visit.store, results_name(id), responder, LINES)
        case _:
            raise MissingError(f"{request.method} {request.path} is not served")


async def _create(visit: Visit, request: Request) -> Batch:
    try:
        plain = msgspec.json.format(request.body, indent=-1)  # one request a line
        found = msgspec.json.decode(plain, type=_Requests)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadAsk("G103", f"the body has no list of requests: {error}") from error
    batch = new_batch("anthropic", MESSAGES, "", microseconds())
    visit.once(batch, request)
    batch.headers = {
        name.decode(): value.decode("latin-1")
        for name, value in request.headers.items()
        if name in (b"anthropic-version", b"anthropic-beta")
    }
    return await visit.add_batch(batch, [bytes(each) + b"\n" for each in found.requests])
