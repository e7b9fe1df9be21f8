"""A request's meaning as a chat completions request: for OpenAI, and for vendors who speak its dialect.

Source: openai 3.54, types/chat/completion_create_params.py; api-docs.deepseek.com, guides/thinking_mode; November 2026.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from offtake.gateway.translate import free_form
from offtake.gateway.translate.data_urls import document_url, image_url
from offtake.gateway.translate.fields import BadRequest, Dropped
from offtake.gateway.translate.meaning import (
    Document,
    Image,
    Part,
    Refusal,
    Request,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from offtake.gateway.translate.thinking import effort_of
from offtake.gateway.translate.wire import Wire

PATH = "/v1/chat/completions"
_TTL = {"short": "30m", "long": "12h"}
_IDENTIFIER_LENGTH_MAX = 64


def write_request(request: Request, wire: Wire, dropped: Dropped) -> dict[str, Any]:
    """The body to send. Raises BadRequest where the dialect cannot say what was asked."""
    refuse_prefill(request)
    messages = _Messages(request, wire, dropped)
    body: dict[str, Any] = {"model": request.model, "messages": messages.written()}
    if request.stream:
        body |= {"stream": True} | ({"stream_options": {"include_usage": True}} if wire.asks_usage else {})
    if request.output_tokens_max is not None:
        body["max_completion_tokens" if wire.own_fields else "max_tokens"] = request.output_tokens_max
    body |= sampling(request, wire, dropped)
    if request.stop:
        body["stop"] = request.stop
    if effort := effort_of(request, wire, dropped):
        body["reasoning_effort"] = effort
    _write_tools(request, wire, body, dropped)
    if request.schema is not None:
        schema = request.schema
        form: dict[str, Any] = {"name": schema.name or "answer", "schema": schema.schema}
        form |= {"description": schema.description} if schema.description else {}
        form |= {"strict": schema.strict} if schema.strict is not None else {}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    elif request.json_object:
        body["response_format"] = {"type": "json_object"}
    return body | own_fields(request, wire, dropped, verbosity=True)


def sampling(request: Request, wire: Wire, dropped: Dropped) -> dict[str, Any]:
    """The sampling parameters that OpenAI's dialects have, where the model takes them."""
    found: dict[str, Any] = {}
    for name in ("temperature", "top_p", "top_k"):
        if (value := getattr(request, name)) is None:
            continue
        if wire.sampling and name != "top_k":
            found[name] = value
        else:
            dropped.note(request.name(name))
    return found


def own_fields(request: Request, wire: Wire, dropped: Dropped, *, verbosity: bool) -> dict[str, Any]:
    """Tier, identifiers and keys, which both of OpenAI's dialects name alike and compatible vendors do not know."""
    found = {
        "service_tier": request.tier,
        "safety_identifier": identifier(request.user),
        "prompt_cache_key": request.cache_key and identifier(request.cache_key),
    }
    named = {"service_tier": "tier", "safety_identifier": "user", "prompt_cache_key": "cache_key"}
    if verbosity:
        found["verbosity"], named["verbosity"] = request.verbosity, "verbosity"
    found = {name: value for name, value in found.items() if value}
    if wire.own_fields:
        return found
    for name in found:
        dropped.note(request.name(named[name]))
    return {}


def identifier(user: str) -> str:
    """A user's id within OpenAI's 64 characters: a longer one becomes its SHA-256."""
    return user if len(user) <= _IDENTIFIER_LENGTH_MAX else hashlib.sha256(user.encode()).hexdigest()


def refuse_prefill(request: Request) -> None:
    """A conversation that ends with the assistant is continued by some vendors and answered by others: refused."""
    if request.turns and request.turns[-1].role == "assistant":
        where = f"{request.name('turns')}[-1]"
        raise BadRequest(f"{where}: the conversation must not end with the assistant's own words", where)


def choice_word(choice: ToolChoice) -> str:
    """OpenAI's word for a choice that names no tool."""
    return "required" if choice.mode == "any" else choice.mode


def _write_tools(request: Request, wire: Wire, body: dict[str, Any], dropped: Dropped) -> None:
    if not request.tools:
        return
    body["tools"] = []
    for tool in request.tools:
        function: dict[str, Any] = {"name": tool.name, "parameters": _schema(tool)}
        function |= {"description": tool.description} if tool.description else {}
        function |= {"strict": tool.strict} if tool.strict is not None else {}
        body["tools"].append({"type": "function", "function": function})
        if tool.cache:
            dropped.note("tools[].cache_control")
    if request.tool_choice is not None:
        choice = request.tool_choice
        named = {"type": "function", "function": {"name": choice.name}}
        body["tool_choice"] = named if choice.mode == "tool" else choice_word(choice)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls


