"""Anthropic's prompt: tools, then system, then messages; and the rules of its cache marks and of its versions."""

from __future__ import annotations

from typing import Any

from offtake.sandbox.prompt import (
    ANTHROPIC_IMAGE_TOKENS,
    PAGE_TOKENS,
    REQUEST_TOKENS,
    TOOLS_TOKENS,
    Block,
    Prompt,
    compact,
    objects,
    pages_of,
)
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.tokens import tokens_of

VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
STRICT = "2026-10-21"
MARKS_MAX = 4
_SAMPLING = ("temperature", "top_p", "top_k")


def message_prompt(body: dict[str, Any], version: str) -> Prompt:
    """The prompt of a message. VendorError 400 for what this version of the API refuses."""
    if version == STRICT:
        for name in _SAMPLING:
            if name in body:
                raise VendorError.invalid(f"{name}: Extra inputs are not permitted")
    prompt = Prompt()
    prompt.overhead(REQUEST_TOKENS)
    tools = objects(body.get("tools"), "tools")
    if tools:
        prompt.overhead(TOOLS_TOKENS)
    for tool in tools:
        prompt.more(compact({name: value for name, value in tool.items() if name != "cache_control"}), _keep(tool))
    system = body.get("system")
    if isinstance(system, str):
        prompt.more(system)
    else:
        for part in objects(system, "system"):
            prompt.more(str(part.get("text", "")), _keep(part))
    messages = objects(body.get("messages"), "messages")
    if not messages:
        raise VendorError.invalid("messages: at least one message is required")
    for index, message in enumerate(messages):
        _message(prompt, message, f"messages.{index}", version)
    if isinstance(body.get("cache_control"), dict):
        _mark_last(prompt, _keep(body))
    _check_marks(prompt)
    return prompt


def _message(prompt: Prompt, message: dict[str, Any], path: str, version: str) -> None:
    role, content = message.get("role"), message.get("content")
    if role not in ("user", "assistant", "system"):
        raise VendorError.invalid(f"{path}.role: Input should be 'user' or 'assistant'")
    if isinstance(content, str):
        if not content:
            raise VendorError.invalid(f"{path}: {role} messages must have non-empty content")
        prompt.add(role, content)
    else:
        prompt.add(role, "")
        for number, part in enumerate(objects(content, f"{path}.content")):
            _part(prompt, part, role, f"{path}.content.{number}", version)
    prompt.end_message()


def _part(prompt: Prompt, part: dict[str, Any], role: str, path: str, version: str) -> None:
    kind, keep = str(part.get("type")), _keep(part)
    if version == STRICT and role == "assistant" and kind == "document":
        raise VendorError.invalid(f"{path}: document blocks are not permitted in assistant messages")
    if version == STRICT and role == "user" and kind == "text" and part.get("citations"):
        raise VendorError.invalid(f"{path}.citations: citations are not permitted on text blocks in user messages")
    match kind:
        case "text":
            prompt.more(str(part.get("text", "")), keep)
        case "image":
            prompt.thing(compact(part.get("source")), ANTHROPIC_IMAGE_TOKENS, keep)
        case "document":
            _document(prompt, part.get("source"), keep)
        case "tool_result":
            _tool_result(prompt, part, keep)
        case "thinking":
            prompt.more(str(part.get("thinking", "")), keep)
        case _:
            prompt.more(compact({name: value for name, value in part.items() if name != "cache_control"}), keep)


def _document(prompt: Prompt, source: object, keep: str) -> None:
    if isinstance(source, dict) and source.get("type") == "text":
        prompt.more(str(source.get("data", "")), keep)
        return
    data = str(source.get("data", "")) if isinstance(source, dict) else ""
    prompt.thing(compact(source), PAGE_TOKENS * pages_of(data), keep)


def _tool_result(prompt: Prompt, part: dict[str, Any], keep: str) -> None:
    prompt.more(str(part.get("tool_use_id", "")))
    content = part.get("content")
    if isinstance(content, str):
        prompt.more(content)
    for piece in objects(None if isinstance(content, str) else content, "content"):
        if piece.get("type") == "image":
            prompt.thing(compact(piece.get("source")), ANTHROPIC_IMAGE_TOKENS, _keep(piece))
        else:
            prompt.more(str(piece.get("text", "")), _keep(piece))
    if keep:
        _mark_last(prompt, keep)


def _keep(part: dict[str, Any]) -> str:
    control = part.get("cache_control")
    if not isinstance(control, dict):
        return ""
    keep = control.get("ttl") or "5m"
    if control.get("type") != "ephemeral" or keep not in ("5m", "1h"):
        raise VendorError.invalid("cache_control: Input should be {'type': 'ephemeral'} with a ttl of '5m' or '1h'")
    return str(keep)


def _mark_last(prompt: Prompt, keep: str) -> None:
    last = prompt.blocks[-1]
    prompt.blocks[-1] = Block(last.content, last.tokens, keep, last.ends_message)


def _check_marks(prompt: Prompt) -> None:
    marks = [block.keep for block in prompt.blocks if block.keep]
    if len(marks) > MARKS_MAX:
        raise VendorError.invalid(
            f"A maximum of {MARKS_MAX} blocks with cache_control may be provided. Found {len(marks)}."
        )
    if "1h" in marks[marks.index("5m") :] if "5m" in marks else False:
        raise VendorError.invalid(
            "cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block."
        )


def web_search_tokens(searches: int) -> int:
    """Tokens of the results that a search puts before the model."""
    return searches * tokens_of(b"x" * 2000)
