"""Laws of every plan: all is served, nothing is lost, and it never costs more than buying as today."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import hypothesis.strategies as st
from hypothesis import given, settings

from offtake.contract.list_only import list_contract
from offtake.contract.parse import parse
from offtake.planner.demand.draw import level_path
from offtake.planner.offers.assemble import laid_out
from offtake.planner.offers.list_today import ListToday
from offtake.planner.offers.offer import Offer, fitted
from offtake.planner.offers.parts import Slicer, parts_of
from offtake.planner.offers.planned import Setting, planned
from offtake.planner.offers.problem import Risk, Watch
from offtake.planner.offers.result import PlanResult
from offtake.planner.offers.ways import Menu
from offtake.planner.profile.traffic import Batchable, observe
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord

DEAL = """\
contract: deal{number}
buyer: Example Corp
vendor: {vendor}
term: {{from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}}
billing: {{period: month, anchor: 1, rounding: {{where: line, places: 2, mode: half_even}}}}
scope: {{models: [claude-*], channels: [realtime, batch], access: [api]}}
prices: {{discounts: [{{models: claude-*, share: {share}%}}], batch: {{share: 50%}}, cache: catalog}}
{commitment}failed_requests: billed
"""
COMMITMENT = """\
commitments:
  - {{id: spend, amount: {amount} USD / year, pool: all_models, counts_at: contracted, true_up: {every}}}
"""
AT = datetime(2026, 8, 1, tzinfo=UTC)
CATALOG = ListToday(open_catalog(), AT)

workloads = st.lists(
    st.tuples(
        st.sampled_from(["chat", "search", "code"]),
        st.sampled_from(["claude-opus-4-5", "claude-haiku-4-5"]),
        st.integers(0, 2 * 10**9),
        st.integers(1, 10**9),
    ),
    min_size=1,
    max_size=4,
)
deals = st.lists(
    st.tuples(
        st.sampled_from(["anthropic", "example-aggregator"]),
        st.integers(0, 40),
        st.one_of(st.none(), st.tuples(st.integers(1_000, 400_000), st.sampled_from(["month", "year"]))),
    ),
    max_size=3,
)


def plan_of(usage: list[tuple[str, str, int, int]], table: list[Offer], waits: int) -> PlanResult:
    records = [
        UsageRecord(
            id=str(number), used_at=AT, vendor="anthropic", model=model, workload=name,
            quantities={"input_tokens": tokens_in, "output_tokens": tokens_out},
        )
        for number, (name, model, tokens_in, tokens_out) in enumerate(usage)
    ]  # fmt: skip
    slicer = Slicer()
    rules = [Batchable("chat", Decimal(waits) / 100)]
    traffic = observe(slicer.passing(records))
    parts = parts_of([(each.workload(rules), each.form) for each in traffic], slicer, Decimal(1))
    public = Offer("list prices", fitted(list_contract(AT.date(), AT.date()), 3), CATALOG, (), True)
    names = tuple(dict.fromkeys(part.workload.name for part in parts))
    forecast = level_path(names, ("anthropic",), months=3)
    return planned(
        Setting(
            table=laid_out(parts, (*table, public), (), Menu({})), menu=Menu({}), today=public, paths=forecast,
            forecast=forecast, risk=Risk(), clouds=(), peak=1.0, halves=None, volumes={}, priced_at=AT,
        ),
        Watch(),
    )  # fmt: skip


def offers_of(found: list[tuple[str, int, tuple[int, str] | None]]) -> list[Offer]:
    made = []
    for number, (vendor, share, promise) in enumerate(found):
        commitment = COMMITMENT.format(amount=promise[0], every=promise[1]) if promise else ""
        text = DEAL.format(number=number, vendor=vendor, share=share, commitment=commitment)
        made.append(Offer(f"deal{number}", fitted(parse(text, "deal.yaml"), 3), CATALOG))
    return made


@settings(max_examples=min(40, settings().max_examples))  # each is a plan with all of its bills
@given(workloads, deals, st.integers(0, 100))
def test_a_plan_serves_all_and_costs_no_more_than_today(
    usage: list[tuple[str, str, int, int]], found: list[tuple[str, int, tuple[int, str] | None]], waits: int
) -> None:
    plan = plan_of(usage, offers_of(found), waits)

    assert plan.cost <= plan.today + Decimal("0.05")  # invoices of deals round each line
    shares: dict[tuple[str, bool, str], Decimal] = {}
    for each in plan.route:
        key = (each.workload, each.can_wait, each.today)
        shares[key] = shares.get(key, Decimal(0)) + each.share
    assert all(abs(share - 1) < Decimal("0.001") for share in shares.values())
    assert plan.search.bound <= plan.search.objective
    assert all(each.more >= 0 for each in plan.alternatives)
    assert plan.today - sum(step.saving for step in plan.waterfall) == plan.cost
    if not any(promise and promise[1] == "month" for _, _, promise in found):
        assert abs(plan.difference) < Decimal("0.30")  # nothing is left out of the search but roundings