def _schema(tool: Tool) -> dict[str, Any]:
    if tool.free_form:
        return free_form.SCHEMA
    return tool.schema or {"type": "object", "properties": {}}


class _Messages:
    """The list of messages: a turn becomes one, and one more for each result of a tool."""

    def __init__(self, request: Request, wire: Wire, dropped: Dropped) -> None:
        self.request, self.wire, self.dropped = request, wire, dropped
        self.messages: list[dict[str, Any]] = []

    def written(self) -> list[dict[str, Any]]:
        """All messages, the system's first."""
        if self.request.cache_last:
            self.dropped.note("cache_control")
        if self.request.system:
            self._say("system", self.request.system)
        for turn in self.request.turns:
            match turn.role:
                case "assistant":
                    self._assistant(turn)
                case "user":
                    self._user(turn)
                case "system":
                    self._say("system", turn.parts)
        return self.messages

    def _say(self, role: str, parts: Sequence[Part]) -> None:
        written = [self._part(part) for part in parts]
        plain = all(part.keys() == {"type", "text"} for part in written)
        content: Any = written
        if plain and (len(written) == 1 or not self.wire.own_fields):  # some vendors take no parts where text will do
            content = "\n\n".join(part["text"] for part in written)
        self.messages.append({"role": role, "content": content})

    def _user(self, turn: Turn) -> None:
        """Results first, each a message; what a tool message cannot hold follows in the user's own."""
        rest = [part for part in turn.parts if not isinstance(part, ToolResult)]
        shown: list[Part] = []
        for part in turn.parts:
            if not isinstance(part, ToolResult):
                continue
            texts: list[Part] = [inner for inner in part.parts if isinstance(inner, Text)]
            others = [inner for inner in part.parts if not isinstance(inner, Text)]
            if others:
                shown += [Text(f"What tool call {part.id} returned beside its text:"), *others]
            if part.is_error:
                self.dropped.note("messages[].content[].is_error")
            self._cached(part.cache)
            written = [self._part(inner) for inner in texts]
            content = "".join(text["text"] for text in written)
            marked = any("prompt_cache_breakpoint" in text for text in written)
            message = {"role": "tool", "tool_call_id": part.id, "content": written if marked else content}
            self.messages.append(message)
        if shown or rest:
            self._say("user", [*shown, *rest])

    def _assistant(self, turn: Turn) -> None:
        message: dict[str, Any] = {"role": "assistant"}
        said = [part for part in turn.parts if isinstance(part, Text)]
        refusals = [part.text for part in turn.parts if isinstance(part, Refusal)]
        calls = [part for part in turn.parts if isinstance(part, ToolCall)]
        thoughts = [part.text for part in turn.parts if isinstance(part, Thinking)]
        for text in said:
            self._cached(text.cache)
        message["content"] = "".join(text.text for text in said) if said else None
        if refusals:
            message["refusal"] = "".join(refusals)
        if calls:
            message["tool_calls"] = [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": free_form.json_arguments(call)},
                }
                for call in calls
            ]
        if thoughts and not self.wire.own_fields:
            message["reasoning_content"] = "".join(thoughts)
        elif thoughts:
            self.dropped.note(self.request.name("thinking"))
        if not said and not refusals and not calls:
            message["content"] = ""
        self.messages.append(message)

    def _part(self, part: Part) -> dict[str, Any]:
        match part:
            case Text():
                written: dict[str, Any] = {"type": "text", "text": part.text}
            case Image():
                written = {"type": "image_url", "image_url": {"url": image_url(part)}}
            case Document(url=url) if url:
                where = f"{self.request.name('turns')}[].content[].source"
                raise BadRequest(f"{where}: the chat dialect takes a document's data, not its address", where)
            case Document():
                kind = "txt" if part.media_type == "text/plain" else "pdf"
                title = part.title or f"document.{kind}"
                written = {"type": "file", "file": {"filename": title, "file_data": document_url(part)}}
            case Refusal():
                written = {"type": "text", "text": part.text}
            case _:
                raise BadRequest(f"{self.request.name('turns')}: a part stands where the dialect has no place for it")
        if self._cached(part.cache if isinstance(part, Text | Image | Document) else ""):
            written["prompt_cache_breakpoint"] = {"mode": "explicit", "ttl": _TTL[part.cache]}  # type: ignore[union-attr]
        return written

    def _cached(self, cache: str) -> bool:
        if cache and not self.wire.cache_breakpoints:
            self.dropped.note(self.request.name("cache"))
        return bool(cache) and self.wire.cache_breakpoints
