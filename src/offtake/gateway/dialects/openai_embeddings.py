"""OpenAI's `POST /v1/embeddings`: input only, never streamed, nothing cached.

Source: openai 3.54 (types/embedding_create_params.py), read November 2026. Input may be tokens by number, each of
which has at least one digit.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw

from offtake.gateway.ask import Ask, BadAsk, Edits, Refusal, Served
from offtake.gateway.dialects import answered, asked, bound, refusals, sse
from offtake.gateway.dialects.document import encoded, flag, top_level
from offtake.usage.usage_objects import openai_chat

NAME = "openai_embeddings"
refuse = refusals.openai


class _Answer(msgspec.Struct):
    model: str | None = None
    usage: Raw = Raw(b"")


_ANSWER = msgspec.json.Decoder(_Answer).decode


def read(path: str, headers: asked.Headers, body: bytes) -> Ask:
    """What the client asks; `BadAsk` where its body cannot be read."""
    fields = top_level(body)
    model = asked.model_of(fields)
    asked.required(fields, "input")
    if flag(fields, "stream"):
        raise BadAsk("G103", "stream: embeddings are not streamed")
    tokens = bound.input_tokens_max(body, bound.Content(), bound.REQUEST_OVERHEAD)
    return Ask(dialect=NAME, body=body, model=model, output_tokens_max=0, input_tokens_max=tokens, fields=fields)


def edited(ask: Ask, edits: Edits) -> tuple[bytes, tuple[str, ...]]:
    """The bytes for the vendor, and the names of the fields that were changed in them."""
    changes = asked.renamed(ask, edits)
    return asked.made(ask, changes), tuple(changes)


def served(status: int, headers: answered.Headers, body: bytes, ask: Ask | None = None) -> Served:
    """What the answer says; headers' names are lower-case."""
    request_id = answered.header(headers, b"x-request-id")
    if not 200 <= status < 300:
        return answered.failed(status, request_id)
    answer = answered.decode_or_none(_ANSWER, body)
    if answer is None:
        return answered.unreadable(headers, request_id)
    quantities = answered.quantities(openai_chat, answer.usage, "prompt_tokens")
    return Served(quantities, "ok", model=answer.model or "", vendor_request_id=request_id)


class Stream:
    """Passes on what should not come: a vendor that streams embeddings. Nothing in it is known."""

    __slots__ = ("_request_id",)

    def __init__(self, ask: Ask, headers: answered.Headers) -> None:
        self._request_id = answered.header(headers, b"x-request-id")

    @property
    def complete(self) -> bool:
        """Whether the usage is final: whoever writes it down does so before this chunk is passed on."""
        return False

    def feed(self, chunk: bytes) -> bytes:
        """The chunk itself."""
        return chunk

    def end(self) -> bytes:
        """Nothing is owed."""
        return b""

    def served(self, cut: str = "vendor_truncation") -> Served:
        """The usage is unknown."""
        return Served(None, cut, vendor_request_id=self._request_id)


def stream_error(refusal: Refusal) -> bytes:
    """The event that ends a stream with an error."""
    return sse.event("", encoded({"error": refusals.openai_error(refusal)}))
