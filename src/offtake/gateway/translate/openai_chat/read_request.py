"""A chat completions request, read into its meaning.

Source: openai 3.54, types/chat/completion_create_params.py and what it imports; read November 2026.
"""

from __future__ import annotations

from typing import Any, cast, get_args

from offtake.gateway.translate.data_urls import document_of, image_of
from offtake.gateway.translate.fields import BadRequest, Dropped, Fields, decoded
from offtake.gateway.translate.meaning import (
    Cache,
    Effort,
    Part,
    Refusal,
    Request,
    Schema,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)

_CALLED = {
    "output_tokens_max": "max_completion_tokens",
    "effort": "reasoning_effort",
    "schema": "response_format",
    "json_object": "response_format",
    "tier": "service_tier",
    "user": "safety_identifier",
    "cache_key": "prompt_cache_key",
    "cache": "messages[].content[].prompt_cache_breakpoint",
    "system_turns": "messages[].position",
    "turns": "messages",
}
# What changes the answer's shape or meaning, and no other dialect can say.
_REFUSED = {
    "audio": "only a vendor of the chat dialect gives audio",
    "functions": "use tools",
    "function_call": "use tool_choice",
    "logit_bias": "only a vendor of the chat dialect takes it",
    "logprobs": "only a vendor of the chat dialect gives log probabilities",
    "top_logprobs": "only a vendor of the chat dialect gives log probabilities",
    "moderation": "only OpenAI moderates so",
    "web_search_options": "the search runs at a vendor of the chat dialect only",
}


def read_request(body: bytes, dropped: Dropped) -> Request:
    """The request of a body. Raises BadRequest."""
    ask = Fields(decoded(body), "", dropped)
    for name, why in _REFUSED.items():
        if ask.take(name) not in (None, False, 0, {}, []):
            raise ask.refuse(name, why)
    if (ask.whole("n") or 1) != 1:
        raise ask.refuse("n", "only a vendor of the chat dialect gives several choices; ask once for each")
    if "audio" in ask.texts("modalities"):
        raise ask.refuse("modalities", _REFUSED["audio"])
    request = Request(ask.needed_text("model"), dict(_CALLED))
    request.stream = ask.flag("stream") or False
    if options := ask.inner("stream_options"):
        request.wants_usage = options.flag("include_usage") or False
        options.take("include_obfuscation")  # padding that no other dialect sends
    _read_limits(ask, request)
    for message in (messages := ask.items("messages")):
        _read_message(message, request)
    if not messages:
        raise ask.refuse("messages", "must hold at least one message")
    _read_tools(ask, request)
    _read_format(ask, request)
    ask.drop("store")
    ask.drop("metadata")
    ask.drop_rest()
    return request


def _read_limits(ask: Fields, request: Request) -> None:
    named = "max_completion_tokens" if ask.holds("max_completion_tokens") else "max_tokens"
    request.output_tokens_max = ask.whole(named)
    request.called = {**request.called, "output_tokens_max": named}
    ask.take("max_tokens")  # the older name of the same
    request.temperature, request.top_p = ask.number("temperature"), ask.number("top_p")
    request.stop = [ask.needed_text("stop")] if ask.is_text("stop") else ask.texts("stop")
    request.effort = cast(Effort, ask.choice("reasoning_effort", get_args(Effort)))
    request.verbosity = ask.text("verbosity")
    request.tier = ask.text("service_tier")
    request.cache_key = ask.text("prompt_cache_key")
    request.user = ask.text("safety_identifier")
    if older := ask.text("user"):
        request.user = request.user or older
        request.called = {**request.called, "user": "user"}


def _read_message(message: Fields, request: Request) -> None:
    match message.needed_text("role"):
        case "system" | "developer":
            texts = _contents(message)
            if not all(isinstance(text, Text) for text in texts):
                raise message.refuse("content", "must be text")
            if not request.turns:
                request.system += cast(list[Text], texts)
            else:
                request.turns.append(Turn("system", texts))
        case "user":
            request.add_user_parts(_contents(message))
        case "assistant":
            request.turns.append(Turn("assistant", _said(message)))
        case "tool":
            request.add_user_parts([ToolResult(message.needed_text("tool_call_id"), _contents(message))])
        case "function":
            raise message.refuse("role", "use role tool")
        case _:
            raise message.refuse("role", "must be system, developer, user, assistant or tool")
    message.drop_rest()


