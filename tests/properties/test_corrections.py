"""Corrections and breakdowns, on any usage: they add up, and the same again changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from offtake.catalog.catalog import Catalog
from offtake.cli.invoices import document
from offtake.cli.render import json_text
from offtake.contract.contract import Contract
from offtake.contract.parse import parse
from offtake.operations.rate_usage import Rated
from offtake.rating.breakdown import break_down, by_of, unrounded
from offtake.rating.corrections import booked_lines, corrections
from offtake.rating.lines import Invoices
from offtake.rating.rate import rate_records
from offtake.store.catalogs import open_catalog
from offtake.usage.record import UsageRecord
from offtake.values.money import total
from offtake.values.periods import Interval

CONTRACT = """\
contract: any
buyer: Example Corp
vendor: anthropic
term: {from: 2026-01-01, until: 2026-07-01, time_zone: Europe/Berlin, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime, batch], access: [api]}
prices: {discounts: [{models: claude-*, share: 15%}], batch: {share: 50%}, cache: catalog}
fees: {platform: 100 USD / month}
commitments: [{id: spend, amount: 600 USD / year, pool: all_models, counts_at: contracted, true_up: quarter}]
failed_requests: {http_5xx: free, timeout: free, vendor_truncation: free, refusal: credited 50%, client_cancel: billed,
  client_error: billed}
"""
TERM = Interval(datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 6, 30, 22, tzinfo=UTC))


@cache
def catalog() -> Catalog:
    return open_catalog()


@cache
def contract() -> Contract:
    return parse(CONTRACT, "any.yaml")


def _record(number: int, minutes: int, model: str, channel: str, outcome: str, team: str, tokens: int) -> UsageRecord:
    return UsageRecord(
        id=f"r{number}", used_at=TERM.start + timedelta(minutes=minutes), model=model, channel=channel,
        outcome=outcome, tags={"team": team} if team else {}, workload=team,
        quantities={"input_tokens": tokens, "output_tokens": tokens // 7},
    )  # fmt: skip


RECORDS = st.lists(
    st.builds(
        _record,
        st.integers(0, 9),
        st.integers(0, 180 * 24 * 60),
        st.sampled_from(["claude-opus-4.7", "claude-haiku-4-5"]),
        st.sampled_from(["realtime", "batch"]),
        st.sampled_from(["ok", "http_5xx", "refusal"]),
        st.sampled_from(["", "search", "ads"]),
        st.integers(1, 10_000_000),
    ),
    max_size=8,
    unique_by=lambda record: record.id,
)


def rated(records: list[UsageRecord], split: str = "line") -> Invoices:
    terms = contract() if split == "line" else unrounded(contract())
    return rate_records(records, terms, catalog(), by=by_of(split), span=TERM)


def booked(invoices: Invoices) -> object:
    return json.loads(json_text(document(Rated(contract(), invoices), "line")))


@given(RECORDS, RECORDS)
def test_booked_and_corrections_are_what_is_rated_now(before: list[UsageRecord], now: list[UsageRecord]) -> None:
    was, found = rated(before), rated(now)
    lines = corrections(*booked_lines(booked(was), contract().zone), found)

    assert found.total == was.total + total(line.amounts.billed for line in lines)
    assert all(line.corrects in {invoice.period for invoice in was.invoices} for line in lines)


@given(RECORDS)
def test_the_same_again_is_corrected_by_nothing_and_gives_the_same_bytes(records: list[UsageRecord]) -> None:
    first, again = rated(records), rated(records[::-1])

    assert () == corrections(*booked_lines(booked(first), contract().zone), again)
    assert booked(first) == booked(again)


@given(RECORDS, st.sampled_from(["model", "workload", "day", "tag:team"]))
def test_parts_and_the_rest_are_the_invoice(records: list[UsageRecord], split: str) -> None:
    plain = rated(records)
    for each in break_down(plain, rated(records, split), split):
        parts = total(part.amounts.billed for part in each.parts.values())

        assert each.invoice.total + each.invoice.residual == parts + each.unallocated
        fixed = (line.amounts.billed for line in each.invoice.lines if line.kind not in ("usage", "credit"))
        assert abs(each.unallocated - total(fixed)) <= Decimal("0.01"), "only fees and shortfalls are in no part"
