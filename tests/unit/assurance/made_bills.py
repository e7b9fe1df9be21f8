"""A made month of usage, the bill that a careful vendor would send for it, and the mistakes that vendors make."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from functools import cache

from offtake.assurance.bill import Bill
from offtake.assurance.difference import Reconciliation
from offtake.assurance.reconcile import fold, reconcile
from offtake.catalog.catalog import Catalog
from offtake.contract.contract import Contract
from offtake.contract.parse import parse_bytes
from offtake.rating.breakdown import unrounded
from offtake.rating.lines import Line
from offtake.rating.planning import By
from offtake.rating.rate import rate_records
from offtake.rating.source import Records
from offtake.store.catalogs import open_catalog
from offtake.usage.charge import Charge
from offtake.usage.record import UsageRecord
from offtake.values.money import EXACT, quantize
from offtake.values.periods import Interval, midnight

TEXT = """\
contract: acme
buyer: Acme
vendor: anthropic
term: {from: 2026-01-01, until: 2027-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
documents: {order_form: "Order Form 1"}
scope: {models: [claude-*], channels: [realtime, batch], access: [api]}
prices:
  basis: list
  discounts:
    - {models: claude-*, share: 20%, source: order_form §2.1}
    - {models: claude-opus-4-5, share: 15%, source: order_form §2.2}
  steps: [{from: 2026-02-15, share: 10%, of: previous_price, source: order_form §2.3}]
  batch: {share: 50%, source: order_form §2.4}
  cache: {read: 0.1, write_5m: 1.25, write_1h: 2, source: order_form §2.5}
  tiers:
    kind: graduated
    measure: {amount: contracted, at: current}
    window: month
    steps: [{up_to: 20 USD, share: 0%}, {share: 4%}]
    source: order_form §2.6
fees: {platform: 1_000 USD / month}
failed_requests:
  http_5xx: free
  timeout: free
  vendor_truncation: {output: free, others: billed}
  refusal: {output: credited 50%, others: billed}
  client_cancel: billed
  client_error: billed
  source: order_form §4
"""
FEBRUARY = Interval(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
MODELS = ("claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5")
METERS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens")
DAY = timedelta(days=1)

Mistake = Callable[[list[Charge]], list[Charge]]


@cache
def catalog() -> Catalog:
    return open_catalog(())


@cache
def contract(text: str = TEXT) -> Contract:
    return parse_bytes(text.encode(), "contract.yaml")


def month(seed: int = 1, first: int = 0, days: int = 28, requests_a_day: int = 6) -> list[UsageRecord]:
    """Requests of February 2026, on the models, channels and outcomes that the contract tells apart."""
    draw = random.Random(seed)
    found = []
    for day in range(first, first + days):
        for number in range(requests_a_day):
            meters = {meter: draw.randint(1, 40_000) for meter in METERS if draw.random() < 0.8}
            at = FEBRUARY.start + day * DAY + timedelta(seconds=draw.randrange(86_400))
            found.append(
                UsageRecord(
                    id=f"{day}-{number}",
                    used_at=at,
                    vendor="anthropic",
                    model=draw.choice(MODELS),
                    channel=draw.choice(("realtime", "realtime", "batch")),
                    outcome=draw.choice(("ok",) * 8 + ("timeout", "refusal", "vendor_truncation")),
                    context_tokens=draw.choice((10_000, 10_000, 300_000)),
                    quantities=meters or {"input_tokens": 1},
                )
            )
    return found


def lines(records: Sequence[UsageRecord], terms: Contract) -> list[Line]:
    """Our exact lines of February by day."""
    invoices = rate_records(records, unrounded(terms), catalog(), by=By(day=True), span=FEBRUARY)
    return [line for invoice in invoices.invoices for line in invoice.lines]


def right_bill(ours: Iterable[Line], places: int = 12) -> list[Charge]:
    """A row for each line of ours that bills anything, rounded row by row."""
    return [charge_of(line, number, places) for number, line in enumerate(ours) if line.amounts.billed]


def charge_of(line: Line, number: int, places: int) -> Charge:
    is_usage = line.kind == "usage"
    day = line.by.get("day")
    starts = midnight(date.fromisoformat(day), contract().zone) if day else line.period.start
    return Charge(
        id=f"row-{number}",
        starts_at=starts,
        ends_at=starts + DAY if day else line.period.end,
        amount=quantize(line.amounts.billed, places),
        currency="USD",
        vendor="anthropic",
        model=line.model,
        meter=line.meter if is_usage else None,
        quantity=int(line.quantity) if is_usage else None,
        unit_price=line.unit_price if is_usage else None,
        channel=line.channel or "realtime",
        kind="usage" if is_usage else "credit" if line.amounts.billed < 0 else "fee",
        description="" if is_usage else line.clause.replace("_", " "),
    )


def compare(charges: Iterable[Charge], records: Sequence[UsageRecord], terms: Contract) -> Reconciliation:
    bill = Bill(terms.signed.term.currency, terms.zone)
    fold(bill, charges)
    return reconcile(bill, Records(records), terms, catalog())


def repriced(charge: Charge, unit_price: Decimal) -> Charge:
    """The row at another price."""
    with localcontext(EXACT):
        amount = unit_price * (charge.quantity or 0)
        return replace(charge, unit_price=unit_price, amount=quantize(amount, places_of(charge)))


def recounted(charge: Charge, quantity: int) -> Charge:
    """The row with another quantity."""
    with localcontext(EXACT):
        return replace(
            charge, quantity=quantity, amount=quantize((charge.unit_price or Decimal(0)) * quantity, places_of(charge))
        )


def places_of(charge: Charge) -> int:
    return -int(charge.amount.as_tuple().exponent)
