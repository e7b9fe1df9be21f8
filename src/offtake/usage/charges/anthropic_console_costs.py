"""The cost export of Anthropic's console: one row a day, model, key, workspace, usage type and token type.

Columns: usage_date_utc, model, workspace, api_key, usage_type, context_window, token_type, cost_usd, list_price_usd,
cost_type, inference_geo, speed, api_key_id. Source: exports described in public importers, read November 2026. Costs
are rounded to cents by row; models have their display names ("Claude Haiku 4.5"); there are no quantities.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from offtake.usage.charge import Charge
from offtake.usage.charges.reading import ChargeReading
from offtake.usage.fields import amount, instant, text
from offtake.usage.identity import Identities
from offtake.usage.outcomes import channel_of
from offtake.usage.reading import ReadOptions
from offtake.usage.rows import Row, TextSource, convert, csv_rows
from offtake.values.errors import InputError

_METERS = {
    "input_no_cache": "input_tokens",
    "input_cache_read": "cache_read_tokens",
    "input_cache_write_5m": "cache_write_5m_tokens",
    "input_cache_write_1h": "cache_write_1h_tokens",
    "output": "output_tokens",
}
_TAGS = ("workspace", "api_key", "context_window", "inference_geo", "speed")
_DIMENSIONS = ("usage_date_utc", "model", "usage_type", "token_type", "cost_type", "api_key_id", *_TAGS)


def read(source: TextSource, options: ReadOptions) -> ChargeReading:
    """Charges of kind usage, one a row."""
    identities = Identities("anthropic-console-costs", options.account)

    def build(row: Row) -> Charge:
        def said(name: str) -> str:
            return text(row.values.get(name))

        starts = instant("usage_date_utc", said("usage_date_utc"), UTC)
        token_type, cost_type = said("token_type"), said("cost_type")
        if token_type and token_type not in _METERS:
            raise InputError("U102", f"unknown token_type {token_type!r}", hint="one of: " + ", ".join(_METERS))
        return Charge(
            id=identities.of_row([said(name) for name in _DIMENSIONS]),
            starts_at=starts,
            ends_at=starts + timedelta(days=1),
            amount=amount("cost_usd", said("cost_usd")),
            currency="USD",
            vendor=options.vendor or "anthropic",
            model=said("model"),
            meter="web_searches" if cost_type == "web_search" else _METERS.get(token_type),
            channel=channel_of(said("usage_type")),
            description=", ".join(word for word in (said("model"), token_type or cost_type) if word),
            tags={name: said(name) for name in _TAGS if said(name)},
            where=row.where,
        )

    return convert(csv_rows(source), build)
