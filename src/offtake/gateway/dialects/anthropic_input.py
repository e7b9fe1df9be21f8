"""What a request to Anthropic's Messages API may cost beside its text: blocks, tools, cache marks, further models.

Sources: anthropic 2.12 (types/beta/message_create_params.py and the block and tool params beside it), Anthropic's pages
"Tool use" and "PDF support"; read November 2026. A block or tool that is not listed here is one whose cost we do not
know, and then the request bounds nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec
from msgspec import Raw

from offtake.gateway.ask import UNLIMITED, Fields
from offtake.gateway.dialects import asked, bound
from offtake.gateway.dialects.document import decoded

_TEXT_BLOCKS = frozenset({
    "text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "mcp_tool_use", "web_search_tool_result",
    "code_execution_tool_result", "bash_code_execution_tool_result", "text_editor_code_execution_tool_result",
    "tool_search_tool_result", "tool_reference", "advisor_tool_result", "compaction", "fallback",
})  # fmt: skip
_HOLDING_BLOCKS = frozenset({"tool_result", "mcp_tool_result", "search_result"})  # with blocks inside
# What the model is told of Anthropic's own client tools, beside their few bytes in the request (bash 245 tokens, text
# editor 700, computer use 735), rounded up.
_TOOL_TOKENS = 1_024
_CLIENT_TOOL = re.compile(r"(?:bash|text_editor|computer|memory)_\d{8}").fullmatch
_INSTRUCTED = frozenset({"tools", "output_config", "output_format", "compaction"})
_SEARCH = re.compile(r"web_(?:search|fetch)_\d{8}").fullmatch
_FURTHER = frozenset({"tools", "mcp_servers", "context_management", "thread", "fallbacks"})
_COMPACTION = b"compact"


class _CacheMark(msgspec.Struct):
    ttl: str | None = None


class _Result(msgspec.Struct):
    """What a server tool gave back, when it is no list: text in any shape."""


class _Source(msgspec.Struct):
    type: str = ""
    data: Raw = Raw(b"")
    content: str | list[_Block] | None = None


class _Block(msgspec.Struct):
    type: str = ""
    source: str | _Source | None = None  # of a search result: an address
    content: str | list[_Block] | _Result | None = None
    cache_control: Raw = Raw(b"null")


class _Message(msgspec.Struct):
    content: str | list[_Block] | None = None


class _Fallback(msgspec.Struct):
    model: str = ""
    max_tokens: int | None = None


class _Conversation(msgspec.Struct):
    type: str = ""


_MESSAGES = msgspec.json.Decoder(list[_Message]).decode
_SYSTEM = msgspec.json.Decoder(str | list[_Block] | None).decode
_CACHE_MARK = msgspec.json.Decoder(_CacheMark | None).decode
_FALLBACKS = msgspec.json.Decoder(list[_Fallback] | str | None).decode
_THREAD = msgspec.json.Decoder(_Conversation | None).decode


@dataclass(slots=True)
class Extent:
    """How far a request may go beside its own text: content, further turns, further models, their output."""

    content: bound.Content
    overhead: int
    turns: int = 0
    models: tuple[str, ...] = ()
    fallback_output_max: int = 0


def is_search(type: str) -> bool:
    """Whether a tool is one of Anthropic's whose calls `max_uses` limits."""
    return _SEARCH(type) is not None


def extent_of(fields: Fields) -> Extent:
    """All of it, read from the request's members."""
    content = bound.Content()
    extent = Extent(content, bound.overhead_of(fields, _INSTRUCTED))
    if "cache_control" in fields:
        mark(fields["cache_control"], content)
    if "system" in fields:
        _blocks(decoded(_SYSTEM, fields["system"], "system"), content)
    for message in decoded(_MESSAGES, asked.required(fields, "messages"), "messages"):
        _blocks(message.content, content)
    if not _FURTHER.isdisjoint(fields):
        _further(fields, extent)
    return extent


def _further(fields: Fields, extent: Extent) -> None:
    """What lets a request go beyond what it holds: tools, servers, summaries, threads, other models."""
    for tool in asked.tools_of(fields):
        _tool(tool, extent)
    if "mcp_servers" in fields and bytes(fields["mcp_servers"]) not in (b"null", b"[]"):
        extent.turns = UNLIMITED
    if _COMPACTION in bytes(fields.get("context_management", b"")):
        extent.turns += 1
    thread = decoded(_THREAD, fields["thread"], "thread") if "thread" in fields else None
    extent.content.known &= thread is None or thread.type == "create"
    _fallbacks(fields, extent)
    extent.turns = min(extent.turns, UNLIMITED)
    extent.content.known &= not extent.turns


def _blocks(blocks: str | list[_Block] | _Result | None, content: bound.Content) -> None:
    """Look at content: a text, which its bytes bound, or blocks."""
    for block in blocks if isinstance(blocks, list) else ():
        if len(block.cache_control) > len("null"):
            mark(block.cache_control, content)
        if block.type in _TEXT_BLOCKS:
            continue
        if block.type in _HOLDING_BLOCKS:
            _blocks(block.content, content)
        elif block.type in ("image", "document"):
            _source(block.type, block.source, content)
        else:
            content.known = False


def _source(kind: str, source: str | _Source | None, content: bound.Content) -> None:
    if not isinstance(source, _Source):
        content.known = False
        return
    match kind, source.type:
        case "image", _:  # inline, by address or by a file's id: its pixels are bounded all the same
            content.image(bound.ANTHROPIC_IMAGE, len(source.data) if source.type == "base64" else 0)
        case "document", "text":
            pass
        case "document", "content":
            _blocks(source.content, content)
        case _:
            content.known = False


def mark(raw: Raw, content: bound.Content) -> None:
    """A cache mark: what stands before it may be written, for five minutes where it does not say an hour."""
    if bytes(raw) == b"null":
        return
    cache = decoded(_CACHE_MARK, raw, "cache_control")
    if cache is not None and cache.ttl not in (None, "5m"):
        content.cache_long = True
    else:
        content.cache_short = True


def _tool(tool: asked.Typed, extent: Extent) -> None:
    if len(tool.cache_control):
        mark(tool.cache_control, extent.content)
    if tool.type in ("", "custom"):
        return
    if _CLIENT_TOOL(tool.type):
        extent.overhead += _TOOL_TOKENS
        return
    extent.turns += UNLIMITED if tool.max_uses is None else tool.max_uses
    if tool.model:
        extent.models += (tool.model,)


def _fallbacks(fields: Fields, extent: Extent) -> None:
    """Models that answer where the first declines: each a turn of its own, at its own price."""
    chain = decoded(_FALLBACKS, fields["fallbacks"], "fallbacks") if "fallbacks" in fields else None
    if isinstance(chain, str):
        extent.turns, extent.models = UNLIMITED, (*extent.models, chain)
    for fallback in chain if isinstance(chain, list) else ():
        extent.turns += 1
        extent.models += (fallback.model,)
        extent.fallback_output_max = max(extent.fallback_output_max, fallback.max_tokens or 0)
