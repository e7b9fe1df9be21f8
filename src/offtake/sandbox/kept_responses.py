"""Responses that OpenAI keeps: read, listed and deleted; and what a following response begins with."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from offtake.sandbox.done import Done
from offtake.sandbox.exchange import object_of, read_body
from offtake.sandbox.openai_responses import output_of, whole
from offtake.sandbox.pages import call_of, one_of, page_of, reply, sandbox_of
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.responses_prompt import items_of, response_prompt
from offtake.sandbox.work import Sandbox

KEPT_MAX = 2_000


def keep(sandbox: Sandbox, done: Done) -> None:
    """Keeps a response unless its request says `store: false`; beyond so many the oldest goes."""
    body = done.ask.body
    if body.get("store") is False:
        return
    before = sandbox.remembered.get(str(body.get("previous_response_id")), [])
    sandbox.remembered[done.id] = [*before, *items_of(body), *output_of(done)]
    sandbox.responses[done.id] = whole(done)
    if len(sandbox.responses) > KEPT_MAX:
        oldest = next(iter(sandbox.responses))
        del sandbox.responses[oldest], sandbox.remembered[oldest]


async def one_response(request: Request) -> Response:
    """`GET` or `DELETE responses/ID`."""
    sandbox, key = sandbox_of(request), request.path_params["id"]
    response = one_of(sandbox.responses, key, "response")
    if request.method == "DELETE":
        del sandbox.responses[key], sandbox.remembered[key]
        return reply(request, {"id": key, "object": "response.deleted", "deleted": True})
    return reply(request, response)


async def cancel(request: Request) -> Response:
    """`POST responses/ID/cancel`: only what runs in the background can be cancelled."""
    one_of(sandbox_of(request).responses, request.path_params["id"], "response")
    raise VendorError.invalid("Cannot cancel a synchronous response.")


async def input_items(request: Request) -> Response:
    """`GET responses/ID/input_items`."""
    sandbox, key = sandbox_of(request), request.path_params["id"]
    one_of(sandbox.responses, key, "response")
    items = [{"id": f"item_{index}"} | item for index, item in enumerate(sandbox.remembered[key])]
    return reply(request, page_of(request, items[::-1]))


async def input_tokens(request: Request) -> Response:
    """`POST responses/input_tokens`: counted, not billed."""
    sandbox, call = sandbox_of(request), call_of(request)
    body = object_of(await read_body(call.receive))
    before = sandbox.remembered.get(str(body.get("previous_response_id")), [])
    tokens = response_prompt(body, before).tokens
    return reply(request, {"object": "response.input_tokens", "input_tokens": tokens})
