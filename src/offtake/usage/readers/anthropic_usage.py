"""Anthropic's usage report: GET /v1/organizations/usage_report/messages, pages of time buckets.

Source: platform.claude.com/docs/en/api/admin/usage_report/retrieve_messages, November 2026. Meters are disjoint
already. Ask with `group_by[]=model&group_by[]=service_tier&group_by[]=context_window` (and key, workspace,
inference_geo as you like). A context window stands as the upper end of its band in `context_tokens`: 0-200k is
200,000, which is not above a threshold of 200,000, and 200k-1M is 1,000,000. The report counts no requests (`count`
is 0) and says nothing of outcomes.
"""

from __future__ import annotations

from offtake.usage.documents import json_items
from offtake.usage.fields import grain_of, instant, text
from offtake.usage.identity import Identities
from offtake.usage.outcomes import channel_of
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Row, TextSource, convert
from offtake.usage.usage_objects import anthropic
from offtake.values.errors import InputError

_PATHS = (("data", "results"), ("results",))
_DIMENSIONS = (
    "model", "service_tier", "context_window", "inference_geo", "speed", "api_key_id", "workspace_id", "account_id",
    "service_account_id",
)  # fmt: skip
_BANDS = {
    "0-200k": 200_000, "≤ 200k": 200_000, "<= 200k": 200_000,
    "200k-1M": 1_000_000, "> 200k": 1_000_000,
}  # fmt: skip


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain minute, hour or day, as the buckets are wide."""
    identities = Identities("anthropic-usage", options.account)

    def build(row: Row) -> UsageRecord:
        bucket, result = row.parents[-1], row.values
        if not result.get("model") and not options.model:
            raise InputError(
                "U103", "the result names no model", hint="ask the API with group_by[]=model, or pass --model"
            )
        start = instant("starting_at", bucket.get("starting_at"))
        tier, speed = text(result.get("service_tier")), text(result.get("speed"))
        key = [bucket.get("starting_at"), bucket.get("ending_at")] + [result.get(name) for name in _DIMENSIONS]
        return options.record(
            where=row.where,
            id=identities.of_key(key),
            used_at=start,
            grain=grain_of(start, instant("ending_at", bucket.get("ending_at"))),
            count=0,
            vendor=options.vendor or "anthropic",
            model=text(result.get("model")),
            account=text(result.get("workspace_id")),
            key_id=text(result.get("api_key_id")),
            channel=channel_of(tier),
            region=region_of(text(result.get("inference_geo"))),
            tier_served=tier_of(tier, speed),
            context_tokens=band_of(text(result.get("context_window"))),
            quantities=anthropic({**result, "input_tokens": result.get("uncached_input_tokens")}),
            outcome=None,
        )

    return convert(json_items(source, _PATHS), build)


def band_of(context_window: str) -> int | None:
    """The upper end of a context window's band in tokens; None where the export was not grouped by it."""
    if context_window in ("", "null"):
        return None
    if context_window not in _BANDS:
        raise InputError("U102", f"unknown context window {context_window!r}", hint="one of: " + ", ".join(_BANDS))
    return _BANDS[context_window]


def region_of(inference_geo: str) -> str:
    """`us` is us; global, not_available and nothing are global."""
    return "global" if inference_geo in ("", "global", "not_available", "null") else inference_geo


def tier_of(tier: str, speed: str) -> str:
    """The tier that served, with fast mode named: it has a price of its own."""
    return speed if speed not in ("", "standard", "null") else tier
