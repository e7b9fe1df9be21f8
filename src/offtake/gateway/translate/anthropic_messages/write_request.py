"""A request's meaning as a request to Anthropic's Messages API.

Source: anthropic 2.12, types/message_create_params.py; Claude docs on mid-conversation system messages, adaptive
thinking and API version 2026-10-21; read November 2026.
"""

from __future__ import annotations

import re
import zlib
from itertools import zip_longest
from typing import Any

from offtake.gateway.translate import free_form
from offtake.gateway.translate.fields import BadRequest, Dropped, object_of
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
    ToolResult,
    Turn,
)
from offtake.gateway.translate.openai_chat.write_request import refuse_prefill
from offtake.gateway.translate.thinking import write_anthropic as write_thinking
from offtake.gateway.translate.wire import Wire

PATH = "/v1/messages"
_TTL = {"short": "5m", "long": "1h"}
_TIERS = {"auto": "auto", "priority": "auto", "default": "standard_only"}
_SAMPLING = ("temperature", "top_p", "top_k")
_BEFORE_SAMPLING_WENT = "2023-06-01"
_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


def write_request(request: Request, wire: Wire, dropped: Dropped) -> dict[str, Any]:
    """The body to send. Raises BadRequest where the dialect cannot say what was asked."""
    refuse_prefill(request)
    if request.json_object:
        name = request.name("json_object")
        raise BadRequest(f"{name}: Anthropic's dialect has no JSON without a schema; use json_schema", name)
    limit = wire.output_tokens_max if request.output_tokens_max is None else request.output_tokens_max
    system, messages = _Conversation(request, wire, dropped).written()
    body: dict[str, Any] = {"model": request.model, "max_tokens": limit, "messages": messages}
    if system:
        body["system"] = system
    if request.stream:
        body["stream"] = True
    if request.stop:
        body["stop_sequences"] = request.stop
    thinking, effort = write_thinking(request, wire, dropped)
    if thinking:
        body["thinking"] = thinking
    config: dict[str, Any] = {"effort": effort} if effort else {}
    if request.schema is not None:
        config["format"] = {"type": "json_schema", "schema": request.schema.schema}
        for name in ("name", "description"):
            if getattr(request.schema, name):
                dropped.note(f"{request.name('schema')}.{name}")
    if config:
        body["output_config"] = config
    thinks = thinking.get("type") in ("adaptive", "enabled")
    _write_sampling(
        request, body, dropped, taken=wire.sampling and wire.anthropic_version == _BEFORE_SAMPLING_WENT and not thinks
    )
    _write_tools(request, body)
    _write_account(request, body, dropped)
    return body


def _write_sampling(request: Request, body: dict[str, Any], dropped: Dropped, *, taken: bool) -> None:
    for name in _SAMPLING:
        value = getattr(request, name)
        if value is None:
            continue
        if taken:
            body[name] = min(value, 1) if name == "temperature" else value
        if body.get(name) != value:  # left out, or beyond Anthropic's range of 0 to 1
            dropped.note(request.name(name))


def _write_tools(request: Request, body: dict[str, Any]) -> None:
    if not request.tools:
        return
    body["tools"] = [_tool(tool) for tool in request.tools]
    choice = request.tool_choice
    written: dict[str, Any] = {"type": choice.mode} if choice else {}
    if choice and choice.mode == "tool":
        written["name"] = choice.name
    if request.parallel_tool_calls is False and (choice is None or choice.mode != "none"):
        written = {"type": "auto"} | written | {"disable_parallel_tool_use": True}
    if written:
        body["tool_choice"] = written


def _tool(tool: Tool) -> dict[str, Any]:
    schema = free_form.SCHEMA if tool.free_form else {"type": "object", "properties": {}} | tool.schema
    written: dict[str, Any] = {"name": tool.name, "input_schema": schema}
    if tool.description:
        written["description"] = tool.description
    if tool.strict:
        written["strict"] = True
    return _marked(written, tool.cache)


