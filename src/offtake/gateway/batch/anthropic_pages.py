"""Anthropic's `/v1/messages/batches`."""

from __future__ import annotations

from offtake.gateway.batch.visit import MissingError, Visit
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder


async def serve(visit: Visit, request: Request, responder: Responder, path: str) -> None:
    """Answer one request."""
    raise MissingError(f"{request.method} {request.path} is not served")
