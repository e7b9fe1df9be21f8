"""LiteLLM's SpendLogs: rows of the table LiteLLM_SpendLogs as JSON array, JSONL (or the API's pages) or CSV.

Source: LiteLLM 1.109.1 (schema.prisma, spend_tracking_utils.py, llms/anthropic/chat/transformation.py), November
2026. What was cached stands in `metadata.usage_object` only. `prompt_tokens` includes cache reads and writes since
2025; older rows left out the writes, or both: where the parts do not fit into the prompt, the row is of that older
form. Clock times are UTC. A failure without tokens has `usage_known` false: vendors bill input of failed requests,
LiteLLM logs 0. A hit in LiteLLM's own cache never reached the vendor: `not_dispatched`. `messages` and `response` are
not read, and not kept with a rejected row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC
from itertools import chain, islice
from typing import Any

from offtake.usage.documents import json_items
from offtake.usage.fields import count, instant, json_object, milliseconds, rest, text
from offtake.usage.identity import canonical
from offtake.usage.outcomes import channel_of, of_status
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import DECODER, Rejected, Row, TextSource, convert, csv_rows, json_lines
from offtake.usage.usage_objects import Quantities, context_of
from offtake.values.errors import InputError

_CONTENT = ("messages", "response", "proxy_server_request", "metadata")
_CLOUDS = {
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "vertex_ai": "vertex",
    "azure": "azure",
    "azure_ai": "azure",
}
_PATHS = (("data",), ("logs",), ())


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain request."""
    return convert(_rows(source), lambda row: _record(row, options), raw=_without_content)


def _rows(source: TextSource) -> Iterator[Row | Rejected]:
    if source.rows is not None:
        yield from csv_rows(source)
        return
    lines = iter(source.lines)
    head = list(islice(lines, 1))
    while head and not head[-1].strip() and (following := next(lines, None)) is not None:
        head.append(following)
    first = head[-1].strip().removeprefix("\ufeff") if head else ""
    source = TextSource(source.file, chain(head, lines))
    if _is_row(first):
        yield from json_lines(source)
    elif first.startswith(("{", "[")):
        yield from json_items(source, _PATHS)
    else:
        yield from csv_rows(source)


def _is_row(line: str) -> bool:
    """Whether a line is a whole row, as in JSONL, which need not be read into memory."""
    try:
        value = DECODER.decode(line)
    except ValueError:
        return False
    return isinstance(value, dict) and "request_id" in value


def _record(row: Row, options: ReadOptions) -> UsageRecord:
    values = row.values
    metadata = json_object("metadata", values.get("metadata"))
    usage = json_object("metadata.usage_object", metadata.get("usage_object"))
    request_id, provider = text(values.get("request_id")), text(values.get("custom_llm_provider"))
    if not request_id:
        raise InputError("U109", "the row has no request_id")
    started = instant("startTime", values.get("startTime"), UTC)
    ended = instant("endTime", values.get("endTime") or values.get("startTime"), UTC)
    first_token = values.get("completionStartTime")
    quantities = _quantities(values, usage, options.cache_write)
    outcome = _outcome(values, metadata)
    tier = text(usage.get("service_tier"))
    return options.record(
        where=row.where,
        id=request_id,
        used_at=started,
        vendor="" if provider in _CLOUDS else provider,
        access=_CLOUDS.get(provider, "api"),
        model=text(values.get("model")).removeprefix(f"{provider}/"),
        channel="batch" if "batch" in text(values.get("call_type")) else channel_of(tier),
        tier_served=tier,
        key_id=text(values.get("api_key")),
        customer=text(values.get("end_user")),
        tags=_tags(values, metadata),
        quantities=quantities,
        context_tokens=context_of(quantities),
        outcome=outcome,
        usage_known=outcome in ("ok", "not_dispatched") or any(quantities.values()),
        latency_ms=milliseconds(started, ended) if values.get("endTime") else None,
        first_token_ms=milliseconds(started, instant("completionStartTime", first_token, UTC)) if first_token else None,
        vendor_request_id=request_id,
    )


def _quantities(values: Mapping[str, Any], usage: Mapping[str, Any], cache_write: str) -> Quantities:
    prompt = count("prompt_tokens", values.get("prompt_tokens"))
    completion = count("completion_tokens", values.get("completion_tokens"))
    inside = json_object("prompt_tokens_details", usage.get("prompt_tokens_details"))
    inside_out = json_object("completion_tokens_details", usage.get("completion_tokens_details"))
    read_ = count("cached_tokens", usage.get("cache_read_input_tokens") or inside.get("cached_tokens"))
    written = count(
        "cache_creation_tokens",
        usage.get("cache_creation_input_tokens")
        or inside.get("cache_creation_tokens")
        or inside.get("cache_write_tokens"),
    )
    split = json_object("cache_creation_token_details", inside.get("cache_creation_token_details"))
    written_1h = count("ephemeral_1h_input_tokens", split.get("ephemeral_1h_input_tokens"))
    if not split and cache_write == "1h":
        written_1h = written
    parts = {
        "cache_read_tokens": read_,
        "cache_write_5m_tokens": rest("cache_creation_tokens", written, {"ephemeral_1h_input_tokens": written_1h}),
        "cache_write_1h_tokens": written_1h,
        "input_audio_tokens": count("audio_tokens", inside.get("audio_tokens")),
        "input_image_tokens": count("image_tokens", inside.get("image_tokens")),
    }
    if prompt >= read_ + written:
        inside_prompt = parts
    else:  # an older row, from when the prompt left out the writes, or all of the cache
        inside_prompt = {"cache_read_tokens": read_} if prompt >= read_ else {}
    audio_out = count("audio_tokens", inside_out.get("audio_tokens"))
    tools = json_object("server_tool_use", usage.get("server_tool_use"))
    return {
        "input_tokens": rest("prompt_tokens", prompt, inside_prompt),
        **parts,
        "output_tokens": rest("completion_tokens", completion, {"audio_tokens": audio_out}),
        "output_audio_tokens": audio_out,
        "reasoning_tokens": count("reasoning_tokens", inside_out.get("reasoning_tokens")),
        "web_searches": count("web_search_requests", tools.get("web_search_requests")),
    }


def _outcome(values: Mapping[str, Any], metadata: Mapping[str, Any]) -> str:
    if text(values.get("cache_hit")).lower() == "true":
        return "not_dispatched"
    if text(values.get("status") or metadata.get("status")) != "failure":
        return "ok"
    error = json_object("error_information", metadata.get("error_information"))
    code = text(error.get("error_code"))
    if "Timeout" in text(error.get("error_class")):
        return "timeout"
    # Without a code nothing proves the vendor's fault: the class that claims nothing from it.
    return of_status(int(code)) if code.isdecimal() else "client_error"


def _tags(values: Mapping[str, Any], metadata: Mapping[str, Any]) -> dict[str, str]:
    labels = values.get("request_tags")
    if isinstance(labels, str):
        labels = json_object("request_tags", f'{{"tags": {labels}}}').get("tags") if labels else []
    return {
        "team": text(metadata.get("user_api_key_team_alias") or values.get("team_id")),
        "user": text(values.get("user")),
        "organization": text(values.get("organization_id")),
        "key": text(metadata.get("user_api_key_alias")),
        "request_tags": ",".join(text(label) for label in labels) if isinstance(labels, list) else "",
    }


def _without_content(row: Row) -> str:
    return canonical({name: value for name, value in row.values.items() if name not in _CONTENT})
