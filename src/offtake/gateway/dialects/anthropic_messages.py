"""Anthropic's `POST /v1/messages`, whole and streamed, in API versions 2023-06-01 and 2026-10-21.

Sources: anthropic 2.12 (types/beta/message_create_params.py, beta_usage.py, beta_raw_message_delta_event.py), read
November 2026. In a stream `message_start` says the input and `message_delta` the whole usage so far, so that the last
one with a stop reason is final; a stream that is cut before it leaves the usage unknown, and what was said a floor.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw

from offtake.gateway.ask import Ask, Edits, Quantities, Refusal, Served
from offtake.gateway.dialects import answered, anthropic_usage, asked, cache_mark, refusals, sse
from offtake.gateway.dialects.anthropic_input import Extent, extent_of
from offtake.gateway.dialects.bound import input_tokens_max
from offtake.gateway.dialects.document import count, decoded, encoded, flag, text, top_level

NAME = "anthropic_messages"
refuse = refusals.anthropic

_LIMITS = ("max_tokens",)


class _Metadata(msgspec.Struct):
    user_id: str | None = None


class _Message(msgspec.Struct):
    model: str | None = None
    stop_reason: str | None = None
    usage: Raw = Raw(b"")
    type: str = ""


class _Event(msgspec.Struct):
    type: str = ""
    message: _Message | None = None
    delta: Raw = Raw(b"")
    usage: Raw = Raw(b"")


class _Delta(msgspec.Struct):
    stop_reason: str | None = None


_METADATA = msgspec.json.Decoder(_Metadata | None).decode
_MESSAGE = msgspec.json.Decoder(_Message).decode
_EVENT = msgspec.json.Decoder(_Event).decode
_DELTA = msgspec.json.Decoder(_Delta).decode


def read(path: str, headers: asked.Headers, body: bytes) -> Ask:
    """What the client asks; `BadAsk` where its body cannot be read."""
    ask, extent = read_input(NAME, headers, body)
    fields = ask.fields
    asked.required(fields, "max_tokens")
    ask.stream = flag(fields, "stream")
    ask.output_tokens_max = max(count(fields, "max_tokens") or 0, extent.fallback_output_max)
    ask.tier = anthropic_usage.FAST if text(fields, "speed") == "fast" else text(fields, "service_tier")
    ask.region = text(fields, "inference_geo")
    return ask


def read_input(name: str, headers: asked.Headers, body: bytes) -> tuple[Ask, Extent]:
    """What messages and count_tokens share: the model, the input and how far it may go."""
    fields = top_level(body)
    model = asked.model_of(fields)
    extent = extent_of(fields)
    session = asked.session_of(headers)
    if not session and "metadata" in fields:
        metadata = decoded(_METADATA, fields["metadata"], "metadata")
        session = (metadata.user_id if metadata else None) or ""
    ask = Ask(
        dialect=name,
        body=body,
        model=model,
        input_tokens_max=input_tokens_max(body, extent.content, extent.overhead),
        media=extent.content.media,
        cache_writes=extent.content.cache_writes,
        server_tools=extent.turns,
        other_models=extent.models,
        session=session,
        fields=fields,
    )
    return ask, extent


def edited(ask: Ask, edits: Edits) -> tuple[bytes, tuple[str, ...]]:
    """The bytes for the vendor, and the names of the fields that were changed in them."""
    changes = asked.renamed(ask, edits) | asked.clamp(ask, edits, _LIMITS, _LIMITS)
    names = list(changes)
    if edits.cache and not ask.cache_writes:  # who marks a cache itself is not corrected
        marked = cache_mark.marked(ask.fields, edits.cache, edits.cache_ttl)
        changes |= marked
        names += [name if name == "cache_control" else f"{name}.cache_control" for name in marked]
    return asked.made(ask, changes), tuple(names)


def served(status: int, headers: answered.Headers, body: bytes, ask: Ask | None = None) -> Served:
    """What a whole answer says; headers' names are lower-case."""
    request_id = answered.header(headers, b"request-id")
    if not 200 <= status < 300:
        return answered.failed(status, request_id)
    message = answered.decode_or_none(_MESSAGE, body)
    if message is None:
        return answered.unreadable(headers, request_id)
    if message.type == "error":
        outcome, finish = answered.outcome_of_event(body)
        return Served(None, outcome, vendor_request_id=request_id, finish=finish)
    usage = answered.object_of(message.usage)
    finish = message.stop_reason or ""
    outcome = answered.outcome_of_finish(finish)
    return _served(usage, _write(ask), message.model or "", request_id, outcome, finish)


