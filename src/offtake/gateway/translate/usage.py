"""Token counts both ways. No token is lost or made: OpenAI's input holds what was cached, Anthropic's does not.

OpenAI keeps cache writes for 30 minutes or 12 hours, Anthropic for 5 minutes or 1 hour; they stand for each other.
"""

from __future__ import annotations

from typing import Any

from offtake.gateway.translate.fields import Fields
from offtake.gateway.translate.meaning import Usage

_TIER_OF_ANTHROPIC = {"standard": "default", "priority": "priority", "batch": "batch"}
_TIER_OF_OPENAI = {"default": "standard", "auto": "standard", "scale": "standard", "priority": "priority"}


def read_openai(usage: Fields | None, prompt: str, completion: str) -> Usage | None:
    """Usage of the chat dialect (`prompt`, `completion`) or of responses (`input`, `output`)."""
    if usage is None:
        return None
    inside = usage.inner(f"{prompt}_tokens_details")
    cached = written = written_long = 0
    if inside is not None:
        cached = inside.whole("cached_tokens") or 0
        written = inside.whole("cache_write_tokens") or 0
        split = inside.inner("cache_write_tokens_details")
        written_long = min((split.whole("ttl_12h_tokens") or 0) if split else 0, written)
    elif usage.holds("prompt_cache_hit_tokens"):  # DeepSeek's own name
        cached = usage.whole("prompt_cache_hit_tokens") or 0
    outside = usage.inner(f"{completion}_tokens_details")
    return Usage(
        input=max((usage.whole(f"{prompt}_tokens") or 0) - cached - written, 0),
        cache_read=cached,
        cache_write_short=written - written_long,
        cache_write_long=written_long,
        output=usage.whole(f"{completion}_tokens") or 0,
        reasoning=(outside.whole("reasoning_tokens") or 0) if outside else 0,
    )


def write_openai(usage: Usage, prompt: str, completion: str) -> dict[str, Any]:
    """The usage object of the chat dialect (`prompt`, `completion`) or of responses (`input`, `output`)."""
    written = usage.cache_write_short + usage.cache_write_long
    inside: dict[str, Any] = {"cached_tokens": usage.cache_read, "cache_write_tokens": written}
    if written:
        inside["cache_write_tokens_details"] = {
            "ttl_30m_tokens": usage.cache_write_short,
            "ttl_12h_tokens": usage.cache_write_long,
        }
    return {
        f"{prompt}_tokens": usage.input_whole,
        f"{prompt}_tokens_details": inside,
        f"{completion}_tokens": usage.output,
        f"{completion}_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input_whole + usage.output,
    }


def read_anthropic(usage: Fields, known: Usage | None = None) -> Usage:
    """Usage of a message, or of a stream's delta, whose counts are cumulative: they replace what was `known`."""
    now = known or Usage()
    split = usage.inner("cache_creation")
    written = usage.whole("cache_creation_input_tokens")
    long, short = now.cache_write_long, now.cache_write_short
    if split is not None:
        long = split.whole("ephemeral_1h_input_tokens") or 0
        short = split.whole("ephemeral_5m_input_tokens") or 0
    elif written is not None and written != long + short:
        long = min(long, written)
        short = written - long
    inside = usage.inner("output_tokens_details")
    return Usage(
        input=_latest(usage, "input_tokens", now.input),
        cache_read=_latest(usage, "cache_read_input_tokens", now.cache_read),
        cache_write_short=short,
        cache_write_long=long,
        output=_latest(usage, "output_tokens", now.output),
        reasoning=_latest(inside, "thinking_tokens", now.reasoning) if inside else now.reasoning,
    )


def _latest(usage: Fields, name: str, known: int) -> int:
    value = usage.whole(name)
    return known if value is None else value


def write_anthropic(usage: Usage | None, tier: str = "") -> dict[str, Any]:
    """The usage object of a message; zeros where the vendor did not say, as the dialect knows no unknown."""
    usage = usage or Usage()
    return {
        **write_anthropic_delta(usage),
        "cache_creation": _split(usage),
        "service_tier": _TIER_OF_OPENAI.get(tier),
    }


def write_anthropic_delta(usage: Usage) -> dict[str, Any]:
    """The cumulative usage object of a stream's last delta; it says the split of writes only where one is long."""
    split = {"cache_creation": _split(usage)} if usage.cache_write_long else {}
    return split | {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write_short + usage.cache_write_long,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
    }


def _split(usage: Usage) -> dict[str, int]:
    return {
        "ephemeral_5m_input_tokens": usage.cache_write_short,
        "ephemeral_1h_input_tokens": usage.cache_write_long,
    }


def tier_of_anthropic(tier: str) -> str:
    """The tier that served, as OpenAI's dialect calls it; "" where it has no word."""
    return _TIER_OF_ANTHROPIC.get(tier, "")
