"""OpenAI's costs API: GET /v1/organization/costs, pages of daily buckets.

Source: openai 3.54 (types/admin/organization/usage_costs_response.py) and public importers, November 2026. Amounts are
dollars as JSON numbers, kept digit by digit. Ask with `group_by=line_item`: a line item is "gpt-5.4-2026-03-05,
cached input", perhaps with "priority | " before and ", long context" behind it, or a tool such as "web search tool
calls"; without it an amount has no model and no meter.
"""

from __future__ import annotations

import re
from typing import Any

from offtake.usage.charge import Charge
from offtake.usage.charges.reading import ChargeReading
from offtake.usage.documents import json_items
from offtake.usage.fields import amount, instant, json_object, text, whole
from offtake.usage.identity import Identities
from offtake.usage.outcomes import channel_of
from offtake.usage.reading import ReadOptions
from offtake.usage.rows import Row, TextSource, convert
from offtake.values.errors import InputError

_PATHS = (("data", "results"), ("results",))
_LINE_ITEM = re.compile(
    r"(?:(?P<tier>[\w ]+) \| )?(?P<model>[^,|]+?)(?: (?P<modality>audio|image|text))?, "
    r"(?P<piece>input|output|cached input|cache writes?)(?P<context>, long context)?"
)
_METERS = {
    "input": "input{}_tokens", "output": "output{}_tokens", "cached input": "cache_read{}_tokens",
    "cache write": "cache_write_5m_tokens", "cache writes": "cache_write_5m_tokens",
}  # fmt: skip
_TOOLS = {"web search tool calls": "web_searches", "file search tool calls": "storage_searches"}


def read(source: TextSource, options: ReadOptions) -> ChargeReading:
    """Charges of kind usage, one a result."""
    identities = Identities("openai-costs", options.account)

    def build(row: Row) -> Charge:
        bucket, result = row.parents[-1], row.values
        money = json_object("amount", result.get("amount"))
        currency = text(money.get("currency")).upper()
        if not currency:
            raise InputError("U109", "the amount has no currency")
        item = text(result.get("line_item"))
        starts, ends = bucket.get("start_time"), bucket.get("end_time")
        dimensions = [result.get(name) for name in ("line_item", "project_id", "api_key_id", "user_id", "api_source")]
        return Charge(
            id=identities.of_key([starts, ends, *dimensions]),
            starts_at=instant("start_time", starts),
            ends_at=instant("end_time", ends),
            amount=amount("amount.value", money.get("value")),
            currency=currency,
            vendor=options.vendor or "openai",
            description=item,
            tags={name: text(result.get(name)) for name in ("project_id", "api_key_id") if result.get(name)},
            where=row.where,
            **_what(item, result.get("quantity")),
        )

    return convert(json_items(source, _PATHS), build)


def _what(item: str, quantity: Any) -> dict[str, Any]:
    """Model, meter, quantity and channel of a line item, as far as it says them."""
    found = _LINE_ITEM.fullmatch(item)
    if found is None:
        meter = _TOOLS.get(item.lower())
        return {"meter": meter, "quantity": _pieces(quantity) if meter else None}
    modality = found["modality"] if found["modality"] in ("audio", "image") else ""
    meter = _METERS[found["piece"]].format(f"_{modality}" if modality else "")
    if meter == "cache_read_image_tokens":
        meter = "cache_read_tokens"
    return {
        "model": found["model"].strip(),
        "meter": meter,
        "quantity": _pieces(quantity),
        "channel": channel_of(found["tier"] or ""),
    }


def _pieces(quantity: Any) -> int | None:
    return None if quantity is None else whole("quantity", quantity)
