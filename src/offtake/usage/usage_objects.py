"""The `usage` objects of vendors' answers, as disjoint meters.

Vendors nest differently: OpenAI's and Gemini's input includes what was cached, Anthropic's does not; Gemini's
thinking tokens stand beside the answer's, the others' inside. Here every token ends in exactly one meter, and a part
that is larger than its whole is an error.

Sources: openai 3.54 (types/completion_usage.py, types/responses/response_usage.py), anthropic 2.12 (types/usage.py),
Gemini API reference `UsageMetadata`; read November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offtake.usage.fields import count, json_object, json_objects, rest
from offtake.usage.meters import METERS
from offtake.values.errors import InputError

Quantities = dict[str, int]
_SELDOM_IN = (
    "audio_tokens",
    "image_tokens",
    "cache_write_tokens",
    "cached_tokens_details",
    "cache_write_tokens_details",
)
_SELDOM_OUT = ("audio_tokens", "image_tokens")
_INPUT = frozenset(meter.name for meter in METERS if meter.direction == "input" and meter.is_token)


def context_of(quantities: Mapping[str, int]) -> int:
    """All input of one request: uncached, read from and written to a cache, of every modality."""
    return sum([quantity for name, quantity in quantities.items() if name in _INPUT])


def quantities_of(usage: Mapping[str, Any], cache_write: str = "5m") -> Quantities:
    """The meters of a usage object of OpenAI (chat or responses), Anthropic or Gemini, told by its keys.

    `cache_write` (5m | 1h) says how long cache writes were kept where Anthropic's object does not.
    """
    if "promptTokenCount" in usage or "totalTokenCount" in usage:
        return gemini(usage)
    if "prompt_tokens" in usage:
        return openai_chat(usage)
    if "input_tokens_details" in usage or "total_tokens" in usage:
        return openai_responses(usage)
    if "input_tokens" in usage:
        return anthropic(usage, cache_write)
    raise InputError("U107", "a usage object of no known vendor: " + ", ".join(sorted(usage)[:8]))


def openai_chat(usage: Mapping[str, Any]) -> Quantities:
    """`prompt_tokens` includes cached, cache-write, audio and image tokens; `completion_tokens` audio and reasoning.

    xAI's and Google's `completion_tokens` leave reasoning out (docs.x.ai, "Consumption and rate limits"); only their
    `total_tokens` has it, and it is billed as output.
    """
    total_in = count("prompt_tokens", usage.get("prompt_tokens"))
    inside_out = json_object("completion_tokens_details", usage.get("completion_tokens_details"))
    total_out = count("completion_tokens", usage.get("completion_tokens"))
    if usage.get("total_tokens") is not None:
        total_out = max(total_out, count("total_tokens", usage["total_tokens"]) - total_in)
    return _openai(
        total_in,
        json_object("prompt_tokens_details", usage.get("prompt_tokens_details")),
        total_out,
        inside_out,
    )


def openai_responses(usage: Mapping[str, Any]) -> Quantities:
    """As `openai_chat`, under the names of the Responses API."""
    return _openai(
        count("input_tokens", usage.get("input_tokens")),
        json_object("input_tokens_details", usage.get("input_tokens_details")),
        count("output_tokens", usage.get("output_tokens")),
        json_object("output_tokens_details", usage.get("output_tokens_details")),
    )


def _openai(total_in: int, inside_in: Mapping[str, Any], total_out: int, inside_out: Mapping[str, Any]) -> Quantities:
    if not any(map(inside_in.get, _SELDOM_IN)) and not any(map(inside_out.get, _SELDOM_OUT)):
        cached = count("cached_tokens", inside_in.get("cached_tokens"))
        return {
            "input_tokens": total_in - cached
            if cached <= total_in
            else rest("input tokens", total_in, {"cache_read_tokens": cached}),
            "cache_read_tokens": cached,
            "output_tokens": total_out,
            "reasoning_tokens": count("reasoning_tokens", inside_out.get("reasoning_tokens")),
        }
    cached_inside = json_object("cached_tokens_details", inside_in.get("cached_tokens_details"))
    cached_audio = count("cached audio_tokens", cached_inside.get("audio_tokens"))
    cached = rest(
        "cached_tokens", count("cached_tokens", inside_in.get("cached_tokens")), {"cached audio": cached_audio}
    )
    written = json_object("cache_write_tokens_details", inside_in.get("cache_write_tokens_details"))
    write_long = count("ttl_12h_tokens", written.get("ttl_12h_tokens"))
    write_short = rest(
        "cache_write_tokens",
        count("cache_write_tokens", inside_in.get("cache_write_tokens")),
        {"ttl_12h_tokens": write_long},
    )
    audio = rest("audio_tokens", count("audio_tokens", inside_in.get("audio_tokens")), {"cached audio": cached_audio})
    image = count("image_tokens", inside_in.get("image_tokens"))
    parts_in = {
        "cache_read_tokens": cached,
        "cache_read_audio_tokens": cached_audio,
        # OpenAI keeps writes for 30 minutes or 12 hours; they take our short and long meter.
        "cache_write_5m_tokens": write_short,
        "cache_write_1h_tokens": write_long,
        "input_audio_tokens": audio,
        "input_image_tokens": image,
    }
    parts_out = {
        "output_audio_tokens": count("audio_tokens", inside_out.get("audio_tokens")),
        "output_image_tokens": count("image_tokens", inside_out.get("image_tokens")),
    }
    return {
        "input_tokens": rest("input tokens", total_in, parts_in),
        **parts_in,
        "output_tokens": rest("output tokens", total_out, parts_out),
        "reasoning_tokens": count("reasoning_tokens", inside_out.get("reasoning_tokens")),
        **parts_out,
    }


def anthropic(usage: Mapping[str, Any], cache_write: str = "5m") -> Quantities:
    """`input_tokens` excludes what was read from or written to the cache."""
    quantities = {
        "input_tokens": count("input_tokens", usage.get("input_tokens")),
        "cache_read_tokens": count("cache_read_input_tokens", usage.get("cache_read_input_tokens")),
        **cache_writes(usage.get("cache_creation"), usage.get("cache_creation_input_tokens"), cache_write),
        "output_tokens": count("output_tokens", usage.get("output_tokens")),
    }
    thinking = json_object("output_tokens_details", usage.get("output_tokens_details")).get("thinking_tokens")
    tools = json_object("server_tool_use", usage.get("server_tool_use"))
    return quantities | {
        "reasoning_tokens": count("thinking_tokens", thinking),
        "web_searches": count("web_search_requests", tools.get("web_search_requests")),
    }


def cache_writes(by_retention: Any, total: Any, cache_write: str) -> Quantities:
    """Cache writes by retention; a total alone takes the retention `cache_write`, and a split must add up to it."""
    if by_retention is None or by_retention == "":
        return {f"cache_write_{cache_write}_tokens": count("cache_creation_input_tokens", total)}
    split = json_object("cache_creation", by_retention)
    short = count("ephemeral_5m_input_tokens", split.get("ephemeral_5m_input_tokens"))
    long = count("ephemeral_1h_input_tokens", split.get("ephemeral_1h_input_tokens"))
    whole = short + long if total is None or total == "" else count("cache_creation_input_tokens", total)
    if short + long != whole:
        raise InputError(
            "U106", f"cache_creation adds up to {short + long:,}, cache_creation_input_tokens is {whole:,}"
        )
    return {"cache_write_5m_tokens": short, "cache_write_1h_tokens": long}


def gemini(usage: Mapping[str, Any]) -> Quantities:
    """`promptTokenCount` includes cached tokens; thoughts and tool-use prompts are counted apart."""
    prompt, cached = _modalities(usage, "promptTokensDetails"), _modalities(usage, "cacheTokensDetails")
    answer = _modalities(usage, "candidatesTokensDetails")
    cached_audio = cached.get("AUDIO", 0)
    total_in = count("promptTokenCount", usage.get("promptTokenCount"))
    parts_in = {
        "cache_read_tokens": rest(
            "cachedContentTokenCount",
            count("cachedContentTokenCount", usage.get("cachedContentTokenCount")),
            {"cached audio": cached_audio},
        ),
        "cache_read_audio_tokens": cached_audio,
        "input_audio_tokens": rest("audio", max(prompt.get("AUDIO", 0), cached_audio), {"cached audio": cached_audio}),
        "input_image_tokens": rest("image", prompt.get("IMAGE", 0), {"cached image": cached.get("IMAGE", 0)}),
    }
    parts_out = {"output_audio_tokens": answer.get("AUDIO", 0), "output_image_tokens": answer.get("IMAGE", 0)}
    thoughts = count("thoughtsTokenCount", usage.get("thoughtsTokenCount"))
    answered = count("candidatesTokenCount", usage.get("candidatesTokenCount"))
    tool_prompt = count("toolUsePromptTokenCount", usage.get("toolUsePromptTokenCount"))
    return {
        "input_tokens": rest("promptTokenCount", total_in, parts_in) + tool_prompt,
        **parts_in,
        "output_tokens": rest("candidatesTokenCount", answered, parts_out) + thoughts,
        "reasoning_tokens": thoughts,
        **parts_out,
    }


def _modalities(usage: Mapping[str, Any], name: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in json_objects(name, usage.get(name)):
        modality = str(item.get("modality"))
        found[modality] = found.get(modality, 0) + count(f"{name} {modality}", item.get("tokenCount"))
    return found
