"""OpenRouter's activity export: one generation a row, or (the chart's export) one model and day.

By generation: generation_id, created_at, tokens_prompt, tokens_completion, tokens_reasoning, tokens_cached,
model_permaslug, provider_name, variant, cancelled, finish_reason_normalized, generation_time_ms,
time_to_first_token_ms, app_name, api_key_name, user, cost_*. By day: Date, Slug, Requests, Prompt Tokens, Completion
Tokens, Reasoning Tokens. Source: openrouter.ai/docs activity export and public importers, read November 2026. Clock
times are UTC; cached tokens lie inside the prompt, reasoning inside the completion. Cache writes are not in it.
"""

from __future__ import annotations

from datetime import UTC

from offtake.usage.fields import count, flag, instant, rest, text
from offtake.usage.identity import Identities
from offtake.usage.outcomes import of_stop_reason
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Row, TextSource, convert, csv_rows


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain request or, from the chart's export, of grain day."""
    identities = Identities("openrouter", options.account)

    def build(row: Row) -> UsageRecord:
        return _generation(row, options) if "generation_id" in row.values else _day(row, options, identities)

    return convert(csv_rows(source), build)


def _generation(row: Row, options: ReadOptions) -> UsageRecord:
    def of(name: str) -> int:
        return count(name, row.values.get(name))

    def said(name: str) -> str:
        return text(row.values.get(name))

    variant = said("variant")
    prompt, cached = of("tokens_prompt"), of("tokens_cached")
    return options.record(
        where=row.where,
        id=said("generation_id"),
        used_at=instant("created_at", row.values.get("created_at"), options.time_zone or UTC),
        vendor=options.vendor or "openrouter",
        model=said("model_permaslug") + (f":{variant}" if variant not in ("", "standard") else ""),
        key_id=said("api_key_name"),
        tags={"provider": said("provider_name"), "app": said("app_name"), "user": said("user")},
        quantities={
            "input_tokens": rest("tokens_prompt", prompt, {"tokens_cached": cached}),
            "cache_read_tokens": cached,
            "output_tokens": of("tokens_completion"),
            "reasoning_tokens": of("tokens_reasoning"),
        },
        context_tokens=prompt,
        outcome=_outcome(flag("cancelled", row.values.get("cancelled")), said("finish_reason_normalized")),
        latency_ms=of("generation_time_ms") or None,
        first_token_ms=of("time_to_first_token_ms") or None,
        vendor_request_id=said("generation_id"),
    )


def _outcome(cancelled: bool, finish_reason: str) -> str:
    if cancelled:
        return "client_cancel"
    return of_stop_reason(finish_reason) if finish_reason else "ok"


def _day(row: Row, options: ReadOptions, identities: Identities) -> UsageRecord:
    date, slug = row.values.get("Date"), text(row.values.get("Slug"))
    return options.record(
        where=row.where,
        id=identities.of_row([date, slug]),
        used_at=instant("Date", date, UTC),
        grain="day",
        count=count("Requests", row.values.get("Requests")),
        vendor=options.vendor or "openrouter",
        model=slug,
        quantities={
            "input_tokens": count("Prompt Tokens", row.values.get("Prompt Tokens")),
            "output_tokens": count("Completion Tokens", row.values.get("Completion Tokens")),
            "reasoning_tokens": count("Reasoning Tokens", row.values.get("Reasoning Tokens")),
        },
        outcome=None,
    )
