"""Small events to write down: what a worker would say about a request."""

from __future__ import annotations

import os
from collections.abc import Sequence

from offtake.gateway.journal.events import Intent, Release, Settle
from offtake.gateway.journal.writer import JournalWriter
from offtake.ledger.budgets import BudgetRule

NOON = 1_795_262_400_000_000  # 2026-11-21T12:00:00Z
DOLLAR = 10**12


def rule(dollars: int, owner: str = "key:k", overdraft_pico: int = 0) -> BudgetRule:
    return BudgetRule(owner, dollars * DOLLAR, "month", overdraft_pico)


def intent(request: str, holds: dict[str, int], at: int = NOON) -> Intent:
    return Intent(request, at, "k", holds, "acme", "anthropic", "claude-opus-4-7")


def settle(request: str, budgets: Sequence[str], cost_pico: int, at: int = NOON) -> Settle:
    quantities = {"input_tokens": 1_000, "output_tokens": 200}
    return Settle(
        request, at, at, "k", list(budgets), cost_pico, "acme", "anthropic", "claude-opus-4-7", quantities,
        context_tokens=1_000, latency_ms=800, tags={"team": "search"}, clauses=["prices.discounts[0] (acme.yaml:9)"],
    )  # fmt: skip


def release(request: str, budgets: Sequence[str], at: int = NOON) -> Release:
    return Release(request, at, list(budgets), "no vendor answered")


def kill(journal: JournalWriter) -> None:
    """What the kernel does to a worker's files when it is killed."""
    os.close(journal._fd)
    os.close(journal._lock)
    journal._fd = -1
