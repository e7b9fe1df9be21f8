"""How fast every clause of a contract is priced: 2,000 futures of 24 months, 25 clauses, on one core.

The contract has what a mid-size one has and more: freeze, price drops, discounts, a step, tiers, cheaper hours,
commitment with rollover and ramp, fees, credits, failed requests. The demand is two models in realtime and in
batch, with failures. Every figure is made by the engine that rates invoices.

    seconds                   all clauses and the contract itself, CPU time of one core
    paths·clauses·months/s    what that is a second; each is one month of one future under one contract
    runs shared               runs that were asked for and had been made for another clause
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from bench.figures import Figure, arguments, show, unmet

CONTRACT = """
contract: bench
buyer: bench
vendor: anthropic
term: {from: 2026-01-01, until: 2028-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime, batch], access: [api]}
prices:
  freeze: {at: 2026-01-01}
  price_drops: {basis: discounted_list, trigger: automatic, ratchet: true}
  discounts:
    - {models: claude-*, share: 20%}
    - {models: claude-opus-4-7, share: 15%}
    - {models: claude-haiku-*, share: 22%}
    - {models: claude-sonnet-*, share: 18%}
  steps: [{from: 2027-01-01, share: 5%, of: previous_price}]
  region_uplift: waived
  tiers:
    kind: graduated
    measure: {amount: contracted, at: frozen}
    window: contract_year
    steps: [{up_to: 600_000 USD, share: 0%}, {up_to: 1_200_000 USD, share: 4%}, {share: 8%}]
  batch: {share: 50%}
  cache: {read: 0.1, write_5m: 1.25, write_1h: 2}
  off_peak: {share: 10%, hours: "22:00-06:00", days: all, time_zone: America/New_York}
  non_production: {share: 20%, workloads: [dev-*]}
  combine: {how: multiply, exclusive: [[off_peak, batch]]}
fees:
  platform: 1_000 USD / month
  support: {share: 3%, of: usage}
commitments:
  - id: spend
    amount: 1_200_000 USD / year
    pool: all_models
    counts_at: contracted
    true_up: quarter
    shortfall: {share: 90%}
    rollover: {share: 20%, of: unused, into: next_quarter, order: first}
    overage: {at: contracted, surcharge: 10%, notice: {at: 110%, by: vendor, else: no_surcharge}}
    ramp: [{year: 2, amount: 1_500_000 USD}]
credits:
  - {name: launch, amount: 50_000 USD, expires: 2026-12-31, priority: 1, applies_to: usage, counts: true}
  - {name: training, amount: 5_000 USD, expires: 2026-12-31, priority: 2, applies_to: fees, counts: true}
failed_requests: {http_5xx: free, timeout: free, vendor_truncation: {output: free, others: billed},
  refusal: {output: credited 50%, others: billed}, client_cancel: billed, client_error: billed}
payment: {due: 45 days}
renewal: {automatic: false, price_cap: 105%}
"""
PATHS, CLAUSES = 2_000, 25
CHAT = {"input_tokens": 6_000, "cache_read_tokens": 4_000, "output_tokens": 900}
TRAFFIC = (
    ("claude-opus-4-7", "realtime", "ok", CHAT),
    ("claude-opus-4-7", "realtime", "refusal", {"input_tokens": 90, "output_tokens": 40}),
    ("claude-haiku-4-5", "batch", "ok", {"input_tokens": 20_000, "output_tokens": 4_000}),
    ("claude-haiku-4-5", "realtime", "http_5xx", {"input_tokens": 200}),
)


def measure(options: argparse.Namespace) -> list[Figure]:
    """One valuation of all clauses."""
    from offtake.contract.parse import parse
    from offtake.planner.value.demand import of_usage
    from offtake.planner.value.futures import Luck
    from offtake.planner.value.situation import Situation
    from offtake.rating.source import Records
    from offtake.store.catalogs import open_catalog
    from offtake.usage.record import UsageRecord

    paths = options.rows[0] if options.rows else PATHS
    contract, catalog = parse(CONTRACT, "bench.yaml"), open_catalog()
    records = [
        UsageRecord(
            id=str(number), used_at=datetime(2025, 12, 1, 12, tzinfo=UTC), vendor="anthropic", model=model,
            channel=channel, outcome=outcome, workload="chat", context_tokens=0,
            quantities={meter: each * 70_000 for meter, each in quantities.items()},
        )
        for number, (model, channel, outcome, quantities) in enumerate(TRAFFIC)
    ]  # fmt: skip
    luck = Luck(paths=paths, spread=Decimal("0.35"))
    demand = of_usage(Records(records), catalog, months=Fraction(1))
    situation = Situation(contract=contract, demand=demand, catalog=catalog, luck=luck)
    started = time.process_time()
    valuation = situation.valuation()
    rows = [row for row in valuation.rows() if row.value]
    seconds = time.process_time() - started
    months = len(valuation.costs.outlook.months)
    steps = paths * len(rows) * months
    return [
        Figure("clauses priced", len(rows), "", f">= {CLAUSES}"),
        Figure(f"{paths:,} paths × {len(rows)} clauses × {months} months", seconds, "s", "<= 60"),
        Figure("paths·clauses·months a second", steps / seconds, "1/s"),
        Figure("runs shared", 100 * (1 - valuation.costs.runs / valuation.costs.asked), "%"),
        Figure("the contract", float(valuation.cost.mean), "USD a year"),
    ]


def main() -> int:
    """The figures of this script."""
    options = arguments().parse_args()
    figures = measure(options)
    show("value", figures, options.format)
    return unmet(figures)


if __name__ == "__main__":
    sys.exit(main())
