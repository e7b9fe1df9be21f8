"""A request's meaning as a request to OpenAI's Responses API. Nothing is stored at OpenAI: `store` is false.

Source: openai 3.54, types/responses/response_create_params.py; read November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    ToolCall,
    ToolResult,
    Turn,
)
from offtake.gateway.translate.openai_chat.write_request import choice_word, own_fields, refuse_prefill, sampling
from offtake.gateway.translate.thinking import effort_of
from offtake.gateway.translate.wire import Wire

PATH = "/v1/responses"
_TTL = {"short": "30m", "long": "12h"}


def write_request(request: Request, wire: Wire, dropped: Dropped) -> dict[str, Any]:
    """The body to send. Raises BadRequest where the dialect cannot say what was asked."""
    refuse_prefill(request)
    if request.stop:
        name = request.name("stop")
        raise BadRequest(f"{name}: the responses dialect has no stop sequences", name)
    body: dict[str, Any] = {"model": request.model, "input": _Input(request, wire, dropped).written()}
    body |= {"store": False, "include": ["reasoning.encrypted_content"]}
    if request.stream:
        body["stream"] = True
    if request.output_tokens_max is not None:
        body["max_output_tokens"] = request.output_tokens_max
    body |= sampling(request, wire, dropped)
    reasoning: dict[str, Any] = {}
    if effort := effort_of(request, wire, dropped):
        reasoning["effort"] = effort
    if request.thinking_shown:
        reasoning["summary"] = "auto"
    if reasoning:
        body["reasoning"] = reasoning
    if text := _text(request):
        body["text"] = text
    _write_tools(request, body, dropped)
    return body | own_fields(request, wire, dropped, verbosity=False)


def _text(request: Request) -> dict[str, Any]:
    text: dict[str, Any] = {"verbosity": request.verbosity} if request.verbosity else {}
    if request.schema is not None:
        schema = request.schema
        form: dict[str, Any] = {"type": "json_schema", "name": schema.name or "answer", "schema": schema.schema}
        form |= {"description": schema.description} if schema.description else {}
        form |= {"strict": schema.strict} if schema.strict is not None else {}
        text["format"] = form
    elif request.json_object:
        text["format"] = {"type": "json_object"}
    return text


def _write_tools(request: Request, body: dict[str, Any], dropped: Dropped) -> None:
    if not request.tools:
        return
    body["tools"] = []
    for tool in request.tools:
        written: dict[str, Any] = {"type": "function", "name": tool.name}
        written["parameters"] = tool.schema or {"type": "object", "properties": {}}
        written["strict"] = tool.strict or False  # this dialect's own default is true
        written |= {"description": tool.description} if tool.description else {}
        body["tools"].append(written)
        if tool.cache:
            dropped.note("tools[].cache_control")
    if request.tool_choice is not None:
        choice = request.tool_choice
        named = {"type": "function", "name": choice.name}
        body["tool_choice"] = named if choice.mode == "tool" else choice_word(choice)
    if request.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = request.parallel_tool_calls


class _Input:
    """The list of items."""

    def __init__(self, request: Request, wire: Wire, dropped: Dropped) -> None:
        self.request, self.wire, self.dropped = request, wire, dropped
        self.items: list[dict[str, Any]] = []

    def written(self) -> list[dict[str, Any]]:
        """All items, the system's message first."""
        if self.request.cache_last:
            self.dropped.note("cache_control")
        if self.request.system:
            self._say("developer", self.request.system)
        for turn in self.request.turns:
            if turn.role == "assistant":
                self._assistant(turn)
            else:
                self._user(turn)
        return self.items

    def _say(self, role: str, parts: Sequence[Part]) -> None:
        content = [self._part(part, role) for part in parts]
        if content:
            self.items.append({"type": "message", "role": role, "content": content})

    def _user(self, turn: Turn) -> None:
        for part in turn.parts:
            if isinstance(part, ToolResult):
                self._result(part)
        rest = [part for part in turn.parts if not isinstance(part, ToolResult)]
        self._say("developer" if turn.role == "system" else "user", rest)

    def _result(self, result: ToolResult) -> None:
        if result.is_error:
            self.dropped.note("messages[].content[].is_error")
        if result.cache:
            self.dropped.note(self.request.name("cache"))
        texts = [part for part in result.parts if isinstance(part, Text) and not part.cache]
        plain = len(texts) == len(result.parts) <= 1
        output: Any = "".join(text.text for text in texts)
        if not plain:
            output = [self._part(part, "user") for part in result.parts]
        self.items.append({"type": "function_call_output", "call_id": result.id, "output": output})

    def _assistant(self, turn: Turn) -> None:
        said: list[Part] = []
        for part in turn.parts:
            match part:
                case Text() | Refusal():
                    said.append(part)
                    continue
                case ToolCall():
                    item: dict[str, Any] = {"call_id": part.id, "name": part.name, "arguments": part.arguments or "{}"}
                    item["type"] = "function_call"
                case Thinking(maker="openai"):
                    identifier, _, encrypted = part.seal.partition(":")
                    item = self._reasoning(part.text, identifier, encrypted)
                case _:
                    self.dropped.note(self.request.name("thinking"))
                    continue
            self._say("assistant", said)
            said = []
            self.items.append(item)
        self._say("assistant", said)

    def _reasoning(self, text: str, identifier: str, encrypted: str) -> dict[str, Any]:
        summary = [{"type": "summary_text", "text": text}] if text else []
        return {"type": "reasoning", "id": identifier, "summary": summary, "encrypted_content": encrypted}

    def _part(self, part: Part, role: str) -> dict[str, Any]:
        match part:
            case Text():
                kind = "output_text" if role == "assistant" else "input_text"
                written: dict[str, Any] = {"type": kind, "text": part.text}
            case Refusal():
                written = {"type": "refusal", "refusal": part.text}
            case Image():
                written = {"type": "input_image", "detail": "auto", "image_url": image_url(part)}
            case Document(url=url) if url:
                written = {"type": "input_file", "file_url": url}
            case Document():
                title = part.title or ("document.txt" if part.media_type == "text/plain" else "document.pdf")
                written = {"type": "input_file", "filename": title, "file_data": document_url(part)}
            case _:
                raise BadRequest(f"{self.request.name('turns')}: a part stands where the dialect has no place for it")
        cache = part.cache if isinstance(part, Text | Image | Document) else ""
        if cache and self.wire.cache_breakpoints and role != "assistant":
            written["prompt_cache_breakpoint"] = {"mode": "explicit", "ttl": _TTL[cache]}
        elif cache:
            self.dropped.note(self.request.name("cache"))
        return written
