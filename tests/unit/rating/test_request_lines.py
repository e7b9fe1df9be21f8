"""A request's lines read the same one by one and all at once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from offtake.contract.parse import parse
from offtake.rating.compiled import CompiledTerms
from offtake.rating.request import price_request
from offtake.rating.request_lines import FullLine
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord

CONTRACT = """
contract: lines
buyer: Buyer
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime], access: [api]}
prices:
  discounts: [{models: claude-*, share: 20%}]
  tiers:
    kind: graduated
    measure: {amount: contracted, at: current}
    window: contract_year
    steps: [{up_to: 1 USD, share: 0%}, {share: 10%}]
failed_requests: {http_5xx: free, timeout: free, vendor_truncation: free, refusal: credited 50%, client_cancel: billed,
  client_error: billed}
"""


def record(outcome: str = "ok", output_tokens: int = 100_000) -> UsageRecord:
    quantities = {"input_tokens": 1_000, "output_tokens": output_tokens}
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return UsageRecord(id="1", used_at=at, model="claude-opus-4-7", quantities=quantities, outcome=outcome)


def test_every_field_at_once_is_every_field_one_by_one() -> None:
    terms = CompiledTerms(parse(CONTRACT, "contract.yaml"), open_catalog())
    for outcome in ("ok", "http_5xx", "refusal"):
        lines, _ = price_request(terms, record(outcome))

        for line, full in zip(lines, lines.full(), strict=True):
            assert [getattr(line, name) for name in FullLine._fields] == list(full)


def test_the_total_is_the_sum_of_the_lines() -> None:
    """2.004 contracted, 1.004 of it beyond 1 USD at 10% off; half of a refusal comes back."""
    terms = CompiledTerms(parse(CONTRACT, "contract.yaml"), open_catalog())
    answered, position = price_request(terms, record())
    refused, _ = price_request(terms, record("refusal"), position)

    assert Decimal("2.004") - Decimal("0.1004") == answered.total
    assert Decimal("2.004") / 2 - Decimal("0.2004") == refused.total
    for lines in (answered, refused):
        assert sum(line.amounts.billed for line in lines) == lines.total
