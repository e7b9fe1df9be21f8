"""What one request used, by class of token, and how each vendor's wire says it.

The classes are disjoint (`reasoning` lies inside `output`), as on the meter; the vendors' objects nest them in their
own ways. Sources: openai 3.54 and anthropic 2.12, types of usage; read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Usage:
    """Tokens by class, and searches. `written_short` is 5 minutes (OpenAI: 30), `written_long` an hour."""

    fresh: int = 0
    read: int = 0
    written_short: int = 0
    written_long: int = 0
    output: int = 0
    reasoning: int = 0
    searches: int = 0

    @property
    def input(self) -> int:
        """All input, cached or not."""
        return self.fresh + self.read + self.written_short + self.written_long

    def add(self, other: Usage) -> None:
        """Counts another request's as well."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def meters(self) -> dict[str, int]:
        """By the names of Offtake's meters, those above zero."""
        named = {
            "input_tokens": self.fresh,
            "cache_read_tokens": self.read,
            "cache_write_5m_tokens": self.written_short,
            "cache_write_1h_tokens": self.written_long,
            "output_tokens": self.output,
            "reasoning_tokens": self.reasoning,
            "web_searches": self.searches,
        }
        return {name: count for name, count in named.items() if count}


def chat_usage(usage: Usage) -> dict[str, Any]:
    """The object `usage` of a chat completion: the prompt includes what was cached."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.read,
            "cache_write_tokens": usage.written_short + usage.written_long,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def responses_usage(usage: Usage) -> dict[str, Any]:
    """The object `usage` of a response."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.read,
            "cache_write_tokens": usage.written_short + usage.written_long,
            "cache_write_tokens_details": {
                "ttl_30m_tokens": usage.written_short,
                "ttl_12h_tokens": usage.written_long,
            },
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }


def message_usage(usage: Usage, tier: str, region: str, speed: str) -> dict[str, Any]:
    """The object `usage` of a message: the input excludes what was read from a cache or written to it."""
    said: dict[str, Any] = {
        "input_tokens": usage.fresh,
        "cache_creation_input_tokens": usage.written_short + usage.written_long,
        "cache_read_input_tokens": usage.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.written_short,
            "ephemeral_1h_input_tokens": usage.written_long,
        },
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "server_tool_use": _searches(usage),
        "service_tier": tier,
        "inference_geo": region,
    }
    return said | ({"speed": speed} if speed else {})


def delta_usage(usage: Usage) -> dict[str, Any]:
    """The object `usage` of a stream's `message_delta`: cumulative."""
    return {
        "input_tokens": usage.fresh,
        "cache_creation_input_tokens": usage.written_short + usage.written_long,
        "cache_read_input_tokens": usage.read,
        "output_tokens": usage.output,
        "output_tokens_details": {"thinking_tokens": usage.reasoning},
        "server_tool_use": _searches(usage),
    }


def _searches(usage: Usage) -> dict[str, int] | None:
    return {"web_search_requests": usage.searches, "web_fetch_requests": 0} if usage.searches else None
