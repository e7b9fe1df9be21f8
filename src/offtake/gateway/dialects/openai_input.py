"""Input that OpenAI's chat and Responses dialects share: images, and how long a cache keeps what is written to it."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from offtake.gateway.ask import Fields
from offtake.gateway.dialects.bound import Content, openai_image_tokens
from offtake.gateway.dialects.document import decoded


class _Image(msgspec.Struct):
    url: Raw = Raw(b"")
    detail: str | None = None


class _Cache(msgspec.Struct):
    ttl: str | None = None


_IMAGE = msgspec.json.Decoder(_Image).decode
_CACHE = msgspec.json.Decoder(_Cache | None).decode


def look_at_image(image_url: Raw, detail: str | None, content: Content) -> None:
    """An image by its address: `{"url": …, "detail": …}`, or the address alone as Responses and Mistral take it."""
    image = decoded(_IMAGE, image_url, "image_url") if begins(image_url, b"{") else _Image(image_url, detail)
    inline = len(image.url) if begins(image.url, b'"data:') else 0
    content.image(openai_image_tokens(image.detail or ""), inline)


def begins(raw: Raw, prefix: bytes) -> bool:
    """Whether a raw value is written so."""
    return bytes(memoryview(raw)[: len(prefix)]) == prefix


def marked_long(breakpoint: Raw) -> bool:
    """Whether a cache breakpoint asks for the long lifetime: any but the known short one."""
    cache = decoded(_CACHE, breakpoint, "prompt_cache_breakpoint") if len(breakpoint) else None
    return cache is not None and cache.ttl not in (None, "30m")


def cache_long(fields: Fields) -> bool:
    """Whether the request as a whole asks for the long lifetime."""
    raw = fields.get("prompt_cache_options")
    return raw is not None and marked_long(raw)
