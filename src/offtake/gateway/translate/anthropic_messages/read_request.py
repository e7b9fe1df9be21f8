"""A request to Anthropic's Messages API, read into its meaning.

Source: anthropic 2.12, types/message_create_params.py and what it imports, API versions 2023-06-01 and 2026-10-21;
read November 2026.
"""

from __future__ import annotations

from typing import cast

from offtake.gateway.translate.data_urls import IMAGE_TYPES
from offtake.gateway.translate.fields import Dropped, Fields, decoded, encoded
from offtake.gateway.translate.meaning import (
    Cache,
    Document,
    Effort,
    Image,
    Part,
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
from offtake.gateway.translate.seals import opened
from offtake.gateway.translate.thinking import ANTHROPIC_EFFORTS

_CALLED = {
    "output_tokens_max": "max_tokens",
    "effort": "output_config.effort",
    "thinking": "messages[].content[].thinking",
    "schema": "output_config.format",
    "stop": "stop_sequences",
    "tier": "service_tier",
    "user": "metadata.user_id",
    "cache": "messages[].content[].cache_control",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "system_turns": "messages[].position",
    "turns": "messages",
}
_REFUSED = {
    "container": "containers run at Anthropic only",
    "mcp_servers": "Anthropic calls MCP servers, no vendor of another dialect does",
    "inference_geo": "the place of inference is Anthropic's to promise; route by a contract's region",
}


def read_request(body: bytes, dropped: Dropped) -> Request:
    """The request of a body. Raises BadRequest."""
    ask = Fields(decoded(body), "", dropped)
    for name, why in _REFUSED.items():
        if ask.take(name) not in (None, [], "global"):
            raise ask.refuse(name, why)
    request = Request(ask.needed_text("model"), _CALLED, wants_usage=True)
    request.stream = ask.flag("stream") or False
    request.output_tokens_max = ask.whole("max_tokens")
    if request.output_tokens_max is None:
        raise ask.refuse("max_tokens", "must be a whole number")
    request.temperature, request.top_p = ask.number("temperature"), ask.number("top_p")
    request.top_k = ask.whole("top_k")
    request.stop = ask.texts("stop_sequences")
    request.cache_last = _cache(ask)
    request.tier = "default" if ask.text("service_tier") == "standard_only" else ""
    if metadata := ask.inner("metadata"):
        request.user = metadata.text("user_id")
        metadata.drop_rest()
        if b'"cache_control"' in body:  # OpenAI's caches find a prefix again by a key, at no price
            request.cache_key = request.user
    request.system = _system(ask)
    for message in (messages := ask.items("messages")):
        role = message.needed_text("role")
        if role not in ("user", "assistant", "system"):
            raise message.refuse("role", "must be user, assistant or system")
        if role == "user":
            request.add_user_parts(_contents(message))
        else:
            request.turns.append(Turn(role, _contents(message)))  # type: ignore[arg-type]
        message.drop_rest()
    if not messages:
        raise ask.refuse("messages", "must hold at least one message")
    _read_thinking(ask, request)
    _read_tools(ask, request)
    ask.drop("speed", "standard")
    ask.drop_rest()
    return request


def _system(ask: Fields) -> list[Text]:
    if ask.is_text("system"):
        text = ask.text("system")
        return [Text(text)] if text else []
    return cast(list[Text], _blocks(ask, "system", ("text",)))


def _contents(message: Fields) -> list[Part]:
    if message.is_text("content"):
        return [Text(message.needed_text("content"))]
    return _blocks(message, "content", ())


def _blocks(owner: Fields, name: str, only: tuple[str, ...]) -> list[Part]:
    parts = []
    for block in owner.items(name):
        kind = block.needed_text("type")
        if only and kind not in only:
            raise block.refuse("type", f"must be {' or '.join(only)}")
        parts.append(_part(block, kind))
        block.drop_rest()
    return parts


def _part(block: Fields, kind: str) -> Part:
    match kind:
        case "text":
            block.drop("citations")
            return Text(block.needed_text("text"), _cache(block))
        case "image":
            return _image(block)
        case "document":
            return _document(block)
        case "thinking":
            return opened(block.needed_text("thinking"), block.text("signature"))
        case "redacted_thinking":
            return Thinking("", block.needed_text("data"), "anthropic_redacted")
        case "tool_use":
            block.take("caller")  # only a vendor's own tools are called by anything but the model
            block.drop("cache_control")
            arguments = encoded(block.mapping("input") or {}).decode()
            return ToolCall(block.needed_text("id"), block.needed_text("name"), arguments)
        case "tool_result":
            parts: list[Part] = []
            if block.is_text("content"):
                parts.append(Text(block.text("content")))
            else:
                parts += _blocks(block, "content", ("text", "image", "document"))
            failed = block.flag("is_error") or False
            return ToolResult(block.needed_text("tool_use_id"), parts, failed, _cache(block))
        case _:
            raise block.refuse("type", f"a {kind!r} block can only be sent to a vendor of Anthropic's dialect")


def _image(block: Fields) -> Image:
    source = block.needed_inner("source")
    cache = _cache(block)
    match source.needed_text("type"):
        case "base64":
            media_type = source.choice("media_type", IMAGE_TYPES)
            return Image(media_type, source.needed_text("data"), cache=cache)
        case "url":
            return Image(url=source.needed_text("url"), cache=cache)
        case _:
            raise source.refuse("type", "the file is kept at a vendor that was not chosen; send base64 or a URL")


def _document(block: Fields) -> Document:
    source = block.needed_inner("source")
    cache, title = _cache(block), block.text("title")
    if (citations := block.inner("citations")) and citations.flag("enabled"):
        raise block.refuse("citations", "only a vendor of Anthropic's dialect cites documents")
    match source.needed_text("type"):
        case "base64":
            media_type = source.choice("media_type", ("application/pdf",))
            return Document(media_type, source.needed_text("data"), title=title, cache=cache)
        case "text":
            return Document("text/plain", source.needed_text("data"), title=title, cache=cache)
        case "url":
            return Document(url=source.needed_text("url"), title=title, cache=cache)
        case "content":
            raise source.refuse("type", "send the content's blocks themselves")
        case _:
            raise source.refuse("type", "the file is kept at a vendor that was not chosen; send base64")


def _cache(owner: Fields) -> Cache:
    if mark := owner.inner("cache_control"):
        mark.take("type")
        return "long" if mark.text("ttl") == "1h" else "short"
    return ""


def _read_thinking(ask: Fields, request: Request) -> None:
    if thinking := ask.inner("thinking"):
        match thinking.needed_text("type"):
            case "enabled":
                request.thinking = "budget"
                request.thinking_tokens_max = thinking.whole("budget_tokens") or 0
            case "adaptive" | "between_tools":
                request.thinking = "adaptive"
            case "disabled":
                request.thinking = "off"
            case _:
                raise thinking.refuse("type", "must be enabled, adaptive, between_tools or disabled")
        shown = thinking.text("display")
        request.thinking_shown = {"summarized": True, "omitted": False}.get(shown)
        thinking.drop_rest()
    form = ask.inner("output_format")  # the older place of output_config.format
    if config := ask.inner("output_config"):
        request.effort = cast(Effort, config.choice("effort", ANTHROPIC_EFFORTS))
        form = config.inner("format") or form
        config.drop_rest()
    if form is not None:
        form.choice("type", ("json_schema",))
        request.schema = Schema(form.mapping("schema") or {}, strict=True)
        form.drop_rest()


def _read_tools(ask: Fields, request: Request) -> None:
    for item in ask.items("tools"):
        if (kind := item.text("type") or "custom") != "custom":
            raise item.refuse("type", f"{kind!r} is a tool of Anthropic's own; send it to a vendor of its dialect")
        request.tools.append(
            Tool(
                item.needed_text("name"),
                item.text("description"),
                item.mapping("input_schema") or {},
                item.flag("strict"),
                _cache(item),
            )
        )
        item.drop("eager_input_streaming")
        item.drop_rest()
    choice = ask.inner("tool_choice")
    if choice is None:
        return
    match choice.needed_text("type"):
        case "auto" | "any" | "none" as mode:
            request.tool_choice = ToolChoice(mode)
        case "tool":
            request.tool_choice = ToolChoice("tool", choice.needed_text("name"))
        case _:
            raise choice.refuse("type", "must be auto, any, tool or none")
    if (alone := choice.flag("disable_parallel_tool_use")) is not None:
        request.parallel_tool_calls = not alone
    choice.drop_rest()
