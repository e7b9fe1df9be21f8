"""Start a contract: the ten lines that a vendor, a discount and a commitment make."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal

from offtake.catalog.catalog import Catalog
from offtake.contract.check import check
from offtake.contract.parse import parse
from offtake.contract.schema.field_types import percent, plain
from offtake.store.catalogs import open_catalog
from offtake.values.errors import ContractError, InputError
from offtake.values.periods import shift_months
from offtake.values.units import MoneyRate

FAMILIES = {"anthropic": "claude-*", "google": "gemini-*", "x-ai": "grok-*", "deepseek": "deepseek-*"}
"""The vendor's own models by a pattern, where it sells others' too or brings out more; all of them elsewhere."""

_FAILED = (
    "{http_5xx: free, timeout: free, vendor_truncation: free, refusal: billed, client_cancel: billed, "
    "client_error: billed}"
)


def start_contract(
    vendor: str, discount: Decimal, commitment: MoneyRate | None = None, *, buyer: str, start: date
) -> str:
    """The text of a contract of one year that checks clean. `discount` is a share; no commitment: pay as you go.

    InputError U198 for a vendor that has no prices in the catalogue.
    """
    catalog = open_catalog()
    if vendor not in catalog.vendors:
        raise InputError(
            "U198", f"no prices of a vendor {vendor!r}", hint=f"known: {', '.join(catalog.vendors)}; "
            "for a reseller start from the example contract aggregator-customer",
        )  # fmt: skip
    text = _written(catalog, vendor, discount, commitment, buyer, start)
    findings = check(parse(text, "contract.yaml"), catalog)
    if findings:
        raise ContractError.of(findings)
    return text


def _written(
    catalog: Catalog, vendor: str, discount: Decimal, commitment: MoneyRate | None, buyer: str, start: date
) -> str:
    currency = commitment.money.currency if commitment else "USD"
    term = f"{{from: {start}, until: {shift_months(start, 12)}, time_zone: UTC, currency: {currency}}}"
    models = json.dumps(FAMILIES.get(vendor, "*"))
    batch = catalog.batch_window(vendor) is not None
    prices = [f"discounts: [{{models: {models}, share: {percent(discount)}}}]"] if discount else ["basis: list"]
    prices += ["batch: {share: 50%}"] if batch else []
    lines = [
        "# Started by `offtake init`. Every term of the language: docs/reference/contract.md",
        f"contract: {re.sub(r'[^a-z0-9]+', '-', buyer.lower()).strip('-') or 'buyer'}-{vendor}-{start.year}",
        f"buyer: {json.dumps(buyer, ensure_ascii=False)}",
        f"vendor: {vendor}",
        f"term: {term}",
        "billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}",
        f"scope: {{models: [{models}], channels: [{'realtime, batch' if batch else 'realtime'}], access: [api]}}",
        f"prices: {{{', '.join([*prices, 'cache: catalog'])}}}",
    ]
    if commitment:
        amount = f"{plain(commitment.money.amount)} {currency} / {commitment.per or 'year'}"
        lines.append(
            f"commitments: [{{id: spend, amount: {amount}, pool: all_models, counts_at: contracted, true_up: year}}]"
        )
    return "\n".join([*lines, f"failed_requests: {_FAILED}"]) + "\n"
