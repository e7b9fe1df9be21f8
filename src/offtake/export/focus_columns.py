"""The columns of FOCUS 1.2 cost and usage that we write: type, level, allowed values and the rules that say so.

Rules are named as the requirements model of the specification names them: `CostAndUsage-D-006-M` says that BilledCost
is present, `BilledCost-C-002-M` that it is a decimal. `focus_check.py` runs them; `docs/reference/focus.md` lists them.

Left out, because nothing of an LLM contract triggers them: PricingCurrency and its three columns (no virtual currency,
no exchange: prices and bills share the contract's currency), Resource columns (nothing is provisioned),
AvailabilityZone, BillingAccountType and SubAccountType (one type each).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

Kind = Literal["decimal", "datetime", "string", "key_value"]
Level = Literal["mandatory", "recommended", "conditional", "custom"]
Value = str | Decimal | datetime | None
Row = Mapping[str, Value]
"""One FOCUS row. A key-value column holds the text of a JSON object."""

PLACES = 18
"""Decimals of every number: Parquet has DECIMAL(38,18)."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `present`, `typed`, `never_null` and `allowed` name the rules that demand it ("" where none does)."""

    name: str
    kind: Kind
    level: Level
    source: str
    present: str = ""
    typed: str = ""
    never_null: str = ""
    values: tuple[str, ...] = ()
    allowed: str = ""


def _column(
    name: str,
    kind: Kind,
    present: str,
    typed: str,
    source: str,
    never_null: str = "",
    values: tuple[str, ...] = (),
    allowed: str = "",
) -> Column:
    level: Level = {"M": "mandatory", "O": "recommended", "C": "conditional"}[present[-1]]  # type: ignore[assignment]
    rules = [f"{name}-C-{rule}" if rule else "" for rule in (typed, never_null, allowed)]
    return Column(name, kind, level, source, f"CostAndUsage-D-{present}", rules[0], rules[1], values, rules[2])


CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
FREQUENCIES = ("One-Time", "Recurring", "Usage-Based")
PRICINGS = ("Standard", "Committed", "Dynamic", "Other")
STATUSES = ("Used", "Unused")
SERVICE_CATEGORY = "AI and Machine Learning"
SERVICE_SUBCATEGORIES = (
    "AI Platforms", "Bots", "Generative AI", "Machine Learning", "Natural Language Processing",
    "Other (AI and Machine Learning)",
)  # fmt: skip

