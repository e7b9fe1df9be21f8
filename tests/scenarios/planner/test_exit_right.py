"""The exit month: when a right to leave pays, by its fee, its notice and what the replacement costs.

A contract costs 1,000,000 a month. Leaving costs 3 months of it, 2 more run while notice is given, and then the
replacement costs the share a of today's bill: with m months left, 3 + 2 + a (m − 2) against m, so leaving pays only
while m > (5 − 2a) / (1 − a). Nobody leaves on less than three months' bills, so the first chance is after the third.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from offtake.contract.parse import parse
from offtake.planner.value.demand import EPOCH, of_series
from offtake.planner.value.exit_right import with_exits
from offtake.planner.value.futures import Luck
from offtake.planner.value.situation import Situation
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord
from offtake.values.money import total
from offtake.values.periods import shift_months

pytest.importorskip("numpy", reason="the extra `plan` is not installed")

CATALOG = open_catalog([Path(__file__).parents[3] / "contracts" / "example-catalog.yaml"])
RECORD = UsageRecord(
    id="series", used_at=EPOCH, vendor="anthropic", model="claude-opus-4.7", context_tokens=0,
    quantities={"output_tokens": 1_000},
)  # fmt: skip
LOOK_BACK = 3
NOTICE, FEE = 2, 3
MONTHLY = 1_000_000
CONTRACT = """\
contract: promised
buyer: Example Corp
vendor: anthropic
term: {{from: 2026-01-01, until: {until}, time_zone: UTC, currency: USD}}
billing: {{period: month, anchor: 1, rounding: {{where: line, places: 2, mode: half_even}}}}
scope: {{models: [claude-*], channels: [realtime, batch], access: [api]}}
prices: {{basis: list, batch: {{share: 50%}}, cache: catalog}}
commitments: [{{id: spend, amount: 1_000_000 USD / month, pool: all_models, counts_at: contracted, true_up: month}}]
failed_requests: billed
exit: {{convenience: {{notice: 60 days, fee_months: 3, fee_base: commitment_share}}}}
"""


def cost(months_left: int, replacement: str) -> tuple[Decimal, int]:
    """What all of the term costs, in months of the contract, and how many months are under it."""
    start = EPOCH.replace(year=2026).date()
    contract = parse(CONTRACT.format(until=shift_months(start, LOOK_BACK + months_left)), "promised.yaml")
    at_list = Decimal(replacement) * MONTHLY  # all of it pays list prices once the contract is left
    demand = of_series([at_list] * 4, "dollars", RECORD, CATALOG, contract.span.start)
    luck = Luck(paths=2, spread=Decimal(0), price_changes=Decimal(0))
    costs = Situation(contract=contract, demand=demand, catalog=CATALOG, luck=luck).valuation().costs
    (path, _), (stayed, _) = with_exits(costs, contract, costs.billed(contract))
    return total(path) / MONTHLY, stayed


@pytest.mark.parametrize(
    ("replacement", "break_even"),
    [
        pytest.param("0", 5, id="nothing replaces it: 5 / 1"),
        pytest.param("0.5", 8, id="half of today's cost: 4 / 0.5"),
        pytest.param("0.7", 12, id="0.7 of today's cost: 3.6 / 0.3"),
        pytest.param("0.9", 32, id="0.9 of today's cost: 3.2 / 0.1"),
    ],
)
def test_leaving_pays_only_while_more_months_are_left_than_the_break_even(replacement: str, break_even: int) -> None:
    whole_term = LOOK_BACK + break_even

    assert (Decimal(whole_term), whole_term) == cost(break_even, replacement)  # both cost the same: the buyer stays
    left, stayed = cost(break_even + 1, replacement)
    assert LOOK_BACK + NOTICE == stayed
    replaced = Decimal(replacement) * (break_even + 1 - NOTICE)
    assert LOOK_BACK + NOTICE + FEE + replaced == left
    assert left < whole_term + 1


def test_with_fourteen_months_left_the_fee_and_the_notice_are_5_million_against_14() -> None:
    assert (LOOK_BACK + Decimal(5), LOOK_BACK + NOTICE) == cost(14, "0")
