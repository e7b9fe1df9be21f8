"""FOCUS rows of known agreements: the specification's own examples, with their figures."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from offtake.catalog.list_price import ModelFacts
from offtake.export import focus
from offtake.export.focus_check import check
from offtake.export.focus_columns import NAMES, Row
from offtake.rating.lines import Invoices
from tests.unit.export.made import (
    MILLION,
    TERM,
    amounts,
    contract,
    invoices,
    month,
    other,
    purchase,
    unused,
    usage,
)


def exported(of: Invoices, *, whole_term: bool = True) -> list[Row]:
    rows = list(focus.rows(of, contract()))
    payable = {focus.invoice_id(invoice, contract()): invoice.total for invoice in of.invoices}
    assert [] == [str(violation) for violation in check(rows, whole_term=whole_term, payable=payable)]
    return rows


def column(rows: list[Row], name: str) -> list[object]:
    return [row[name] for row in rows]


def numbers(*values: object) -> list[Decimal]:
    return [Decimal(str(value)) for value in values]


COVERED = {"commitment": "spend", "commitment_status": "used"}


def test_a1_commitment_billed_in_arrears() -> None:
    """A1: 1,200 USD a year at 20% off list 15: 48 + 120 + 60 used; 1,200 − 228 = 972 unused in the last month."""
    used = [(month(n), [usage(month(n), q, 15, 12, **COVERED)]) for n, q in ((1, 4), (2, 10), (3, 5))]
    rows = exported(invoices(*used, (month(12), [unused(TERM, 972, 972)])))
    assert numbers(60, 150, 75, 972) == column(rows, "ListCost")
    assert numbers(48, 120, 60, 972) == column(rows, "ContractedCost")
    assert numbers(48, 120, 60, 972) == column(rows, "EffectiveCost") == column(rows, "BilledCost")
    assert numbers(15, 15, 15, 1) == column(rows, "ListUnitPrice")
    assert ["Used", "Used", "Used", "Unused"] == column(rows, "CommitmentDiscountStatus")
    assert numbers(48, 120, 60, 972) == column(rows, "CommitmentDiscountQuantity")
    assert Decimal(1200) == sum(numbers(*column(rows, "BilledCost")))


def test_a2_monthly_minimum() -> None:
    """A2: at least 60 a month: April 48 + 12, May 120, June 60, July to February 8 × 60, March 480: 1,200."""
    months = [(month(n), [usage(month(n), q, 15, 12, **COVERED)]) for n, q in ((1, 4), (2, 10), (3, 5))]
    months[0][1].append(unused(month(1), 12, 12))
    months += [(month(n), [unused(month(n), 60, 60)]) for n in range(4, 12)]
    rows = exported(invoices(*months, (month(12), [unused(TERM, 480, 480)])))
    assert numbers(48, 12, 120, 60, *[60] * 8, 480) == column(rows, "BilledCost")
    assert column(rows, "BilledCost") == column(rows, "EffectiveCost")
    assert Decimal(1200) == sum(numbers(*column(rows, "EffectiveCost")))


def test_b1_prepaid_purchase_bills_and_usage_costs() -> None:
    """B1: as A1 but prepaid: the purchase bills 1,200 and costs 0; every other row bills 0 and costs the same."""
    used = [(month(n), [usage(month(n), q, 15, 12, 0, **COVERED)]) for n, q in ((1, 4), (2, 10), (3, 5))]
    used[0][1].insert(0, purchase(TERM, 1200, 1200))
    rows = exported(invoices(*used, (month(12), [unused(TERM, 972, 0)])))
    assert numbers(1200, 0, 0, 0, 0) == column(rows, "BilledCost")
    assert numbers(0, 48, 120, 60, 972) == column(rows, "EffectiveCost")
    assert ["Purchase", "Usage", "Usage", "Usage", "Usage"] == column(rows, "ChargeCategory")
    assert ["Standard", "Committed", "Committed", "Committed", "Committed"] == column(rows, "PricingCategory")
    assert [None, "Used", "Used", "Used", "Unused"] == column(rows, "CommitmentDiscountStatus")
    assert TERM.end == rows[0]["ChargePeriodEnd"]
    assert month(1).end == rows[0]["BillingPeriodEnd"]


def test_b2_prepaid_with_monthly_minimum() -> None:
    """B2: as A2 but prepaid."""
    months = [(month(n), [usage(month(n), q, 15, 12, 0, **COVERED)]) for n, q in ((1, 4), (2, 10), (3, 5))]
    months[0][1].insert(0, purchase(TERM, 1200, 1200))
    months[0][1].append(unused(month(1), 12, 0))
    months += [(month(n), [unused(month(n), 60, 0)]) for n in range(4, 12)]
    rows = exported(invoices(*months, (month(12), [unused(TERM, 480, 0)])))
    assert numbers(1200, *[0] * 13) == column(rows, "BilledCost")
    assert numbers(0, 48, 12, 120, 60, *[60] * 8, 480) == column(rows, "EffectiveCost")


def test_ai_billing_one_row_a_token_class() -> None:
    """AI billing: 10M in @5 = 50, 2M out @25 = 50, 3M @0.75 = 2.25, 0.5M @4.5 = 2.25; 8M cached @0.3 = 2.4."""
    june = month(3)
    lines = [
        usage(june, 10, 5, 5),
        usage(june, 2, 25, 25, meter="output_tokens"),
        usage(june, 3, "0.75", "0.75", model="solora-mini"),
        usage(june, "0.5", "4.5", "4.5", model="solora-mini", meter="output_tokens"),
        usage(june, 8, "0.3", "0.3", meter="cache_read_tokens"),
        usage(june, 1, "6.25", "6.25", meter="cache_write_5m_tokens"),
    ]
    rows = exported(invoices((june, lines)))
    assert numbers(50, 50, "2.25", "2.25", "2.4", "6.25") == column(rows, "ListCost")
    assert numbers(10_000_000, 2_000_000, 3_000_000, 500_000, 8_000_000, 1_000_000) == column(rows, "ConsumedQuantity")
    assert numbers(10, 2, 3, "0.5", 8, 1) == column(rows, "PricingQuantity")
    assert {"Tokens"} == set(column(rows, "ConsumedUnit"))
    assert {"1000000 Tokens"} == set(column(rows, "PricingUnit"))
    meters = ["Input Tokens", "Output Tokens", "Cache Read Input Tokens", "Cache Write 5m Input Tokens"]
    assert meters == list(dict.fromkeys(column(rows, "SkuMeter")))
    assert "solora/solora-saturn-5.0/input_tokens" == rows[0]["SkuId"]
    assert "solora/solora-saturn-5.0/input_tokens/realtime/api/global" == rows[0]["SkuPriceId"]


def test_drawdown_of_a_prepayment() -> None:
    """AI drawdown: 500,000 USD bought; 5M in at list 5, contracted 4 = 20.00; 1.5M out at 25, 20 = 30.00; billed 0."""
    lines = [
        purchase(TERM, 500_000, 500_000),
        usage(month(2), 5, 5, 4, 0, **COVERED),
        usage(month(2), "1.5", 25, 20, 0, meter="output_tokens", **COVERED),
    ]
    rows = exported(invoices((month(2), lines)), whole_term=False)
    assert numbers(500_000, 0, 0) == column(rows, "BilledCost")
    assert numbers(0, 20, 30) == column(rows, "EffectiveCost")
    assert numbers(500_000, 25, "37.5") == column(rows, "ListCost")
    assert numbers(500_000, 20, 30) == column(rows, "CommitmentDiscountQuantity")
    assert {"Spend"} == set(column(rows, "CommitmentDiscountCategory"))
    assert {"acme-2025/spend"} == set(column(rows, "CommitmentDiscountId"))


def test_the_commitment_counts_in_its_own_unit() -> None:
    """Counted at list 4 × 15 = 60; 2M output tokens of weight 5 are 10M; a cache write of any kind weighs 1.25."""
    june = month(3)
    lines = [
        usage(june, 4, 15, 12, commitment="listed", commitment_status="used"),
        usage(june, 2, 25, 20, meter="output_tokens", commitment="tokens", commitment_status="used"),
        usage(june, 2, 5, 5, meter="cache_write_1h_tokens", commitment="tokens", commitment_status="used"),
        usage(june, 1, 5, 5, meter="web_searches", commitment="wallet", commitment_status="used"),
    ]
    rows = exported(invoices((june, lines)))
    assert numbers(60, 10 * MILLION, 2_500_000, 5) == column(rows, "CommitmentDiscountQuantity")
    assert ["USD", "Tokens", "Tokens", "USD"] == column(rows, "CommitmentDiscountUnit")
    assert ["Spend", "Usage", "Usage", "Spend"] == column(rows, "CommitmentDiscountCategory")
    types = ["Spend Commitment", "Token Commitment", "Token Commitment", "Prepaid Balance"]
    assert types == column(rows, "CommitmentDiscountType")


def test_free_usage_draws_no_commitment() -> None:
    """Usage that a policy makes free: list 15, contracted 0; nothing of the commitment moves."""
    free = usage(month(1), 1, 15, 0, 0, clause="failed_requests.http_5xx", **COVERED)
    row = exported(invoices((month(1), [free])))[0]
    assert (Decimal(15), Decimal(0)) == (row["ListUnitPrice"], row["ContractedUnitPrice"])
    assert (None, "Standard") == (row["CommitmentDiscountId"], row["PricingCategory"])


def test_a_correction_keeps_its_period_and_bills_in_the_new_one() -> None:
    """Late usage of April, billed in May."""
    late = usage(month(2), 1, 15, 12, kind="correction", corrects=month(1))
    row = exported(invoices((month(2), [late])))[0]
    assert ("Correction", "Usage") == (row["ChargeClass"], row["ChargeCategory"])
    assert (month(1).start, month(1).end) == (row["ChargePeriodStart"], row["ChargePeriodEnd"])
    assert (month(2).start, month(2).end) == (row["BillingPeriodStart"], row["BillingPeriodEnd"])
    assert "acme-2025/2025-05-01" == row["InvoiceId"]


def test_fees_credits_and_adjustments() -> None:
    lines = [
        other("fee", "fees.platform", month(1), 10_000),
        other("fee", "fees.seats", month(1), 80_000, quantity=Decimal(2_000), unit_price=Decimal(40), unit="seat"),
        other("credit", "credits[0]", month(1), -500, amounts=amounts(0, 0, -500, -500)),
        other("adjustment", "prices.tiers", month(1), -75, unit="USD"),
        other("fee", "capacity.reserved", month(1), 180_000),
        usage(month(1), 100, 5, 0, 0, clause="capacity.reserved"),
    ]
    rows = exported(invoices((month(1), lines)))
    categories = ["Purchase", "Purchase", "Credit", "Adjustment", "Purchase", "Usage"]
    assert categories == column(rows, "ChargeCategory")
    assert "Seats" == rows[1]["PricingUnit"]
    assert Decimal(40) == rows[1]["ContractedUnitPrice"]
    assert numbers(-500) == numbers(rows[2]["ListCost"])  # a credit's four costs are one
    assert [None, None, None, None, None, "Used"] == column(rows, "CapacityReservationStatus")
    assert ["acme-2025/capacity.reserved"] * 2 == column(rows, "CapacityReservationId")[4:]
    assert ["Recurring", "Recurring", "One-Time", "One-Time", "Recurring", "Usage-Based"] == column(
        rows, "ChargeFrequency"
    )


def test_an_invoice_that_rounds_as_a_whole_has_a_rounding_row() -> None:
    """12.345 + 0.001 is asked for as 12.35: the row of 0.004 makes Σ BilledCost the total."""
    lines = [usage(month(1), "1.02875", 15, 12), usage(month(1), "0.001", 1, 1, meter="output_tokens")]
    rows = exported(invoices((month(1), lines), totals={month(1): Decimal("12.35")}))
    assert Decimal("0.004") == rows[-1]["BilledCost"]
    assert "billing.rounding" == rows[-1]["x_Clause"]


def test_what_has_no_list_price_is_listed_at_its_cost() -> None:
    """As the specification's examples: the purchase of 1,140 for 1,200 of drawdown, and 950 of it unused."""
    lines = [
        replace(purchase(TERM, 1200, 1140), amounts=amounts(0, 0, 0, 1140)),
        usage(month(1), "16.6666", 15, 12, 0, amounts=amounts(250, 200, 190, 0), **COVERED),
        unused(month(1), 1000, 0, amounts=amounts(0, 0, 950, 0), unit_price=Decimal(0)),
        other("commitment", "commitments[0].overage", month(1), 30, commitment="spend", commitment_status="used"),
    ]
    rows = exported(invoices((month(1), lines)))
    assert numbers(1140, 250, 950, 30) == column(rows, "ListCost")
    assert numbers(1140, 0, 0, 30) == column(rows, "BilledCost")
    assert numbers(1200, 200, 1000) == column(rows, "CommitmentDiscountQuantity")[:3]
    assert "Adjustment" == rows[3]["ChargeCategory"]  # a premium on what lies beyond is no usage of the commitment