COLUMNS: tuple[Column, ...] = (
    _column("BilledCost", "decimal", "006-M", "002-M", "line's billed amount", "001-M"),
    _column("BillingAccountId", "string", "024-M", "002-M", "`contract`", "001-M"),
    _column("BillingAccountName", "string", "005-M", "001-M", "`buyer`", "003-C"),
    _column("BillingCurrency", "string", "035-M", "001-M", "`term.currency`", "004-M"),
    _column("BillingPeriodEnd", "datetime", "010-M", "001-M", "end of the invoice's period", "003-M"),
    _column("BillingPeriodStart", "datetime", "009-M", "001-M", "start of the invoice's period", "003-M"),
    _column("CapacityReservationId", "string", "065-C", "001-M", "contract and `capacity.reserved`"),
    _column("CapacityReservationStatus", "string", "020-C", "001-M", "Used where the reservation served the usage",
            values=STATUSES, allowed="006-M"),
    _column("ChargeCategory", "string", "008-M", "001-M", "line's kind", "002-M", CATEGORIES, "003-M"),
    _column("ChargeClass", "string", "026-M", "001-M", "Correction where the line corrects a closed period",
            values=("Correction",), allowed="005-C"),
    _column("ChargeDescription", "string", "025-M", "001-M", "line's arithmetic in words", "003-O"),
    _column("ChargeFrequency", "string", "027-O", "001-M", "line's kind", "002-M", FREQUENCIES, "003-M"),
    _column("ChargePeriodEnd", "datetime", "028-M", "001-M", "end of the line's period, or the corrected", "003-M"),
    _column("ChargePeriodStart", "datetime", "037-M", "001-M", "start of the same", "003-M"),
    _column("CommitmentDiscountCategory", "string", "016-C", "001-M", "Spend for money, Usage for tokens",
            values=("Spend", "Usage"), allowed="005-M"),
    _column("CommitmentDiscountId", "string", "013-C", "001-M", "contract and the commitment's id"),
    _column("CommitmentDiscountName", "string", "012-C", "001-M", "the commitment's id"),
    _column("CommitmentDiscountQuantity", "decimal", "018-C", "001-M", "what was bought, drawn or left unused"),
    _column("CommitmentDiscountStatus", "string", "017-C", "001-M", "line's commitment status",
            values=STATUSES, allowed="005-M"),
    _column("CommitmentDiscountType", "string", "014-C", "001-M", "spend, token, or prepaid balance"),
    _column("CommitmentDiscountUnit", "string", "015-C", "001-M", "the currency, or Tokens"),
    _column("ConsumedQuantity", "decimal", "011-C", "001-M", "line's quantity: tokens, requests, searches"),
    _column("ConsumedUnit", "string", "066-C", "001-M", "line's unit"),
    _column("ContractedCost", "decimal", "030-M", "001-M", "line's contracted amount", "003-M"),
    _column("ContractedUnitPrice", "decimal", "034-C", "002-M", "line's unit price, a pricing unit"),
    _column("EffectiveCost", "decimal", "031-M", "001-M", "line's effective amount", "003-M"),
    _column("InvoiceId", "string", "033-O", "001-M", "contract and first day of the invoice's period"),
    _column("InvoiceIssuerName", "string", "023-M", "001-M", "`vendor`", "003-M"),
    _column("ListCost", "decimal", "032-M", "001-M", "line's list amount", "003-M"),
    _column("ListUnitPrice", "decimal", "004-C", "001-M", "list amount a pricing unit"),
    _column("PricingCategory", "string", "022-C", "001-M", "Committed where a commitment covers the usage",
            values=PRICINGS, allowed="007-M"),
    _column("PricingQuantity", "decimal", "036-M", "001-M", "quantity in pricing units: tokens / 1000000"),
    _column("PricingUnit", "string", "068-M", "001-M", "1000000 Tokens, 1000 Requests, USD, Seats, …"),
    _column("ProviderName", "string", "038-M", "001-M", "`vendor`", "003-M"),
    _column("PublisherName", "string", "021-M", "001-M", "who made the model", "003-M"),
    _column("RegionId", "string", "063-C", "001-M", "line's region; null for global"),
    _column("RegionName", "string", "062-C", "001-M", "the same"),
    _column("ServiceCategory", "string", "040-M", "001-M", "fixed", "002-M", (SERVICE_CATEGORY,), "003-M"),
    _column("ServiceName", "string", "041-M", "001-M", "vendor's API", "003-M"),
    _column("ServiceSubcategory", "string", "042-O", "001-M", "fixed", "002-M", SERVICE_SUBCATEGORIES, "003-M"),
    _column("SkuId", "string", "060-C", "001-M", "vendor, model and meter; vendor and clause for fees"),
    _column("SkuMeter", "string", "059-C", "001-M", "meter: Input Tokens, Cached Input Tokens, …"),
    _column("SkuPriceDetails", "key_value", "061-C", "001-M", "model, token direction, cache action, channel"),
    _column("SkuPriceId", "string", "058-C", "001-M", "SkuId with channel, access and region"),
    _column("SubAccountId", "string", "019-C", "001-M", "line's account, where lines are split by account"),
    _column("SubAccountName", "string", "029-C", "001-M", "the same"),
    _column("Tags", "key_value", "064-C", "001-M", "line's other splits: workload, team, cost centre, …"),
    Column("x_LineId", "string", "custom", "line's id, to follow with `offtake explain`"),
    Column("x_Clause", "string", "custom", "the clause that made the line"),
    Column("x_Outcome", "string", "custom", "outcome of the requests, where lines are split by it"),
    Column("x_BilledCostHigh", "decimal", "custom", "upper billed amount, where the data cannot decide"),
    Column("x_EffectiveCostHigh", "decimal", "custom", "upper effective amount, likewise"),
)  # fmt: skip

BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}
NAMES: tuple[str, ...] = tuple(BY_NAME)
