"""A request to OpenAI's Responses API, read into its meaning.

Whatever lives at OpenAI (earlier responses, conversations, prompts, files, background work, its own tools) is refused:
the vendor that was chosen does not have it.

Source: openai 3.54, types/responses/response_create_params.py and what it imports; read November 2026.
"""

from __future__ import annotations

from typing import Any, cast, get_args

from offtake.gateway.translate.data_urls import document_of, image_of
from offtake.gateway.translate.fields import Dropped, Fields, decoded
from offtake.gateway.translate.meaning import (
    Cache,
    Document,
    Effort,
    Part,
    Refusal,
    Request,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from offtake.gateway.translate.openai_chat.read_request import keep_allowed, read_mode, read_schema
from offtake.gateway.translate.seals import opened

_CALLED = {
    "output_tokens_max": "max_output_tokens",
    "effort": "reasoning.effort",
    "thinking": "input[].reasoning",
    "schema": "text.format",
    "json_object": "text.format",
    "verbosity": "text.verbosity",
    "tier": "service_tier",
    "user": "safety_identifier",
    "cache_key": "prompt_cache_key",
    "cache": "input[].content[].prompt_cache_breakpoint",
    "system_turns": "input[].position",
    "turns": "input",
}
_KEPT_AT_OPENAI = "it is kept at OpenAI; send the whole input, or route to a vendor of the responses dialect"
_REFUSED = {
    "previous_response_id": _KEPT_AT_OPENAI,
    "conversation": _KEPT_AT_OPENAI,
    "prompt": _KEPT_AT_OPENAI,
    "background": "only a vendor of the responses dialect works in the background",
    "moderation": "only OpenAI moderates so",
    "top_logprobs": "only a vendor of OpenAI's dialects gives log probabilities",
}
# Fields that a response repeats.
_ECHOED = (
    "instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "temperature", "top_p", "tool_choice",
    "tools", "reasoning", "text", "truncation", "prompt_cache_key", "safety_identifier", "user", "max_tool_calls",
)  # fmt: skip
_DETAIL = "auto"


def read_request(body: bytes, dropped: Dropped) -> Request:
    """The request of a body. Raises BadRequest."""
    value = decoded(body)
    ask = Fields(value, "", dropped)
    for name, why in _REFUSED.items():
        if ask.take(name) not in (None, False, 0):
            raise ask.refuse(name, why)
    request = Request(ask.needed_text("model"), dict(_CALLED), wants_usage=True)
    request.echo = {name: value[name] for name in _ECHOED if value.get(name) is not None}
    request.stream = ask.flag("stream") or False
    request.output_tokens_max = ask.whole("max_output_tokens")
    request.temperature, request.top_p = ask.number("temperature"), ask.number("top_p")
    request.tier, request.cache_key = ask.text("service_tier"), ask.text("prompt_cache_key")
    request.user = ask.text("safety_identifier")
    if older := ask.text("user"):
        request.user = request.user or older
        request.called = {**request.called, "user": "user"}
    if instructions := ask.text("instructions"):
        request.system.append(Text(instructions))
    _read_input(ask, request, dropped)
    _read_tools(ask, request)
    _read_output(ask, request)
    ask.drop("store")
    ask.drop("metadata")
    ask.drop("truncation", "disabled")
    ask.take("stream_options")  # only padding
    if set(ask.texts("include")) - {"reasoning.encrypted_content"}:
        dropped.note("include")
    ask.drop_rest()
    return request


def _read_input(ask: Fields, request: Request, dropped: Dropped) -> None:
    if ask.is_text("input"):
        request.turns.append(Turn("user", [Text(ask.needed_text("input"))]))
        return
    for item in (items := ask.items("input")):
        _read_item(item, request)
        item.drop_rest()
    if not items:
        raise ask.refuse("input", "must hold text or at least one item")


def _read_item(item: Fields, request: Request) -> None:
    kind = item.text("type") or "message"
    item.take("status")
    if kind != "item_reference":
        item.take("id")
    match kind:
        case "message":
            _read_message(item, request)
        case "function_call" | "custom_tool_call":
            free = kind == "custom_tool_call"
            arguments = item.needed_text("input" if free else "arguments")
            name = called(item.needed_text("name"), item.text("namespace"))
            _add_said(request, [ToolCall(item.needed_text("call_id"), name, arguments, free)])
        case "function_call_output" | "custom_tool_call_output":
            parts: list[Part] = (
                [Text(item.text("output"))]
                if item.is_text("output")
                else [_part(part) for part in item.items("output")]
            )
            item.take("name")  # known from the call
            item.take("namespace")
            request.add_user_parts(
                [ToolResult(item.needed_text("call_id"), parts, free_form=kind.startswith("custom"))]
            )
        case "reasoning":
            text = "\n\n".join(part.text("text") for part in item.items("summary"))
            item.drop("content")
            _add_said(request, [opened(text, item.text("encrypted_content"), "openai")])
        case "item_reference":
            raise item.refuse("id", _KEPT_AT_OPENAI)
        case _:
            raise item.refuse("type", f"a {kind!r} item can only be sent to a vendor of the responses dialect")


def _read_message(item: Fields, request: Request) -> None:
    role = item.needed_text("role")
    if item.is_text("content"):
        parts: list[Part] = [Text(item.text("content"))]
    else:
        parts = [_part(part) for part in item.items("content")]
    item.take("phase")
    match role:
        case "system" | "developer":
            if not all(isinstance(part, Text) for part in parts):
                raise item.refuse("content", "must be text")
            if request.turns:
                request.turns.append(Turn("system", parts))
            else:
                request.system += cast(list[Text], parts)
        case "user":
            request.add_user_parts(parts)
        case "assistant":
            _add_said(request, parts)
        case _:
            raise item.refuse("role", "must be system, developer, user or assistant")


def _add_said(request: Request, parts: list[Part]) -> None:
    """What the assistant said, thought and called in a row is one turn."""
    if request.turns and request.turns[-1].role == "assistant":
        request.turns[-1].parts += parts
    else:
        request.turns.append(Turn("assistant", parts))


def _part(part: Fields) -> Part:
    kind = part.needed_text("type")
    cache: Cache = ""
    if mark := part.inner("prompt_cache_breakpoint"):
        cache = "long" if mark.text("ttl") == "12h" else "short"
    match kind:
        case "input_text" | "output_text" | "text":
            part.drop("annotations")
            part.drop("logprobs")
            found: Part = Text(part.needed_text("text"), cache)
        case "refusal":
            found = Refusal(part.needed_text("refusal"))
        case "input_image":
            if part.holds("file_id"):
                raise part.refuse("file_id", _KEPT_AT_OPENAI)
            part.drop("detail", _DETAIL)
            found = image_of(part.needed_text("image_url"), part.where("image_url"), cache)
        case "input_file":
            found = _file(part, cache)
        case _:
            raise part.refuse("type", f"a part {kind!r} can only be sent to a vendor of the responses dialect")
    part.drop_rest()
    return found


def _file(part: Fields, cache: Cache) -> Document:
    if part.holds("file_id"):
        raise part.refuse("file_id", _KEPT_AT_OPENAI)
    part.drop("detail", _DETAIL)
    title = part.text("filename")
    if url := part.text("file_url"):
        return Document(url=url, title=title, cache=cache)
    return document_of(part.needed_text("file_data"), title, part.where("file_data"), cache)


def _read_tools(ask: Fields, request: Request) -> None:
    for item in ask.items("tools"):
        if (kind := item.needed_text("type")) == "namespace":
            namespace = item.needed_text("name")
            for inner in item.items("tools"):
                request.tools.append(_tool(inner, inner.needed_text("type"), namespace))
        else:
            request.tools.append(_tool(item, kind, ""))
        item.drop_rest()
    request.parallel_tool_calls = ask.flag("parallel_tool_calls")
    if ask.is_text("tool_choice"):
        request.tool_choice = read_mode(ask, "tool_choice", ask.choice("tool_choice", ("none", "auto", "required")))
    elif choice := ask.inner("tool_choice"):
        match choice.needed_text("type"):
            case "function" | "custom":
                request.tool_choice = ToolChoice("tool", choice.needed_text("name"))
            case "allowed_tools":
                keep_allowed(request, [tool.needed_text("name") for tool in choice.items("tools")], choice)
            case _:
                raise choice.refuse("type", "only function and custom tools can be translated")


def _tool(item: Fields, kind: str, namespace: str) -> Tool:
    if kind not in ("function", "custom"):
        raise item.refuse("type", f"{kind!r} runs at OpenAI; leave it out, or route to a vendor of this dialect")
    tool = Tool(called(item.needed_text("name"), namespace), item.text("description"), namespace=namespace)
    if kind == "custom":
        tool.free_form = True
        item.drop("format", {"type": "text"})
    else:
        tool.schema, tool.strict = item.mapping("parameters") or {}, item.flag("strict")
    item.drop_rest()
    return tool


def called(name: str, namespace: str) -> str:
    """The name by which a vendor without namespaces knows a tool."""
    return f"{namespace}__{name}" if namespace else name


def _read_output(ask: Fields, request: Request) -> None:
    if reasoning := ask.inner("reasoning"):
        request.effort = cast(Effort, reasoning.choice("effort", get_args(Effort)))
        if reasoning.text("summary") or reasoning.text("generate_summary"):
            request.thinking_shown = True
        reasoning.drop("context", "auto")
        reasoning.drop("mode", "standard")
        reasoning.drop_rest()
    if text := ask.inner("text"):
        request.verbosity = text.text("verbosity")
        if form := text.inner("format"):
            _read_format(form, request)
        text.drop_rest()


def _read_format(form: Fields, request: Request) -> None:
    kind: Any = form.needed_text("type")
    if kind == "json_schema":
        request.schema = read_schema(form)
    elif kind == "json_object":
        request.json_object = True
    elif kind != "text":
        raise form.refuse("type", "must be text, json_object or json_schema")
    form.drop_rest()