def test_a_lot_of_a_commitment_is_that_commitment() -> None:
    line = usage(month(1), 1, 15, 12, 0, commitment="spend rollover", commitment_status="used")
    assert "acme-2025/spend" == next(focus.rows(invoices((month(1), [line])), contract()))["CommitmentDiscountId"]


def test_a_line_of_a_day_has_that_day_as_its_charge_period() -> None:
    row = exported(invoices((month(1), [usage(month(1), 1, 5, 5, by={"day": "2025-04-30"})])))[0]
    assert (datetime(2025, 4, 30, tzinfo=UTC), month(1).end) == (row["ChargePeriodStart"], row["ChargePeriodEnd"])
    assert None is row["Tags"]


def test_splits_become_sub_account_and_tags() -> None:
    line = usage(month(1), 1, 5, 5, by={"account": "org-7", "tag:team": "search", "workload": "chat"}, region="eu")
    row = exported(invoices((month(1), [line])))[0]
    assert ("org-7", "org-7", "eu") == (row["SubAccountId"], row["SubAccountName"], row["RegionId"])
    assert {"team": "search", "workload": "chat"} == json.loads(str(row["Tags"]))


def test_model_details_are_stated_only_where_known() -> None:
    of = invoices((month(1), [usage(month(1), 1, 5, 5, model="claude-opus-4-7")]))
    facts = {"claude-opus-4-7": ModelFacts("claude-opus-4-7", "anthropic", "claude-opus")}
    with_facts, without = (next(focus.rows(of, contract(), models)) for models in (facts, {}))
    details = {"x_ModelFamily": "claude-opus", "x_ModelVersion": "4-7", "x_ModelDeveloper": "anthropic"}
    assert details.items() <= json.loads(str(with_facts["SkuPriceDetails"])).items()
    assert {"x_TokenDirection": "Input", "x_TokenCacheAction": "Uncached"}.items() <= json.loads(
        str(without["SkuPriceDetails"])
    ).items()
    assert "x_ModelFamily" not in json.loads(str(without["SkuPriceDetails"]))


def test_a_range_shows_its_upper_end_beside_it() -> None:
    line = usage(month(1), 1, 5, 5, high=amounts(10, 10, 10, 10))
    row = exported(invoices((month(1), [line])))[0]
    assert (Decimal(5), Decimal(10)) == (row["BilledCost"], row["x_BilledCostHigh"])


def test_every_row_has_every_column_in_order() -> None:
    for row in focus.rows(invoices((month(1), [usage(month(1), 1, 5, 5)])), contract()):
        assert NAMES == tuple(row)
