"""FOCUS rows as usage: one row a token class (CSV, or rows of a Parquet file).

Source: FOCUS 1.2 column definitions and the working group's AI billing samples (specification/data/ai_billing,
ai_prompt_caching), November 2026: ConsumedQuantity in ConsumedUnit "Tokens" (or PricingQuantity in "1000000 Tokens"),
SkuMeter such as "Cached Input Tokens", SkuPriceDetails with ModelId, TokenDirection, TokenCacheAction (`x_` before
the names up to 1.3). Rows that are no usage are counted apart and left to the invoice reader: purchases, taxes,
credits, adjustments, and what of a commitment was not used (CommitmentDiscountStatus Unused). A row longer than a day
is refused. FOCUS says nothing of outcomes, contexts or numbers of requests (`count` is 0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from offtake.usage.fields import amount, grain_of, instant, json_object, text, whole
from offtake.usage.identity import Identities
from offtake.usage.outcomes import channel_of
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import NotUsage, Row, TextSource, convert, csv_rows
from offtake.values.errors import InputError

CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
_UNIT = re.compile(r"(\d[\d,_]*)?\s*(tokens?|requests?|searches)", re.IGNORECASE)


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain minute, hour or day, with one meter each."""
    identities = Identities("focus", options.account)

    def build(row: Row) -> UsageRecord | NotUsage:
        values = row.values
        if what := _not_usage(values):
            return NotUsage(row.where, what)
        details = details_of(values)
        start = instant("ChargePeriodStart", values.get("ChargePeriodStart"), options.time_zone)
        end = instant("ChargePeriodEnd", values.get("ChargePeriodEnd"), options.time_zone)
        meter = meter_of(values, details)
        if meter is None:
            raise InputError("U107", f"no meter of ours counts SkuMeter {text(values.get('SkuMeter'))!r}")
        return options.record(
            where=row.where,
            id=identities.of_row(values),
            used_at=start,
            grain=grain_of(start, end),
            count=0,
            vendor=vendor_of(values),
            model=model_of(values, details),
            account=text(values.get("SubAccountId") or values.get("BillingAccountId")),
            region=text(values.get("RegionId")) or "global",
            key_id=text(values.get("CredentialId")),
            channel=channel_of(details.get("ServiceTier", "")),
            tags={**tags_of(values), "principal": text(values.get("PrincipalId"))},
            quantities={meter: quantity_of(values)},
            outcome=None,
        )

    return convert(csv_rows(source), build)


def _not_usage(values: Mapping[str, Any]) -> str:
    """What a row is that is no usage; empty for usage. InputError for a category that FOCUS does not have."""
    category = text(values.get("ChargeCategory")) or "Usage"
    if category not in CATEGORIES:
        raise InputError("U102", f"unknown ChargeCategory {category!r}", hint="one of: " + ", ".join(CATEGORIES))
    if category != "Usage":
        return category
    return "Unused commitment" if text(values.get("CommitmentDiscountStatus")) == "Unused" else ""


def details_of(values: Mapping[str, Any]) -> dict[str, str]:
    """SkuPriceDetails as text by name, without the prefix `x_`."""
    details = json_object("SkuPriceDetails", values.get("SkuPriceDetails"))
    return {name.removeprefix("x_"): text(value) for name, value in details.items()}


def meter_of(values: Mapping[str, Any], details: Mapping[str, str]) -> str | None:
    """The meter of a row; None where it counts something that we do not meter, such as cache storage."""
    name = text(values.get("SkuMeter")).lower()
    action = details.get("TokenCacheAction", "").lower()
    unit = _UNIT.fullmatch(_unit(values))
    if unit is None:
        return None
    if not unit[2].lower().startswith("token"):
        return "web_searches" if "search" in name or "search" in unit[2].lower() else "requests"
    if action == "read" or "cached" in name or "cache read" in name:
        return "cache_read_tokens"
    if action == "write" or "cache write" in name:
        retention = details.get("TokenCacheRetention", "") + name
        return "cache_write_1h_tokens" if "1h" in retention or "1 hour" in retention else "cache_write_5m_tokens"
    direction = details.get("TokenDirection", "").lower() or name
    modality = details.get("TokenModality", "").lower() + name
    for way in ("output", "input"):
        if way in direction:
            kind = next((f"_{kind}" for kind in ("audio", "image") if kind in modality), "")
            return f"{way}{kind}_tokens"
    return None


def quantity_of(values: Mapping[str, Any]) -> int:
    """The pieces of a row: the consumed quantity, or the pricing quantity times the pieces in its unit."""
    if text(values.get("ConsumedQuantity")):
        return _pieces("ConsumedQuantity", values.get("ConsumedQuantity"), text(values.get("ConsumedUnit")))
    return _pieces("PricingQuantity", values.get("PricingQuantity"), text(values.get("PricingUnit")))


def model_of(values: Mapping[str, Any], details: Mapping[str, str]) -> str:
    """The model's id; failing that the resource's or the SKU's name is no model, and the field stays empty."""
    return details.get("ModelId", "") or text(values.get("x_ModelId"))


def vendor_of(values: Mapping[str, Any]) -> str:
    """Who sells the service, in lower case with hyphens."""
    name = next(
        (text(values.get(n)) for n in ("ServiceProviderName", "ProviderName", "PublisherName") if values.get(n)), ""
    )
    return name.lower().replace(" ", "-")


def tags_of(values: Mapping[str, Any]) -> dict[str, str]:
    """The column Tags, a JSON object."""
    return {name: text(value) for name, value in json_object("Tags", values.get("Tags")).items()}


def unit_size(unit: str) -> int | None:
    """The pieces in a unit: 1,000,000 for "1000000 Tokens"; None for units that are no tokens, requests or searches."""
    found = _UNIT.fullmatch(unit)
    return int((found[1] or "1").replace(",", "").replace("_", "")) if found else None


def _unit(values: Mapping[str, Any]) -> str:
    return text(values.get("ConsumedUnit") or values.get("PricingUnit"))


def _pieces(name: str, quantity: Any, unit: str) -> int:
    size = unit_size(unit)
    if size is None:
        raise InputError("U107", f"{name} is in {unit!r}, which are no tokens, requests or searches")
    return whole(name, quantity) if size == 1 else whole(name, format(amount(name, quantity) * size, "f"))
