"""The endpoints that read and keep things, as Starlette routes; what they share."""

from __future__ import annotations

from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from offtake.sandbox.done import encode
from offtake.sandbox.exchange import Call
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.work import Sandbox

Kept = TypeVar("Kept")
PAGE = 20
PAGE_MAX = 1000


def call_of(request: Request) -> Call:
    """The call that a request is."""
    call = request.scope["call"]
    assert isinstance(call, Call)
    return call


def sandbox_of(request: Request) -> Sandbox:
    """The sandbox that serves it."""
    sandbox = request.scope["sandbox"]
    assert isinstance(sandbox, Sandbox)
    return sandbox


def reply(request: Request, data: dict[str, Any] | bytes, kind: str = "application/json") -> Response:
    """An answer with the ids that the vendor sends."""
    call = call_of(request)
    name = "request-id" if call.anthropic else "x-request-id"
    body = data if isinstance(data, bytes) else encode(data)
    return Response(body, media_type=kind, headers={name: call.request_id})


def one_of(kept: dict[str, Kept], key: str, what: str) -> Kept:
    """What is kept under an id; VendorError 404 otherwise."""
    if key not in kept:
        raise VendorError(404, f"No such {what}: {key}")
    return kept[key]


def page_of(request: Request, items: list[dict[str, Any]]) -> dict[str, Any]:
    """A page of a list, the newest first, as both vendors cut it: `after` (OpenAI) or `after_id` (Anthropic)."""
    after = request.query_params.get("after") or request.query_params.get("after_id")
    before = request.query_params.get("before_id")
    limit = request.query_params.get("limit", str(PAGE))
    if not limit.isdecimal() or not 1 <= int(limit) <= PAGE_MAX:
        raise VendorError.invalid(f"limit: Input should be a number from 1 to {PAGE_MAX}", param="limit")
    ids = [item["id"] for item in items]
    start = ids.index(after) + 1 if after in ids else 0
    end = ids.index(before) if before in ids else len(items)
    shown = items[start:end][: int(limit)]
    return {
        "object": "list",
        "data": shown,
        "has_more": start + len(shown) < end,
        "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None,
    }
