"""What clauses are worth on what a plan buys under them: the plan's own usage, as it would be billed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from offtake.operations.value_contract import worth_of_clauses
from offtake.planner.value.demand import PARTS_OF_A_MONTH, of_plan
from offtake.planner.value.futures import Luck
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError
from tests.unit.export.plans import plan

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
