"""A good contract as text, to change one thing of."""

from __future__ import annotations

from offtake.contract.contract import Contract
from offtake.contract.parse import parse

TEN_LINES = """\
contract: acme-anthropic-2026
buyer: Acme Corp
vendor: anthropic
term: {from: 2026-01-01, until: 2028-01-01, time_zone: UTC, currency: USD}
billing: {period: month, anchor: 1, rounding: {where: line, places: 2, mode: half_even}}
scope: {models: [claude-*], channels: [realtime], access: [api]}
prices: {basis: list, discounts: [{models: "*", share: 20%}]}
commitments: [{id: spend, amount: 1_200_000 USD / year, pool: all_models, counts_at: contracted, true_up: year}]
failed_requests: billed
"""


def contract_of(more: str = "", text: str = TEN_LINES) -> Contract:
    """The ten lines, and more of them."""
    return parse(text + more, "contract.yaml")