def _write(ask: Ask | None) -> str:
    """How long a cache write is kept where the usage does not say: the dearest that the request allowed."""
    return "1h" if ask is not None and "1h" in ask.cache_writes else "5m"


def _served(usage: dict[str, Any], write: str, model: str, request_id: str, outcome: str, finish: str) -> Served:
    quantities, others = anthropic_usage.read(usage, write, model)
    tier, region = anthropic_usage.tier_of(usage), anthropic_usage.region_of(usage)
    return Served(quantities, outcome, tier, region, model, request_id, finish, {}, others)


_MATTERS = re.compile(rb'"type"\s*:\s*"(?:message_start|message_delta|error)"').search
_TEXT = b"event: content_block_delta\n"


class Stream:
    """A streamed answer on its way to the client; every byte is passed on.

    Once `complete`, the usage is final: whoever writes it down does so before this chunk is passed on.
    """

    __slots__ = ("_error", "_events", "_finish", "_model", "_request_id", "_usage", "_write", "complete")

    def __init__(self, ask: Ask, headers: answered.Headers) -> None:
        self._events = sse.Events()
        self._write = _write(ask)
        self._request_id = answered.header(headers, b"request-id")
        self._model = self._finish = ""
        self._usage: dict[str, Any] = {}
        self._error: tuple[str, str] | None = None
        self.complete = False

    def feed(self, chunk: bytes) -> bytes:
        """The chunk itself; the usage in it is kept."""
        if chunk.startswith(_TEXT) and not self._events.held and chunk.count(_TEXT) == sse.all_of_lines(chunk, 2):
            return chunk
        for event in self._events.feed(chunk):
            if not event.startswith(_TEXT):
                self._read(event)
        return chunk

    def end(self) -> bytes:
        """Nothing is owed: all was passed on."""
        self._read(self._events.rest())
        return b""

    def served(self, cut: str = "vendor_truncation") -> Served:
        """What is known; `cut` is the outcome of a stream that has not come to its end."""
        outcome, finish = self._error or (cut, "")
        if self._finish and not self._error:
            outcome, finish = answered.outcome_of_finish(self._finish), self._finish
        found = _served(self._usage, self._write, self._model, self._request_id, outcome, finish)
        if self._finish:
            return found
        floor: Quantities = found.quantities or {}
        return Served(
            None, outcome, found.tier, found.region, found.model, self._request_id, finish, floor, found.others
        )

    def _read(self, event: bytes) -> None:
        if not _MATTERS(event) and sse.in_one_line(event):
            return
        data = sse.data_of(event)
        found = answered.decode_or_none(_EVENT, data)
        match found and found.type:
            case "message_start" if found.message is not None:
                self._model = found.message.model or ""
                self._usage = answered.object_of(found.message.usage)
            case "message_delta":
                self._usage = anthropic_usage.later(self._usage, answered.object_of(found.usage), self._write)
                delta = answered.decode_or_none(_DELTA, found.delta)
                self._finish = (delta.stop_reason if delta else None) or self._finish
            case "error":
                self._error = answered.outcome_of_event(data)
        self.complete = bool(self._finish) or self._error is not None


def stream_error(refusal: Refusal) -> bytes:
    """The event that ends a stream with an error; the SDK raises on it."""
    return sse.event("error", encoded(refusals.anthropic_error(refusal)))
