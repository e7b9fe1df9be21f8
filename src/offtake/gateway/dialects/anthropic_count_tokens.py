"""Anthropic's `POST /v1/messages/count_tokens`: the same request as messages, answered with a number and free.

Source: Anthropic's page "Token counting" (free, with a rate limit of its own), read November 2026.
"""

from __future__ import annotations

from offtake.gateway.ask import Ask, Edits, Refusal, Served
from offtake.gateway.dialects import answered, anthropic_messages, asked, refusals
from offtake.gateway.dialects.anthropic_messages import Stream

NAME = "anthropic_count_tokens"
refuse = refusals.anthropic


def read(path: str, headers: asked.Headers, body: bytes) -> Ask:
    """What the client asks; `BadAsk` where its body cannot be read. Nothing is computed, written or called."""
    ask, _ = anthropic_messages.read_input(NAME, headers, body)
    ask.output_tokens_max, ask.server_tools, ask.cache_writes, ask.other_models = 0, 0, (), ()
    return ask


def edited(ask: Ask, edits: Edits) -> tuple[bytes, tuple[str, ...]]:
    """The bytes for the vendor: only the model may be called otherwise."""
    changes = asked.renamed(ask, edits)
    return asked.made(ask, changes), tuple(changes)


def served(status: int, headers: answered.Headers, body: bytes, ask: Ask | None = None) -> Served:
    """A count uses nothing."""
    request_id = answered.header(headers, b"request-id")
    outcome = "ok" if 200 <= status < 300 else answered.failed_outcome(status)
    return Served({}, outcome, vendor_request_id=request_id)


def stream_error(refusal: Refusal) -> bytes:
    """The event that ends a stream with an error; a count is never streamed."""
    return anthropic_messages.stream_error(refusal)


__all__ = ["NAME", "Stream", "edited", "read", "refuse", "served", "stream_error"]
