"""OpenAI's `POST /v1/responses`, whole and streamed.

Sources: openai 3.54 (types/responses/response_create_params.py, response_input_item_param.py, response.py), read
November 2026. A request may stand on what OpenAI holds (an earlier response, a conversation, a stored prompt, items by
their id); then its own bytes bound nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from offtake.gateway.ask import UNLIMITED, Ask, Edits, Fields, Quantities, Refusal, Served
from offtake.gateway.dialects import answered, asked, bound, openai_input, refusals, sse
from offtake.gateway.dialects.document import count, decoded, encoded, flag, text, top_level
from offtake.usage.usage_objects import openai_responses

NAME = "openai_responses"
refuse = refusals.openai

_LIMITS = ("max_output_tokens",)
_INSTRUCTED = frozenset({"tools", "text"})
_HELD = ("previous_response_id", "conversation", "prompt")
_CLIENT_TOOLS = frozenset({
    "function", "custom", "namespace", "local_shell", "apply_patch", "computer", "computer_use_preview",
})  # fmt: skip
_TEXT_PARTS = frozenset({"input_text", "output_text", "text", "refusal", "summary_text", "reasoning_text"})
_TEXT_ITEMS = frozenset({
    "message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output",
    "local_shell_call", "local_shell_call_output", "shell_call", "shell_call_output", "apply_patch_call",
    "apply_patch_call_output", "computer_call", "computer_call_output", "mcp_call", "mcp_list_tools",
    "mcp_approval_request", "mcp_approval_response", "code_interpreter_call",
})  # fmt: skip


class _Item(msgspec.Struct):
    type: str | None = None
    content: Raw = Raw(b"null")
    output: Raw = Raw(b"null")
    encrypted_content: str | None = None


class _Part(msgspec.Struct):
    type: str = ""
    image_url: Raw = Raw(b"null")
    detail: str | None = None
    prompt_cache_breakpoint: Raw = Raw(b"")


class _Call(msgspec.Struct):
    type: str = ""
    action: Mapping[str, Any] | None = None


class _Incomplete(msgspec.Struct):
    reason: str | None = None


class _Response(msgspec.Struct):
    model: str | None = None
    status: str | None = None
    incomplete_details: _Incomplete | None = None
    error: Raw = Raw(b"null")
    usage: Raw = Raw(b"")
    service_tier: str | None = None
    output: list[_Call] | None = None


class _Event(msgspec.Struct):
    type: str = ""
    response: _Response | None = None


_ITEMS = msgspec.json.Decoder(list[_Item]).decode
_PARTS = msgspec.json.Decoder(list[_Part]).decode
_PART = msgspec.json.Decoder(_Part).decode
_RESPONSE = msgspec.json.Decoder(_Response).decode
_EVENT = msgspec.json.Decoder(_Event).decode


def read(path: str, headers: asked.Headers, body: bytes) -> Ask:
    """What the client asks; `BadAsk` where its body cannot be read."""
    fields = top_level(body)
    model = asked.model_of(fields)
    content = bound.Content(known=not any(_has(fields, name) for name in _HELD))
    items = fields.get("input", Raw(b'""'))
    if asked.is_list(items):
        for item in decoded(_ITEMS, items, "input"):
            _look(item, content)
    serves = not asked.only_client_tools(fields, _CLIENT_TOOLS)
    calls = count(fields, "max_tool_calls") if serves else 0
    content.known &= not serves
    return Ask(
        dialect=NAME,
        body=body,
        model=model,
        stream=flag(fields, "stream"),
        output_tokens_max=count(fields, "max_output_tokens"),
        input_tokens_max=bound.input_tokens_max(body, content, bound.overhead_of(fields, _INSTRUCTED)),
        media=content.media,
        cache_writes=("5m", "1h") if content.cache_long or openai_input.cache_long(fields) else ("5m",),
        tier=text(fields, "service_tier"),
        server_tools=UNLIMITED if calls is None else calls,
        session=text(fields, "prompt_cache_key") or asked.session_of(headers),
        stores=flag(fields, "store"),  # left out it is true; under zero retention `edited` says false
        fields=fields,
    )


def _has(fields: Fields, name: str) -> bool:
    return name in fields and bytes(fields[name]) != b"null"


def _look(item: _Item, content: bound.Content) -> None:
    kind = item.type or "message"
    if kind in ("reasoning", "compaction"):
        # Handed back in full when encrypted; by its id alone it is as long as OpenAI remembers it.
        content.known = content.known and item.encrypted_content is not None
    elif kind not in _TEXT_ITEMS:
        content.known = False
    for raw in (item.content, item.output):
        if asked.is_list(raw):
            for part in decoded(_PARTS, raw, "input"):
                _look_at(part, content)
        elif openai_input.begins(raw, b"{"):
            _look_at(decoded(_PART, raw, "input"), content)


def _look_at(part: _Part, content: bound.Content) -> None:
    if part.type in ("input_image", "computer_screenshot"):
        openai_input.look_at_image(part.image_url, part.detail, content)
    elif part.type == "input_audio":
        content.audio = True
    elif part.type not in _TEXT_PARTS:
        content.known = False
    content.cache_long |= openai_input.marked_long(part.prompt_cache_breakpoint)


def edited(ask: Ask, edits: Edits) -> tuple[bytes, tuple[str, ...]]:
    """The bytes for the vendor, and the names of the fields that were changed in them."""
    changes = asked.renamed(ask, edits) | asked.clamp(ask, edits, _LIMITS, _LIMITS)
    if edits.cache_key and not text(ask.fields, "prompt_cache_key"):
        changes["prompt_cache_key"] = encoded(edits.cache_key)
    if edits.keeps_nothing and not _has(ask.fields, "store"):
        changes["store"] = b"false"  # left out it is true
    return asked.made(ask, changes), tuple(changes)


def served(status: int, headers: answered.Headers, body: bytes, ask: Ask | None = None) -> Served:
    """What a whole answer says; one that still runs in the background has no usage yet."""
    request_id = answered.header(headers, b"x-request-id")
    if not 200 <= status < 300:
        return answered.failed(status, request_id)
    response = answered.decode_or_none(_RESPONSE, body)
    if response is None:
        return answered.unreadable(headers, request_id)
    return _served(response, request_id, "vendor_truncation")


def _served(response: _Response, request_id: str, cut: str) -> Served:
    quantities = answered.quantities(openai_responses, response.usage, "input_tokens", "output_tokens")
    if quantities is not None:
        quantities = {**quantities, **_calls(response.output or [])}
    finish = (response.incomplete_details and response.incomplete_details.reason) or response.status or ""
    if bytes(response.error) != b"null":
        outcome, finish = answered.outcome_of_error(response.error)
    elif finish in ("", "queued", "in_progress"):
        outcome = "ok" if finish else cut
    else:
        outcome = answered.outcome_of_finish(finish)
    return Served(quantities, outcome, response.service_tier or "", "", response.model or "", request_id, finish)


def _calls(output: list[_Call]) -> Quantities:
    """Tool calls that are billed by the call: of a web search's actions the search, not the pages opened after it."""
    searches = sum(
        call.type == "web_search_call" and (call.action or {}).get("type", "search") == "search" for call in output
    )
    files = sum(call.type == "file_search_call" for call in output)
    found = {"web_searches": searches, "storage_searches": files}
    return {meter: calls for meter, calls in found.items() if calls}


