"""Each planted violation is found, under its rule, in its row and column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from offtake.export import focus
from offtake.export.focus_check import check
from offtake.export.focus_columns import COLUMNS, Row
from offtake.export.focus_rules import RULES
from tests.unit.export.made import TERM, contract, invoices, month, other, purchase, unused, usage

COVERED = {"commitment": "spend", "commitment_status": "used"}
USED, BOUGHT, UNUSED, PLAIN, CREDIT, RESERVED, CORRECTED = range(7)


def conforming() -> list[dict[str, Any]]:
    lines = [
        usage(month(1), 4, 15, 12, 0, **COVERED),
        purchase(TERM, 1200, 1200),
        unused(TERM, 1152, 0),
        usage(month(1), 2, 25, 20, meter="output_tokens", region="eu", by={"account": "org-7", "tag:team": "search"}),
        other("credit", "credits[0]", month(1), -50),
        usage(month(1), 1, 15, 0, 0, clause="capacity.reserved", meter="cache_read_tokens"),
        usage(month(2), 1, 15, 12, kind="correction", corrects=month(1)),
    ]
    return [dict(row) for row in focus.rows(invoices((month(1), lines)), contract())]


# rule, row, what is planted there
PLANTED: list[tuple[str, int, dict[str, Any]]] = [
    ("BilledCost-C-001-M", USED, {"BilledCost": None}),
    ("BilledCost-C-002-M", USED, {"BilledCost": "0"}),
    ("BilledCost-C-004-C", PLAIN, {"InvoiceIssuerName": "a marketplace"}),
    ("BillingAccountId-C-001-M", USED, {"BillingAccountId": None}),
    ("BillingCurrency-C-003-M", USED, {"BillingCurrency": "dollars"}),
    ("BillingPeriodEnd-C-004-M", USED, {"BillingPeriodEnd": month(1).start}),
    ("ChargePeriodEnd-C-004-M", USED, {"ChargePeriodStart": month(2).start}),
    ("ChargePeriodStart-C-001-M", USED, {"ChargePeriodStart": "2025-04-01"}),
    ("DateTimeFormat-A-000-M", USED, {"ChargePeriodStart": datetime(2025, 4, 1)}),  # noqa: DTZ001
    ("NumericFormat-A-000-M", PLAIN, {"EffectiveCost": Decimal("NaN")}),
    ("NumericFormat-A-000-M", PLAIN, {"EffectiveCost": Decimal("1e-19")}),
    ("NumericFormat-A-000-M", PLAIN, {"EffectiveCost": Decimal("1e20")}),
    ("NullHandling-A-000-M", PLAIN, {"RegionId": "", "RegionName": ""}),
    ("NullHandling-A-000-M", PLAIN, {"SkuMeter": "Not Applicable"}),
    ("KeyValueFormat-A-000-M", PLAIN, {"Tags": "team=search"}),
    ("KeyValueFormat-A-000-M", PLAIN, {"Tags": '{"team":{"name":"search"}}'}),
    ("KeyValueFormat-A-000-M", PLAIN, {"Tags": '{"team":"search","team":"chat"}'}),
    ("KeyValueFormat-A-000-M", PLAIN, {"SkuPriceDetails": '{"ModelId":"solora-saturn"}'}),
    ("UnitFormat-A-000-M", PLAIN, {"PricingUnit": "per 1M tokens"}),
    ("ChargeCategory-C-003-M", PLAIN, {"ChargeCategory": "Discount"}),
    ("ChargeClass-C-005-C", PLAIN, {"ChargeClass": "Regular"}),
    ("ChargeFrequency-C-003-M", PLAIN, {"ChargeFrequency": "Daily"}),
    ("ChargeFrequency-C-004-C", BOUGHT, {"ChargeFrequency": "Usage-Based"}),
    ("ListUnitPrice-C-004-C", PLAIN, {"ChargeCategory": "Tax"}),
    ("ListUnitPrice-C-005-C", PLAIN, {"ListUnitPrice": None}),
    ("ListUnitPrice-C-008-M", PLAIN, {"ListUnitPrice": Decimal(-25), "ListCost": Decimal(-50)}),
    ("ListUnitPrice-C-010-C", PLAIN, {"ListCost": Decimal("50.01")}),
    ("ListCost-C-008-C", CREDIT, {"ListCost": Decimal(0)}),
    ("ContractedUnitPrice-C-006-C", PLAIN, {"ContractedUnitPrice": None}),
    ("ContractedUnitPrice-C-009-C", PLAIN, {"ContractedUnitPrice": Decimal(-20), "ContractedCost": Decimal(-40)}),
    ("ContractedUnitPrice-C-011-C", PLAIN, {"ContractedCost": Decimal("40.000000000001")}),
    ("ContractedCost-C-008-C", CREDIT, {"ContractedCost": Decimal(0)}),
    ("EffectiveCost-C-005-C", BOUGHT, {"EffectiveCost": Decimal(1)}),
    ("EffectiveCost-C-010-C", CREDIT, {"EffectiveCost": Decimal(0)}),
    ("PricingQuantity-C-005-C", PLAIN, {"PricingQuantity": None}),
    ("PricingUnit-C-006-C", PLAIN, {"PricingUnit": None}),
    ("PricingCategory-C-004-C", PLAIN, {"PricingCategory": None}),
    ("PricingCategory-C-007-M", PLAIN, {"PricingCategory": "Spot"}),
    ("PricingCategory-C-008-C", PLAIN, {"PricingCategory": "Committed"}),
    ("PricingCategory-C-009-C", USED, {"PricingCategory": "Standard"}),
    ("ConsumedQuantity-C-004-C", UNUSED, {"ConsumedQuantity": Decimal(1), "ConsumedUnit": "Tokens"}),
    ("ConsumedQuantity-C-006-C", PLAIN, {"ConsumedQuantity": None, "ConsumedUnit": None}),
    ("ConsumedUnit-C-004-C", BOUGHT, {"ConsumedUnit": "Tokens"}),
    ("SkuId-C-005-C", PLAIN, {"SkuId": None, "SkuMeter": None}),
    ("SkuPriceId-C-005-C", PLAIN, {"SkuPriceId": None, "SkuPriceDetails": None}),
    ("SkuPriceId-C-008-M", PLAIN, {"SkuPriceId": "solora/solora-saturn-5.0/input_tokens/realtime/api/global"}),
    ("SkuMeter-C-005-C", PLAIN, {"SkuMeter": None}),
    ("SkuPriceDetails-C-004-C", CREDIT, {"SkuPriceDetails": '{"x_ModelId":"solora"}'}),
    ("ServiceCategory-C-003-M", PLAIN, {"ServiceCategory": "AI"}),
    ("ServiceName-C-008-C", PLAIN, {"ServiceSubcategory": "Bots"}),
    ("CommitmentDiscountCategory-C-004-C", USED, {"CommitmentDiscountCategory": None}),
    ("CommitmentDiscountCategory-C-005-M", USED, {"CommitmentDiscountCategory": "Money"}),
    ("CommitmentDiscountName-C-004-C", PLAIN, {"CommitmentDiscountName": "spend"}),
    ("CommitmentDiscountType-C-005-C", USED, {"CommitmentDiscountType": None}),
    ("CommitmentDiscountStatus-C-003-C", PLAIN, {"CommitmentDiscountStatus": "Used"}),
    ("CommitmentDiscountStatus-C-004-C", USED, {"CommitmentDiscountStatus": None}),
    ("CommitmentDiscountStatus-C-005-M", USED, {"CommitmentDiscountStatus": "Active"}),
    ("CommitmentDiscountQuantity-C-006-C", USED, {"CommitmentDiscountQuantity": None, "CommitmentDiscountUnit": None}),
    ("CommitmentDiscountQuantity-C-008-C", PLAIN, {"CommitmentDiscountQuantity": Decimal(1)}),
    ("CommitmentDiscountQuantity-C-009-C", USED, {"CommitmentDiscountQuantity": Decimal(0)}),
    ("CommitmentDiscountUnit-C-006-C", USED, {"CommitmentDiscountUnit": None}),
    ("CapacityReservationId-C-005-C", PLAIN, {"CapacityReservationStatus": "Unused"}),
    ("CapacityReservationStatus-C-003-C", PLAIN, {"CapacityReservationStatus": "Used"}),
    ("CapacityReservationStatus-C-004-C", RESERVED, {"CapacityReservationStatus": None}),
    ("CapacityReservationStatus-C-006-M", RESERVED, {"CapacityReservationStatus": "Full"}),
    ("RegionName-C-003-C", PLAIN, {"RegionName": None}),
    ("SubAccountName-C-004-C", PLAIN, {"SubAccountName": None}),
]  # fmt: skip


def rules_broken(rows: Sequence[Row], **options: Any) -> list[str]:
    return [violation.rule for violation in check(rows, **options)]


def test_the_rows_that_violations_are_planted_in_conform() -> None:
    assert [] == check(conforming(), payable={"acme-2025/2025-04-01": Decimal(1202)})


@pytest.mark.parametrize(("rule", "row", "planted"), PLANTED, ids=[f"{r}-{next(iter(p))}" for r, _, p in PLANTED])
def test_a_planted_violation_is_found(rule: str, row: int, planted: dict[str, Any]) -> None:
    rows = conforming()
    rows[row].update(planted)
    found = [(violation.rule, violation.row) for violation in check(rows)]
    assert (rule, row + 1) in found


@pytest.mark.parametrize("column", [column for column in COLUMNS if column.present], ids=lambda column: column.name)
def test_a_missing_column_is_found(column: Any) -> None:
    rows = conforming()
    for row in rows:
        del row[column.name]
    assert column.present in rules_broken(rows)


@pytest.mark.parametrize("column", [column for column in COLUMNS if column.never_null], ids=lambda column: column.name)
def test_a_null_where_none_may_be_is_found(column: Any) -> None:
    rows = conforming()
    rows[PLAIN][column.name] = None
    assert column.never_null in rules_broken(rows)


@pytest.mark.parametrize("column", [column for column in COLUMNS if column.typed], ids=lambda column: column.name)
def test_another_type_is_found(column: Any) -> None:
    rows = conforming()
    rows[PLAIN][column.name] = 7
    assert column.typed in rules_broken(rows)


def test_a_column_with_a_bad_name_is_found() -> None:
    rows = conforming()
    rows[0]["x_my column"] = "x"
    assert ["ColumnHandling-A-000-M"] == rules_broken(rows)


def test_an_invoice_that_does_not_add_up_is_found() -> None:
    assert ["BilledCost-C-006-M"] == rules_broken(conforming(), payable={"acme-2025/2025-04-01": Decimal(1202) + 1})


def test_a_term_whose_effective_cost_is_not_its_billed_cost_is_found() -> None:
    assert [] == rules_broken(conforming(), whole_term=True)
    rows = conforming()
    rows[UNUSED]["EffectiveCost"] = Decimal("1151.99")
    assert ["EffectiveCost-C-012-C", "x_EffectiveIsBilled"] == rules_broken(rows, whole_term=True)


def test_every_conditional_rule_is_planted_or_its_mirror_is() -> None:
    """A rule that no planted violation breaks would be a rule that nobody knows to work."""
    planted = {rule for rule, _, _ in PLANTED}
    mirrors = {
        "ContractedUnitPrice-C-005-C", "PricingQuantity-C-004-C", "PricingCategory-C-003-C", "SkuId-C-004-C",
        "SkuPriceId-C-004-C",  # as ListUnitPrice-C-004-C: all break when usage becomes a tax
        "PricingUnit-C-005-C", "ConsumedUnit-C-005-C", "SkuMeter-C-004-C", "CommitmentDiscountCategory-C-003-C",
        "CommitmentDiscountType-C-004-C", "CommitmentDiscountUnit-C-005-C", "SubAccountName-C-003-C",
    }  # fmt: skip
    assert set() == {rule.id for rule in RULES} - planted - mirrors
    rows = conforming()
    rows[PLAIN]["ChargeCategory"] = "Tax"
    for name in ("PricingQuantity", "ConsumedQuantity", "SkuId"):
        rows[USED][name] = None
    rows[USED]["ConsumedQuantity"], rows[USED]["ConsumedUnit"] = Decimal(1), None
    rows[CREDIT]["CommitmentDiscountCategory"], rows[CREDIT]["CommitmentDiscountType"] = "Spend", "Spend Commitment"
    rows[CREDIT]["CommitmentDiscountUnit"], rows[CREDIT]["SubAccountName"] = "USD", "org-7"
    assert set() == mirrors - set(rules_broken(rows))
