"""Invoices made by hand: the agreements of the FOCUS examples, and lines of every kind."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from offtake.contract.contract import Contract
from offtake.contract.parse import parse
from offtake.rating.lines import Amounts, Control, Invoice, Invoices, Line
from offtake.values.money import ZERO
from offtake.values.periods import Interval

CONTRACT = """
contract: acme-2025
buyer: Acme Corp
vendor: solora
term: {from: 2025-04-01, until: 2026-04-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: ["*"], channels: [realtime], access: [api]}
prices: {basis: list, discounts: [{models: "*", share: 20%}]}
commitments:
  - {id: spend, amount: 1_200 USD / year, pool: all_models, counts_at: contracted, true_up: year}
  - {id: listed, amount: 1_200 USD / year, pool: all_models, counts_at: list, true_up: year}
  - id: tokens
    tokens: {amount: 12_000_000 / year, weights: {input: 1, output: 5, cache_write: 1.25}, shortfall_price: 2}
    pool: all_models
    counts_at: contracted
    true_up: year
"""

MILLION = Decimal(1_000_000)


def contract() -> Contract:
    return parse(CONTRACT, "acme.yaml")


def month(number: int) -> Interval:
    """The month so many after the first of the term (April 2025 is 1)."""
    return Interval(*(datetime(2025 + (2 + n) // 12, (2 + n) % 12 + 1, 1, tzinfo=UTC) for n in (number, number + 1)))


TERM = Interval(month(1).start, month(12).end)


def amounts(listed: object, contracted: object, effective: object, billed: object) -> Amounts:
    return Amounts(*(Decimal(str(value)) for value in (listed, contracted, effective, billed)))


def usage(
    period: Interval, millions: object, listed: object, contracted: object, billed: object | None = None, **more: Any
) -> Line:
    """Tokens at dollars a million; effective is contracted, billed too unless said otherwise."""
    quantity = Decimal(str(millions)) * MILLION
    cost = Decimal(str(millions)) * Decimal(str(contracted))
    return Line(
        **{
            "id": f"u-{period.start:%Y%m}-{more.get('meter', '')}",
            "clause": "prices.discounts[0]",
            "kind": "usage",
            "period": period,
            "quantity": quantity,
            "unit_price": Decimal(str(contracted)).scaleb(-6),
            "amounts": amounts(
                Decimal(str(millions)) * Decimal(str(listed)), cost, cost, cost if billed is None else billed
            ),
            "why": f"{millions}M × ${contracted}",
            "model": "solora-saturn-5.0",
            "meter": "input_tokens",
            "vendor": "solora",
            "channel": "realtime",
            "access": "api",
            "region": "global",
            **more,
        }
    )


def unused(period: Interval, cost: object, billed: object, identity: str = "spend", **more: Any) -> Line:
    """What nobody used of a commitment, in dollars."""
    return Line(
        **{
            "id": f"s-{period.start:%Y%m}-{period.end:%Y%m}",
            "clause": "commitments[0]",
            "kind": "commitment",
            "period": period,
            "quantity": Decimal(str(cost)),
            "unit_price": Decimal(1),
            "amounts": amounts(cost, cost, cost, billed),
            "why": "unused",
            "unit": "USD",
            "commitment": identity,
            "commitment_status": "unused",
            **more,
        }
    )


def purchase(period: Interval, drawdown: object, billed: object, identity: str = "spend") -> Line:
    """A commitment paid before use."""
    paid = Decimal(str(billed))
    return Line(
        id="p",
        clause="commitments[0].prepaid",
        kind="purchase",
        period=period,
        quantity=Decimal(str(drawdown)),
        unit_price=paid / Decimal(str(drawdown)),
        amounts=amounts(drawdown, paid, 0, paid),
        why=f"{drawdown} USD of drawdown for {billed} USD",
        unit="USD",
        commitment=identity,
    )


def other(kind: str, clause: str, period: Interval, billed: object, **more: Any) -> Line:
    """A fee, a credit or an adjustment: one piece for what it bills."""
    amount = Decimal(str(billed))
    return Line(
        **{
            "id": f"{kind}-{clause}",
            "clause": clause,
            "kind": kind,
            "period": period,
            "quantity": Decimal(1),
            "unit_price": amount,
            "amounts": amounts(amount, amount, amount, amount),
            "why": clause,
            "unit": "month",
            **more,
        }
    )


def invoices(*of: tuple[Interval, list[Line]], totals: dict[Interval, Decimal] | None = None) -> Invoices:
    """Invoices of these lines, in order."""
    made = []
    for period, lines in of:
        exact = sum((line.amounts.billed for line in lines), ZERO)
        total = (totals or {}).get(period, exact)
        made.append(Invoice(period, tuple(lines), total, exact - total))
    return Invoices("acme-2025", "0" * 64, "test", "USD", tuple(made), Control())