_MATTERS = re.compile(rb'"type"\s*:\s*"(?:response\.(?:created|completed|incomplete|failed|cancelled)|error)"').search
_DELTA = re.compile(rb"event: response\.\w+\.delta\r?\ndata: [^\r\n]*\r?\n\r?\n").fullmatch
_STARTED = _Response()


class Stream:
    """A streamed answer on its way to the client; every byte is passed on.

    Once `complete`, the usage is final: whoever writes it down does so before this chunk is passed on.
    """

    __slots__ = ("_error", "_events", "_request_id", "_response", "_started", "complete")

    def __init__(self, ask: Ask, headers: answered.Headers) -> None:
        self._events = sse.Events()
        self._started = _STARTED
        self._response: _Response | None = None
        self._error: tuple[str, str] | None = None
        self._request_id = answered.header(headers, b"x-request-id")
        self.complete = False

    def feed(self, chunk: bytes) -> bytes:
        """The chunk itself; what it says at its ends is kept."""
        if not self._events.held and _DELTA(chunk):
            return chunk
        for event in self._events.feed(chunk):
            if not _DELTA(event):
                self._read(event)
        return chunk

    def end(self) -> bytes:
        """Nothing is owed: all was passed on."""
        self._read(self._events.rest())
        return b""

    def served(self, cut: str = "vendor_truncation") -> Served:
        """What is known; `cut` is the outcome of a stream that has not come to its end."""
        if self._response is not None:
            return _served(self._response, self._request_id, cut)
        outcome, finish = self._error or (cut, "")
        started = self._started
        return Served(None, outcome, started.service_tier or "", "", started.model or "", self._request_id, finish)

    def _read(self, event: bytes) -> None:
        if not _MATTERS(event) and sse.in_one_line(event):
            return
        data = sse.data_of(event)
        found = answered.decode_or_none(_EVENT, data)
        if found is None:
            return
        if found.type == "error":
            self._error = answered.outcome_of_event(data)
        elif found.response is not None and found.type == "response.created":
            self._started = found.response
        elif found.response is not None and found.type.startswith("response."):
            self._response = found.response if found.response.status not in ("queued", "in_progress") else None
        self.complete = self._response is not None or self._error is not None


def stream_error(refusal: Refusal) -> bytes:
    """The event that ends a stream with an error: the dialect's own members, and those on which its SDK raises."""
    error = refusals.openai_error(refusal)
    said = {"type": "error", "code": error["code"], "message": error["message"], "param": None, "sequence_number": 0}
    return sse.event("error", encoded({**said, "error": error}))
