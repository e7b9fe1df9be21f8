"""A plan to draw: 148,800 USD of opus a month at list, with a direct deal and an aggregator on the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from offtake.operations.plan_offers import Asked, plan_offers
from offtake.planner.offers.result import PlanResult
from offtake.planner.profile.traffic import Batchable

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
HEADER = "id,used_at,vendor,model,workload,channel,grain,count,input_tokens,cache_read_tokens,output_tokens\n"
DIRECT = """\
contract: direct
buyer: Example Corp
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime, batch], access: [api]}
prices: {discounts: [{models: claude-*, share: 22%}], batch: {share: 50%}, cache: catalog}
fees: {platform: 1_000 USD / month}
commitments: [{id: spend, amount: 1_200_000 USD / year, pool: all_models, counts_at: contracted, true_up: year}]
failed_requests: billed
"""
ASKED = Asked(
    at=datetime(2026, 8, 1, tzinfo=UTC), catalogs=(CONTRACTS / "example-catalog.yaml",),
    rules=(Batchable("nightly", Decimal(1)),),
)  # fmt: skip
AGGREGATOR = str(CONTRACTS / "aggregator-customer" / "contract.yaml")


def write_usage(path: Path) -> Path:
    """A month: most of it chat, and a part that may wait a day."""
    rows = [
        f"{day}{name},2026-01-{day:02}T00:00Z,anthropic,claude-opus-4.7,{name},realtime,day,9,{tokens},0,{3 * tokens}"
        for day in range(1, 32)
        for name, tokens in (("chat", 50_000_000), ("nightly", 10_000_000))
    ]
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return path


@cache
def plan(scenarios: int = 1) -> PlanResult:
    """The plan, with its alternatives and steps; on many futures it signs nothing, for fear of less demand."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        direct = folder / "direct.yaml"
        direct.write_text(DIRECT)
        return plan_offers(
            [write_usage(folder / "usage.csv")], [str(direct), AGGREGATOR], replace(ASKED, scenarios=scenarios)
        )
