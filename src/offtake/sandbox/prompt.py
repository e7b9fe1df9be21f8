"""A prompt as a vendor's cache sees it: blocks in the order in which they stand before the model.

A block is a message's part, a tool's definition or a system text: its bytes, its tokens, and how long its sender wants
the prefix that ends with it kept. Overheads: 3 tokens a message, 3 a request, and 346 for any tools on Anthropic's
wire, which is what that vendor adds for them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from offtake.sandbox.refusals import VendorError
from offtake.sandbox.tokens import tokens_of

MESSAGE_TOKENS = 3
REQUEST_TOKENS = 3
TOOLS_TOKENS = 346
ANTHROPIC_IMAGE_TOKENS = 1568
OPENAI_IMAGE_TOKENS = {"low": 85}
OPENAI_IMAGE_TOKENS_OTHERWISE = 765
PAGE_TOKENS = 1500


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a prompt. `keep`: "" | 5m | 1h | 30m | 12h, where its sender marks the end of a prefix."""

    content: bytes
    tokens: int
    keep: str = ""
    ends_message: bool = False


@dataclass(slots=True)
class Prompt:
    """Blocks, first to last."""

    blocks: list[Block] = field(default_factory=list)

    def add(self, role: str, text: str, keep: str = "") -> None:
        """A text that begins a message of this role."""
        content = role[:8].ljust(8).encode() + text.encode()
        self.blocks.append(Block(content, MESSAGE_TOKENS + tokens_of(content[8:]), keep))

    def more(self, text: str, keep: str = "") -> None:
        """A text that goes on in the message, or stands beside the messages."""
        content = text.encode()
        if content:
            self.blocks.append(Block(content, tokens_of(content), keep))

    def thing(self, content: str, tokens: int, keep: str = "") -> None:
        """An image or a document: some bytes that count as a fixed number of tokens."""
        self.blocks.append(Block(hashlib.sha256(content.encode()).digest(), tokens, keep))

    def overhead(self, tokens: int) -> None:
        """Tokens that the vendor adds."""
        self.blocks.append(Block(b"+", tokens))

    def end_message(self) -> None:
        """The last block is the end of a message."""
        if self.blocks:
            last = self.blocks[-1]
            self.blocks[-1] = Block(last.content, last.tokens, last.keep, ends_message=True)

    @property
    def tokens(self) -> int:
        """All tokens of it."""
        return sum(block.tokens for block in self.blocks)


def compact(value: object) -> str:
    """JSON as a prompt carries it: the keys in their order, no spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def objects(value: object, name: str) -> list[dict[str, Any]]:
    """A list of JSON objects, or a 400."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise VendorError.invalid(f"{name}: Input should be a list of objects", param=name)
    return value


def texts(value: object, name: str) -> tuple[str, ...]:
    """A list of texts, or a 400."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise VendorError.invalid(f"{name}: Input should be a list of texts", param=name)
    return tuple(value)


def pages_of(data: str) -> int:
    """Pages of a document by its size: one for each 4,096 characters of base64 that have begun."""
    return max(1, -(-len(data) // 4096))


def chat_prompt(body: dict[str, Any]) -> Prompt:
    """The prompt of a chat completion: tools, then messages."""
    prompt = Prompt()
    prompt.overhead(REQUEST_TOKENS)
    for tool in [*objects(body.get("tools"), "tools"), *objects(body.get("functions"), "functions")]:
        prompt.more(compact(tool))
    if schema := _object(body.get("response_format")).get("json_schema"):
        prompt.more(compact(schema))
    messages = objects(body.get("messages"), "messages")
    if not messages:
        raise VendorError.invalid("Invalid 'messages': empty array. Expected at least 1 message.", param="messages")
    for message in messages:
        _chat_message(prompt, message)
    return prompt


def _chat_message(prompt: Prompt, message: dict[str, Any]) -> None:
    role = message.get("role")
    if role not in ("system", "developer", "user", "assistant", "tool", "function"):
        raise VendorError.invalid(f"Invalid value: {role!r}. Supported values are: 'system', 'developer', "
                                  "'assistant', 'user', 'function' and 'tool'.", param="messages.role")  # fmt: skip
    content = message.get("content")
    if content is not None and not isinstance(content, str | list):
        raise VendorError.invalid("Invalid type for 'messages.content': expected a string or an array of objects",
                                  param="messages.content")  # fmt: skip
    prompt.add(role, content if isinstance(content, str) else "")
    if isinstance(content, list):
        openai_parts(prompt, objects(content, "messages.content"))
    for call in objects(message.get("tool_calls"), "messages.tool_calls"):
        function = _object(call.get("function"))
        prompt.more(f"{function.get('name')}{function.get('arguments')}")
    prompt.end_message()


def openai_parts(prompt: Prompt, parts: list[dict[str, Any]]) -> None:
    """The parts of a message, of either OpenAI API."""
    for part in parts:
        kind = str(part.get("type"))
        keep = "30m" if part.get("prompt_cache_breakpoint") else ""
        if kind in ("text", "input_text", "output_text", "refusal", "summary_text", "reasoning_text"):
            prompt.more(str(part.get("text") or part.get("refusal") or ""), keep)
        elif kind in ("image_url", "input_image"):
            image = part.get("image_url")
            detail = str((image.get("detail") if isinstance(image, dict) else part.get("detail")) or "auto")
            prompt.thing(compact(image), OPENAI_IMAGE_TOKENS.get(detail, OPENAI_IMAGE_TOKENS_OTHERWISE), keep)
        elif kind in ("file", "input_file"):
            file = _object(part.get("file")) or part
            data = str(file.get("file_data") or file.get("file_id") or file.get("file_url"))
            prompt.thing(data, PAGE_TOKENS * pages_of(data), keep)
        else:
            raise VendorError.invalid(f"Invalid value: {kind!r} is no part that the sandbox knows", param="messages")


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
