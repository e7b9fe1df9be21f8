"""OpenAI's organization usage API: GET /v1/organization/usage/completions (and /embeddings), pages of time buckets.

Source: openai 3.54, types/admin/organization/usage_completions_response.py, November 2026. `input_tokens` includes
cached and cache-write tokens of all modalities; the fields by modality exclude the cached ones. Ask the API with
`group_by=model,batch,service_tier` (and project, user, key as you like): a result without `model` cannot be priced,
and one without `batch` is taken as realtime. The API says nothing of outcomes or of a request's context.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from offtake.usage.documents import json_items
from offtake.usage.fields import count, grain_of, instant, rest, text
from offtake.usage.identity import Identities
from offtake.usage.outcomes import channel_of
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Row, TextSource, convert
from offtake.values.errors import InputError

_PATHS = (("data", "results"), ("results",))
_DIMENSIONS = ("model", "batch", "service_tier", "project_id", "user_id", "api_key_id", "api_source")
_OBJECTS = ("", "organization.usage.completions.result", "organization.usage.embeddings.result")


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain minute, hour or day, as the buckets are wide; `count` is the number of model requests."""
    identities = Identities("openai-usage", options.account)

    def build(row: Row) -> UsageRecord:
        bucket, result = row.parents[-1], row.values
        kind = text(result.get("object"))
        if kind not in _OBJECTS:
            raise InputError("U107", f"{kind} does not count tokens; this reader takes completions and embeddings")
        if not result.get("model") and not options.model:
            raise InputError(
                "U103", "the result names no model", hint="ask the API with group_by=model, or pass --model"
            )
        start = instant("start_time", bucket.get("start_time"))
        batch, tier = result.get("batch"), text(result.get("service_tier"))
        return options.record(
            where=row.where,
            id=identities.of_key([kind, bucket.get("start_time"), bucket.get("end_time"), *_key(result)]),
            used_at=start,
            grain=grain_of(start, instant("end_time", bucket.get("end_time"))),
            count=count("num_model_requests", result.get("num_model_requests")),
            vendor=options.vendor or "openai",
            model=text(result.get("model")),
            account=text(result.get("project_id")),
            key_id=text(result.get("api_key_id")),
            channel="batch" if batch is True else channel_of(tier),
            tier_served=tier,
            tags={"user": text(result.get("user_id"))},
            quantities=_quantities(result),
            outcome=None,
        )

    return convert(json_items(source, _PATHS), build)


def _key(result: Mapping[str, Any]) -> list[Any]:
    return [result.get(name) for name in _DIMENSIONS]


def _quantities(result: Mapping[str, Any]) -> dict[str, int]:
    def of(name: str) -> int:
        return count(name, result.get(name))

    cached = of("input_cached_tokens")
    written_long = of("input_cache_write_12h_tokens")
    written = rest("input_cache_write_tokens", of("input_cache_write_tokens"), {"12h": written_long})
    uncached = rest(
        "input_tokens",
        of("input_tokens"),
        {"cached": cached, "cache writes": written, "12h cache writes": written_long},
    )
    said = result.get("input_uncached_tokens")
    if said is not None and of("input_uncached_tokens") != uncached:
        raise InputError("U106", f"input_uncached_tokens is {said}, input without cached and written is {uncached:,}")
    parts = {"input_audio_tokens": of("input_audio_tokens"), "input_image_tokens": of("input_image_tokens")}
    cached_audio = of("input_cached_audio_tokens")
    out = {"output_audio_tokens": of("output_audio_tokens"), "output_image_tokens": of("output_image_tokens")}
    return {
        "input_tokens": rest("uncached input", uncached, parts),
        **parts,
        "cache_read_tokens": rest("input_cached_tokens", cached, {"input_cached_audio_tokens": cached_audio}),
        "cache_read_audio_tokens": cached_audio,
        # Kept for 30 minutes or 12 hours: our short and long meter.
        "cache_write_5m_tokens": written,
        "cache_write_1h_tokens": written_long,
        "output_tokens": rest("output_tokens", of("output_tokens"), out),
        **out,
    }