def _said(message: Fields) -> list[Part]:
    for name in ("audio", "function_call"):
        if message.holds(name):
            raise message.refuse(name, "only a vendor of the chat dialect takes it")
    parts: list[Part] = []
    if thought := message.text("reasoning_content"):
        parts.append(Thinking(thought))
    parts += [part for part in _contents(message) if not isinstance(part, Text) or part.text]
    if refusal := message.text("refusal"):
        parts.append(Refusal(refusal))
    for call in message.items("tool_calls"):
        if (call.text("type") or "function") != "function":
            raise call.refuse("type", "only function tools can be translated")
        function = call.needed_inner("function")
        parts.append(ToolCall(call.needed_text("id"), function.needed_text("name"), function.text("arguments")))
        function.drop_rest()
        call.take("index")
        call.drop_rest()
    return parts


def _contents(message: Fields) -> list[Part]:
    if message.is_text("content"):
        return [Text(message.needed_text("content"))]
    parts = []
    for item in message.items("content"):
        parts.append(_part(item))
        item.drop_rest()
    return parts


def _part(item: Fields) -> Part:
    kind = item.needed_text("type")
    cache = _cache(item)
    match kind:
        case "text":
            return Text(item.needed_text("text"), cache)
        case "refusal":
            return Refusal(item.needed_text("refusal"))
        case "image_url":
            image = item.needed_inner("image_url")
            image.drop("detail", "auto")
            return image_of(image.needed_text("url"), image.where("url"), cache)
        case "file":
            file = item.needed_inner("file")
            if file.holds("file_id"):
                raise file.refuse("file_id", "the file is kept at a vendor that was not chosen; send file_data")
            title = file.text("filename")
            return document_of(file.needed_text("file_data"), title, file.where("file_data"), cache)
        case _:
            raise item.refuse("type", f"a part {kind!r} can only be sent to a vendor of the chat dialect")


def _cache(item: Fields) -> Cache:
    if mark := item.inner("prompt_cache_breakpoint"):
        mark.take("mode")
        return "long" if mark.text("ttl") == "12h" else "short"
    return ""


def _read_tools(ask: Fields, request: Request) -> None:
    for item in ask.items("tools"):
        if item.needed_text("type") != "function":
            raise item.refuse("type", "only function tools can be translated")
        function = item.needed_inner("function")
        request.tools.append(
            Tool(
                function.needed_text("name"),
                function.text("description"),
                function.mapping("parameters") or {},
                function.flag("strict"),
            )
        )
        function.drop_rest()
        item.drop_rest()
    request.parallel_tool_calls = ask.flag("parallel_tool_calls")
    if ask.is_text("tool_choice"):
        request.tool_choice = read_mode(ask, "tool_choice", ask.choice("tool_choice", ("none", "auto", "required")))
    elif choice := ask.inner("tool_choice"):
        match choice.needed_text("type"):
            case "function":
                request.tool_choice = ToolChoice("tool", choice.needed_inner("function").needed_text("name"))
            case "allowed_tools":
                allowed = choice.needed_inner("allowed_tools")
                names = [tool.needed_inner("function").needed_text("name") for tool in allowed.items("tools")]
                keep_allowed(request, names, allowed)
            case _:
                raise choice.refuse("type", "only function tools can be translated")


def read_mode(ask: Fields, name: str, mode: str) -> ToolChoice:
    """OpenAI's none, auto and required."""
    match mode:
        case "none" | "auto":
            return ToolChoice(mode)
        case "required":
            return ToolChoice("any")
        case _:
            raise ask.refuse(name, "must be none, auto or required")


def keep_allowed(request: Request, names: list[str], allowed: Fields) -> None:
    """OpenAI's allowed_tools: the same request with only those tools."""
    request.tools = [tool for tool in request.tools if tool.name in names]
    request.tool_choice = read_mode(allowed, "mode", allowed.choice("mode", ("auto", "required")))


def _read_format(ask: Fields, request: Request) -> None:
    form = ask.inner("response_format")
    if form is None:
        return
    match form.needed_text("type"):
        case "text":
            pass
        case "json_object":
            request.json_object = True
        case "json_schema":
            request.schema = read_schema(form.needed_inner("json_schema"))
        case _:
            raise form.refuse("type", "must be text, json_object or json_schema")
    form.drop_rest()


def read_schema(form: Fields) -> Schema:
    """OpenAI's named schema."""
    schema: dict[str, Any] | None = form.mapping("schema")
    if schema is None:
        raise BadRequest(f"{form.where('schema')} must be an object", form.where("schema"))
    return Schema(schema, form.text("name"), form.text("description"), form.flag("strict"))
