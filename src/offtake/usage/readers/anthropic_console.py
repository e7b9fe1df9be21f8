"""The usage export of Anthropic's console: one row a day, model, key, workspace, usage type and context window.

Columns: usage_date_utc, model_version, api_key, workspace, usage_type, context_window, usage_input_tokens_no_cache,
usage_input_tokens_cache_write_5m, usage_input_tokens_cache_write_1h, usage_input_tokens_cache_read,
usage_output_tokens, web_search_count, inference_geo, speed. Source: exports described in public importers, read
November 2026; older exports have one usage_input_tokens_cache_write. Keys and workspaces are names, not ids. The
export counts no requests (`count` is 0), says nothing of outcomes, and gives contexts as bands (see anthropic_usage).
"""

from __future__ import annotations

from datetime import UTC

from offtake.usage.fields import count, instant, text
from offtake.usage.identity import Identities
from offtake.usage.outcomes import channel_of
from offtake.usage.readers.anthropic_usage import band_of, region_of, tier_of
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Row, TextSource, convert, csv_rows

_DIMENSIONS = (
    "usage_date_utc", "model_version", "api_key", "workspace", "usage_type", "context_window", "inference_geo", "speed",
    "api_key_id",
)  # fmt: skip


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain day."""
    identities = Identities("anthropic-console", options.account)

    def build(row: Row) -> UsageRecord:
        def of(name: str) -> int:
            return count(f"{name}", row.values.get(name))

        def said(name: str) -> str:
            return text(row.values.get(name))

        total = f"cache_write_{options.cache_write}_tokens"
        writes = {
            "cache_write_5m_tokens": of("usage_input_tokens_cache_write_5m"),
            "cache_write_1h_tokens": of("usage_input_tokens_cache_write_1h"),
        }
        writes[total] += of("usage_input_tokens_cache_write")
        return options.record(
            where=row.where,
            id=identities.of_row([said(name) for name in _DIMENSIONS]),
            used_at=instant("usage_date_utc", said("usage_date_utc"), UTC),
            grain="day",
            count=0,
            vendor=options.vendor or "anthropic",
            model=said("model_version"),
            account=said("workspace"),
            key_id=said("api_key"),
            channel=channel_of(said("usage_type")),
            region=region_of(said("inference_geo")),
            tier_served=tier_of(said("usage_type"), said("speed")),
            context_tokens=band_of(said("context_window")),
            quantities={
                "input_tokens": of("usage_input_tokens_no_cache"),
                "cache_read_tokens": of("usage_input_tokens_cache_read"),
                **writes,
                "output_tokens": of("usage_output_tokens"),
                "web_searches": of("web_search_count"),
            },
            outcome=None,
        )

    return convert(csv_rows(source), build)
