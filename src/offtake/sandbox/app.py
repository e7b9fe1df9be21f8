"""The sandbox as an ASGI application: all vendors on one port, told by the path.

    /openai/v1/chat/completions        a vendor, its wire
    /openai/eu/v1/chat/completions     a vendor's host in a region
    /v1/messages                       bare: Anthropic's own paths are Anthropic's, all others OpenAI's

The `/v1` may be left out. What works on a prompt goes to `exchange`; the rest to Starlette's routes.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import replace
from typing import Any

from starlette.routing import Route, Router

from offtake.sandbox import (
    anthropic_batches,
    anthropic_messages,
    kept_responses,
    model_pages,
    openai_batches,
    openai_chat,
    openai_embeddings,
    openai_files,
    openai_responses,
)
from offtake.sandbox.anthropic_prompt import VERSIONS, message_prompt
from offtake.sandbox.done import Wire, encode, new_id
from offtake.sandbox.exchange import Call, Headers, Receive, Send, answer, exchange, object_of, read_body, refuse
from offtake.sandbox.limits import headers_of
from offtake.sandbox.models import VENDORS
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.work import Sandbox

REGIONS = ("us", "eu", "au", "in", "jp", "ae", "global")
OPENAI: dict[str, Wire] = {
    "chat/completions": openai_chat.WIRE,
    "responses": replace(openai_responses.WIRE, keep=kept_responses.keep),
    "embeddings": openai_embeddings.WIRE,
}
ANTHROPIC: dict[str, Wire] = {"messages": anthropic_messages.WIRE}


async def _unknown(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    raise VendorError(404, f"Unknown request URL: {scope['method']} {scope['path']}")


_MODELS = [
    Route("/models", model_pages.list_models),
    Route("/models/{name:path}", model_pages.one_model),
]
_OPENAI_PAGES = [
    *_MODELS,
    Route("/files", openai_files.upload, methods=["POST"]),
    Route("/files", openai_files.list_files),
    Route("/files/{id}", openai_files.one_file, methods=["GET", "DELETE"]),
    Route("/files/{id}/content", openai_files.content),
    Route("/batches", openai_batches.create, methods=["POST"]),
    Route("/batches", openai_batches.list_batches),
    Route("/batches/{id}", openai_batches.one_batch),
    Route("/batches/{id}/cancel", openai_batches.cancel, methods=["POST"]),
    Route("/responses/input_tokens", kept_responses.input_tokens, methods=["POST"]),
    Route("/responses/{id}", kept_responses.one_response, methods=["GET", "DELETE"]),
    Route("/responses/{id}/cancel", kept_responses.cancel, methods=["POST"]),
    Route("/responses/{id}/input_items", kept_responses.input_items),
]
_ANTHROPIC_PAGES = [
    *_MODELS,
    Route("/messages/batches", anthropic_batches.create, methods=["POST"]),
    Route("/messages/batches", anthropic_batches.list_batches),
    Route("/messages/batches/{id}", anthropic_batches.one_batch, methods=["GET", "DELETE"]),
    Route("/messages/batches/{id}/cancel", anthropic_batches.cancel, methods=["POST"]),
    Route("/messages/batches/{id}/results", anthropic_batches.results),
]
PAGES = {False: Router(_OPENAI_PAGES, default=_unknown), True: Router(_ANTHROPIC_PAGES, default=_unknown)}


def place_of(path: str, headers: Headers) -> tuple[str, str, str]:
    """The vendor, the region and the rest of a path: `/openai/eu/v1/models` is (openai, eu, models)."""
    parts = path.strip("/").split("/")
    vendor = parts.pop(0) if parts[0] in VENDORS else ""
    region = parts.pop(0) if parts and parts[0] in REGIONS else "global"
    if parts[:1] == ["v1"]:
        parts.pop(0)
    elif parts[:2] == ["v1beta", "openai"]:  # Google's place for OpenAI's wire
        parts = parts[2:]
    rest = "/".join(parts)
    if not vendor:
        vendor = "anthropic" if rest.startswith("messages") or "anthropic-version" in headers else "openai"
    return vendor, region, rest


class App:
    """An ASGI application over one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        vendor, region, rest = place_of(scope["path"], headers)
        request_id = new_id("req_")
        base = f"http://{headers.get('host', '')}{scope['path'].removesuffix(rest).rstrip('/')}"
        call = Call(vendor, region, headers, b"", request_id, send, receive, base=base)
        try:
            await self._serve(scope, call, rest)
        except VendorError as error:
            if not call.started:  # the server closes a connection whose answer is not complete
                await refuse(call, error)
        except asyncio.CancelledError:
            return  # the client left before it had asked

    async def _serve(self, scope: MutableMapping[str, Any], call: Call, rest: str) -> None:
        method = scope["method"]
        if not rest:
            await answer(call, 200, encode({"sandbox": "offtake", "vendors": list(VENDORS)}))
            return
        _check_key(call)
        wire = (ANTHROPIC if call.anthropic else OPENAI).get(rest)
        if wire is not None:
            if method != "POST":
                raise VendorError(405, "Method not allowed")
            call.body = await read_body(call.receive)
            await exchange(self.sandbox, wire, call)
        elif call.anthropic and rest == "messages/count_tokens" and method == "POST":
            call.body = await read_body(call.receive)
            await self._count_tokens(call)
        else:
            inner = {**scope, "path": f"/{rest}", "root_path": "", "call": call, "sandbox": self.sandbox}
            await PAGES[call.anthropic](inner, call.receive, call.send)

    async def _count_tokens(self, call: Call) -> None:
        body = object_of(call.body)
        self.sandbox.models.find(call.vendor, body.get("model"))
        prompt = message_prompt(body, call.headers["anthropic-version"])
        headers = headers_of(call.vendor, {}, self.sandbox.now())
        await answer(call, 200, encode({"input_tokens": prompt.tokens}), headers)


def _check_key(call: Call) -> None:
    """Any key is right but those that begin with `wrong`; Anthropic wants its version as well."""
    if not call.key or call.key.startswith("wrong"):
        if call.anthropic:
            said = "invalid x-api-key" if call.key else "x-api-key header is required"
        else:
            said = "Incorrect API key provided" if call.key else "You didn't provide an API key."
        raise VendorError(401, said)
    version = call.headers.get("anthropic-version")
    if call.anthropic and version not in VERSIONS:
        said = "header is required" if version is None else f"{version!r} is not a valid version"
        raise VendorError.invalid(f"anthropic-version: {said}")
