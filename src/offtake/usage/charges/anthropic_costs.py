"""Anthropic's cost report: GET /v1/organizations/cost_report, pages of daily buckets.

Source: platform.claude.com/docs/en/api/admin/cost_report/retrieve, November 2026. Amounts are decimal strings in the
lowest unit (cents): "123.45" in USD is $1.2345. Ask with `group_by[]=description`, or there is no model and no meter.
Costs of the Priority Tier are not in the report. It gives no quantities.
"""

from __future__ import annotations

from offtake.usage.charge import Charge
from offtake.usage.charges.reading import ChargeReading
from offtake.usage.documents import json_items
from offtake.usage.fields import amount, instant, text
from offtake.usage.identity import Identities
from offtake.usage.outcomes import channel_of
from offtake.usage.reading import ReadOptions
from offtake.usage.rows import Row, TextSource, convert
from offtake.values.errors import InputError

_PATHS = (("data", "results"), ("results",))
_METERS = {
    "uncached_input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m_tokens",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h_tokens",
}
_DIMENSIONS = (
    "description", "workspace_id", "cost_type", "context_window", "model", "service_tier", "token_type",
    "inference_geo", "speed",
)  # fmt: skip
_TAGS = ("workspace_id", "context_window", "inference_geo", "speed")


def read(source: TextSource, options: ReadOptions) -> ChargeReading:
    """Charges of kind usage, one a result."""
    identities = Identities("anthropic-costs", options.account)

    def build(row: Row) -> Charge:
        bucket, result = row.parents[-1], row.values
        starts, ends = bucket.get("starting_at"), bucket.get("ending_at")
        token_type = text(result.get("token_type"))
        if token_type and token_type not in _METERS:
            raise InputError("U102", f"unknown token_type {token_type!r}", hint="one of: " + ", ".join(_METERS))
        meter = "web_searches" if result.get("cost_type") == "web_search" else _METERS.get(token_type)
        currency = text(result.get("currency"))
        if not currency:
            raise InputError("U109", "the amount has no currency")
        return Charge(
            id=identities.of_key([starts, ends, *(result.get(name) for name in _DIMENSIONS)]),
            starts_at=instant("starting_at", starts),
            ends_at=instant("ending_at", ends),
            amount=amount("amount", result.get("amount")).scaleb(-2),
            currency=currency,
            vendor=options.vendor or "anthropic",
            model=text(result.get("model")),
            meter=meter,
            channel=channel_of(text(result.get("service_tier"))),
            description=text(result.get("description")),
            tags={name: text(result.get(name)) for name in _TAGS if result.get(name)},
            where=row.where,
        )

    return convert(json_items(source, _PATHS), build)
