"""FOCUS rows as charges: BilledCost in BillingCurrency, with what it was charged for where the row says it.

Source: FOCUS 1.2 column definitions and the working group's AI billing samples, November 2026; see
usage/readers/focus.py for the token columns. Credits are negative, as FOCUS writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from offtake.usage.charge import Charge
from offtake.usage.charges.reading import ChargeReading
from offtake.usage.fields import amount, instant, text
from offtake.usage.identity import Identities
from offtake.usage.outcomes import channel_of
from offtake.usage.readers.focus import details_of, meter_of, model_of, quantity_of, tags_of, unit_size, vendor_of
from offtake.usage.reading import ReadOptions
from offtake.usage.rows import Row, TextSource, convert, csv_rows
from offtake.values.errors import InputError
from offtake.values.money import divide

_KINDS = {"Usage": "usage", "Purchase": "fee", "Tax": "tax", "Credit": "credit", "Adjustment": "credit"}


def read(source: TextSource, options: ReadOptions) -> ChargeReading:
    """Charges of every kind, one a row."""
    identities = Identities("focus", options.account)

    def build(row: Row) -> Charge:
        values = row.values
        category = text(values.get("ChargeCategory")) or "Usage"
        if category not in _KINDS:
            raise InputError("U102", f"unknown ChargeCategory {category!r}", hint="one of: " + ", ".join(_KINDS))
        details = details_of(values)
        meter = meter_of(values, details) if category == "Usage" else None
        return Charge(
            id=identities.of_row(values),
            starts_at=instant("ChargePeriodStart", values.get("ChargePeriodStart"), options.time_zone),
            ends_at=instant("ChargePeriodEnd", values.get("ChargePeriodEnd"), options.time_zone),
            amount=amount("BilledCost", values.get("BilledCost")),
            currency=_currency(values),
            vendor=options.vendor or vendor_of(values),
            model=model_of(values, details),
            meter=meter,
            quantity=quantity_of(values) if meter else None,
            unit_price=_unit_price(values),
            channel=channel_of(details.get("ServiceTier", "")),
            kind=_KINDS[category],
            description=text(values.get("ChargeDescription")),
            tags=tags_of(values),
            where=row.where,
        )

    return convert(csv_rows(source), build)


def _currency(values: Mapping[str, Any]) -> str:
    currency = text(values.get("BillingCurrency"))
    if not currency:
        raise InputError("U109", "the row has no BillingCurrency")
    return currency


def _unit_price(values: Mapping[str, Any]) -> Decimal | None:
    """Dollars a piece: the contracted price, or the list price, over the pieces in the pricing unit."""
    price = values.get("ContractedUnitPrice") or values.get("ListUnitPrice")
    size = unit_size(text(values.get("PricingUnit")))
    return None if not text(price) or size is None else divide(amount("unit price", price), size)