def _write_account(request: Request, body: dict[str, Any], dropped: Dropped) -> None:
    if request.user:
        body["metadata"] = {"user_id": request.user}
    if tier := _TIERS.get(request.tier):
        body["service_tier"] = tier
    elif request.tier:
        dropped.note(request.name("tier"))
    if request.cache_last:
        body["cache_control"] = {"type": "ephemeral", "ttl": _TTL[request.cache_last]}
    for name in ("verbosity", "cache_key"):
        if getattr(request, name):
            dropped.note(request.name(name))


def _marked(block: dict[str, Any], cache: str) -> dict[str, Any]:
    return block | {"cache_control": {"type": "ephemeral", "ttl": _TTL[cache]}} if cache else block


class _Conversation:
    """The system prompt and the messages."""

    def __init__(self, request: Request, wire: Wire, dropped: Dropped) -> None:
        self.request, self.wire, self.dropped = request, wire, dropped

    def written(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Both, as blocks. A system turn that cannot stay in its place joins the prompt."""
        system = [self._block(text) for text in self.request.system if text.text]
        messages: list[dict[str, Any]] = []
        for turn in self.request.turns:
            if not (blocks := self._blocks(turn)):
                continue
            if messages and turn.role == messages[-1]["role"] == "system":
                messages[-1]["content"] += blocks
            else:
                messages.append({"role": turn.role, "content": blocks})
        kept: list[dict[str, Any]] = []
        for message, after in zip_longest(messages, messages[1:]):
            # Anthropic's rule: after the user, and before the assistant or at the end.
            in_place = bool(kept) and kept[-1]["role"] == "user" and (after is None or after["role"] == "assistant")
            if message["role"] == "system" and not (in_place and self.wire.system_turns):
                self.dropped.note(self.request.name("system_turns"))
                system += message["content"]
            else:
                kept.append(message)
        return system, kept

    def _blocks(self, turn: Turn) -> list[dict[str, Any]]:
        """The blocks of a turn, results of tools first, as Anthropic demands; it takes no empty text."""
        parts = sorted(turn.parts, key=lambda part: not isinstance(part, ToolResult))
        kept = [part for part in parts if not (isinstance(part, Text) and not part.text)]
        return [block for part in kept if (block := self._block(part))]

    def _block(self, part: Part) -> dict[str, Any]:
        match part:
            case Text():
                return _marked({"type": "text", "text": part.text}, part.cache)
            case Refusal():
                return {"type": "text", "text": part.text}
            case Image():
                return _marked({"type": "image", "source": _source(part)}, part.cache)
            case Document():
                titled = {"title": part.title} if part.title else {}
                return _marked({"type": "document", "source": _source(part)} | titled, part.cache)
            case Thinking(maker="anthropic"):
                return {"type": "thinking", "thinking": part.text, "signature": part.seal}
            case Thinking(maker="anthropic_redacted"):
                return {"type": "redacted_thinking", "data": part.seal}
            case Thinking():
                self.dropped.note(self.request.name("thinking"))
                return {}
            case ToolCall():
                given = object_of(free_form.json_arguments(part), f"the arguments of tool call {part.id}")
                return {"type": "tool_use", "id": _id(part.id), "name": part.name, "input": given}
            case ToolResult():
                content = [self._block(inner) for inner in part.parts if not isinstance(inner, Text) or inner.text]
                failed = {"is_error": True} if part.is_error else {}
                return _marked(
                    {"type": "tool_result", "tool_use_id": _id(part.id), "content": content} | failed, part.cache
                )


def _source(part: Image | Document) -> dict[str, Any]:
    if part.url:
        return {"type": "url", "url": part.url}
    kind = "text" if part.media_type == "text/plain" else "base64"
    return {"type": kind, "media_type": part.media_type, "data": part.data}


def _id(identifier: str) -> str:
    """A tool call's id within Anthropic's alphabet; another one keeps apart by its checksum."""
    plain = _NOT_IN_AN_ID.sub("_", identifier)
    return plain if plain == identifier else f"{plain}_{zlib.crc32(identifier.encode()):08x}"
