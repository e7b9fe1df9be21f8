"""How fast one request is priced under a rich contract, against genai-prices' list price of the same request.

The contract has a freeze, a discount, spend tiers, a batch share, cache multiples and a failed-request policy; every
request moves the position. Peers take turns in slices of a fraction of a second, so that both see the same machine.

    integers     price_request: lines as integers, their words on demand
    full lines   the same, with every field of every line made: id, dollars, why
    calc_price   genai-prices, one call for the same request, list price only
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bench.figures import Figure, arguments, show, unmet

CONTRACT = """
contract: bench
buyer: bench
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime, batch], access: [api]}
prices:
  freeze: {at: 2026-01-01}
  discounts: [{models: claude-*, share: 20%}, {models: claude-opus-4-7, share: 15%}]
  batch: {share: 50%}
  cache: {read: 0.1, write_5m: 1.25, write_1h: 2}
  tiers:
    kind: graduated
    measure: {amount: contracted, at: frozen}
    window: contract_year
    steps: [{up_to: 10 USD, share: 0%}, {up_to: 1_000_000 USD, share: 5%}, {share: 10%}]
failed_requests: {http_5xx: free, timeout: free, vendor_truncation: {output: free, others: billed},
  refusal: {output: credited 50%, others: billed}, client_cancel: billed, client_error: billed}
"""
SLICE = 1_000
ROUNDS = 15
MODELS = ("claude-opus-4-7", "claude-sonnet-4-6", "claude-haiku-4-5")


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures: medians over the rounds."""
    peers = {"integers": _integers(full=False), "full lines": _integers(full=True), "calc_price": _calc_price()}
    times: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(ROUNDS):
        for name, work in peers.items():
            started = time.process_time()
            work()
            times[name].append((time.process_time() - started) / SLICE)
    micro = {name: statistics.median(found) * 1e6 for name, found in times.items()}
    return [
        *(Figure(f"{name}, one request", value, "µs") for name, value in micro.items()),
        Figure("integers, against calc_price", micro["calc_price"] / micro["integers"], "x", ">= 12"),
        Figure("full lines, against calc_price", micro["calc_price"] / micro["full lines"], "x", ">= 5"),
    ]


def _quantities(number: int) -> dict[str, int]:
    return {
        "input_tokens": 500 + number % 7,
        "cache_read_tokens": 12_000,
        "cache_write_5m_tokens": 800,
        "output_tokens": 300 + number % 11,
    }


def _integers(full: bool) -> Callable[[], None]:
    from offtake.contract.parse import parse
    from offtake.rating.compiled import CompiledTerms
    from offtake.rating.request import price_request
    from offtake.store.catalogs import open_catalog
    from offtake.usage.record import UsageRecord

    terms = CompiledTerms(parse(CONTRACT, "bench.yaml"), open_catalog())
    start = datetime(2026, 3, 1, tzinfo=UTC)
    records = [
        UsageRecord(
            id=str(number),
            used_at=start + timedelta(seconds=number),
            model=MODELS[number % 3],
            quantities=_quantities(number),
            channel="batch" if number % 5 == 0 else "realtime",
            outcome="http_5xx" if number % 50 == 49 else "ok",
        )
        for number in range(SLICE)
    ]
    _, opening = price_request(terms, records[0])

    def work() -> None:
        position = opening
        for record in records:
            lines, position = price_request(terms, record, position)
            if full:
                lines.full()

    work()
    return work


def _calc_price() -> Callable[[], None]:
    from genai_prices import Usage, calc_price

    at = datetime(2026, 3, 1, tzinfo=UTC)

    def work() -> None:
        for number in range(SLICE):
            found = _quantities(number)
            usage = Usage(
                input_tokens=found["input_tokens"] + found["cache_read_tokens"] + found["cache_write_5m_tokens"],
                cache_read_tokens=found["cache_read_tokens"],
                cache_write_tokens=found["cache_write_5m_tokens"],
                output_tokens=found["output_tokens"],
            )
            calc_price(usage, model_ref=MODELS[number % 3], provider_id="anthropic", genai_request_timestamp=at)

    return work


def main() -> int:
    """The script."""
    options = arguments().parse_args()
    figures = measure(options)
    show("request", figures, options.format)
    return unmet(figures)


if __name__ == "__main__":
    sys.exit(main())
