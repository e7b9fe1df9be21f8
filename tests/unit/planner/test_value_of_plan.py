"""What clauses are worth on what a plan buys under them: the plan's own usage, as it would be billed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.contract.parse import parse
from offtake.operations.value_contract import worth_of_clauses
from offtake.planner.offers.offer import Offer, fitted
from offtake.planner.value.demand import PARTS_OF_A_MONTH, of_plan
from offtake.planner.value.futures import Luck
from offtake.rating.clauses.reserved import SERVED
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError, UnpricedError
from tests.unit.export.plans import plan

EXAMPLE = Path(__file__).parents[3] / "contracts" / "example-catalog.yaml"
STILL = Luck(paths=2, spread=Decimal(0), price_changes=Decimal(0))
"""Futures in which nothing happens."""


def record(month: int, workload: str, tokens: int, *, model: str = "claude-opus-4.7") -> UsageRecord:
    return UsageRecord(
        id=f"{workload}/{month}", used_at=datetime(2026, month, 1, tzinfo=UTC), model=model, vendor="anthropic",
        workload=workload, quantities={"input_tokens": tokens}, count=2_000,
    )  # fmt: skip


def test_a_month_is_the_mean_of_the_plans_months() -> None:
    records = [record(1, "chat", 3_000_000), record(2, "chat", 1_000_000), record(2, "agents", 500_000)]
    demand = of_plan(records, 2, {"chat": (1.0, 2.0)})

    assert ["chat", "agents"] == [basket.name for basket in demand.baskets]
    months = [basket.records[0].quantities["input_tokens"] * PARTS_OF_A_MONTH for basket in demand.baskets]
    assert [2_000_000, 250_000] == months
    assert {"chat": (1.0, 2.0), "agents": ()} == demand.histories


def test_many_workloads_grow_as_one() -> None:
    demand = of_plan([record(1, f"workload {number}", 1_000_000) for number in range(9)], 1, {})

    assert ["all usage"] == [basket.name for basket in demand.baskets]
    assert 9 == len(demand.baskets[0].records)


def test_a_contract_that_nothing_is_sent_to_has_no_worth() -> None:
    with pytest.raises(InputError, match="the plan sends nothing there"):
        of_plan([], 12, {})


def test_a_discount_is_worth_its_share_of_what_is_bought() -> None:
    """1,636,800 a year at list, once the sixth that can wait is in batch: 22% of it, and 12,000 of fees."""
    found = plan()
    bought = [each for billed in found.billed for each in billed.usage]
    rows = {row.clause.path: row for row in worth_of_clauses(found.sign[0].paper, bought, found.histories, STILL)}

    discount, fee, floor = (rows[path].value for path in ("prices.discounts[0]", "fees.platform", "commitments[spend]"))
    assert discount
    assert fee
    assert floor
    assert Decimal("360096.00") == discount.mean == discount.low == discount.high
    assert Decimal(-12_000) == fee.mean
    assert Decimal(0) == floor.mean


RESERVED = """\
capacity:
  reserved: {models: claude-opus-*, input_tpm: 100, output_tpm: 100, price: 2_000 USD / month, spill: on_demand}
"""
TWO_YEARS = """\
contract: held
buyer: Example Corp
vendor: anthropic
term: {from: 2026-01-01, until: 2028-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime, batch], access: [api]}
prices: {discounts: [{models: claude-*, share: 20%}], batch: {share: 50%}, cache: catalog}
fees: {platform: 1_000 USD / month}
exit: {convenience: {notice: 60 days, fee_months: 24, fee_base: billed}}
failed_requests: billed
"""


def worth_of(served: str, text: str = TWO_YEARS + RESERVED) -> dict[str, Decimal]:
    """On 800 million input tokens of Opus a month, which are 4,000 USD at list."""
    offer = Offer("held", fitted(parse(text, "held.yaml"), 12), open_catalog([EXAMPLE]), ())
    bought = [replace(record(month, "chat", 800_000_000), tier_served=served) for month in range(1, 13)]
    return {row.clause.path: row.value.mean for row in worth_of_clauses(offer, bought, {}, STILL) if row.value}


def test_a_contract_that_was_cut_to_the_plans_months_is_priced_for_those_alone() -> None:
    """Its second year, which no usage reaches, bills its fees to nobody."""
    found = worth_of("")

    assert Decimal(-12_000) == found["fees.platform"]
    assert Decimal(-24_000) == found["capacity.reserved"]
    assert Decimal(12 * 800) == found["prices.discounts[0]"]


def test_what_a_reservation_serves_pays_the_rate_card_where_there_is_none() -> None:
    """12 × 3,200 at the rate card, where 2,000 a month are paid now; after an exit too, which does not pay here."""
    found = worth_of(SERVED)

    assert Decimal(12 * (3_200 - 2_000)) == found["capacity.reserved"]
    assert Decimal(0) == found["prices.discounts[0]"] == found["exit.convenience"]


def test_usage_that_a_contract_cannot_have_served_has_no_worth() -> None:
    with pytest.raises(UnpricedError, match="reserved capacity that the contract does not have"):
        worth_of(SERVED, TWO_YEARS)
