"""Budgets: how much a key, a team, a customer or a workload may spend in a period, and the account of one period.

A rule is `500 USD / month` for one owner; the period that holds an instant names the budget account, such as
`key:key_4f…/month/2026-11-01`. A budget without a period has one account for ever. Calendar periods, in UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from offtake.values.errors import InputError
from offtake.values.money import EXACT
from offtake.values.periods import Interval, Period, whole_windows
from offtake.values.units import money_rate

OWNERS = ("key", "team", "customer", "workload")
_ORIGIN = date(2024, 1, 1)  # a Monday, and the first of a month, quarter and year
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class BudgetRule:
    """So many picodollars a period for one owner (`key:key_4f…`, `team:search`). `per` None: once, for ever.

    `overdraft_pico` is how far below zero it may be lent: only with an overdraft line may holds be less than the worst
    case.
    """

    owner: str
    amount_pico: int
    per: Period | None = None
    overdraft_pico: int = 0

    def account_at(self, instant: datetime) -> str:
        """The name of the budget account of the period that holds an instant (aware)."""
        if self.per is None:
            return f"{self.owner}/total"
        start = self.window_at(instant).start
        shown = f"{start:%Y-%m-%dT%H}" if self.per == "hour" else f"{start:%Y-%m-%d}"
        return f"{self.owner}/{self.per}/{shown}"

    def window_at(self, instant: datetime) -> Interval:
        """The period that holds an instant, half-open. ValueError for a rule without a period."""
        if self.per is None:
            raise ValueError("a budget without a period has no window")
        here = Interval(instant, instant.max.replace(tzinfo=UTC))
        return next(iter(whole_windows(self.per, _ORIGIN, here, _UTC)))


def budget_amount(text: str) -> tuple[int, Period | None]:
    """`1USD/month`, `500 USD / day` or `20 USD` as picodollars and a period. InputError for anything else."""
    text = text.strip()
    parts = re.match(r"([0-9_.]*)\s*(.*)", text)
    spaced = f"{parts[1]} {parts[2]}" if parts else text
    hint = "write an amount in USD and, if it renews, a period: 500USD/month"
    try:
        rate = money_rate(spaced)
    except ValueError as error:
        why = str(error).partition("; got ")[0]
        raise InputError("L720", f"not a budget: {text!r}", why=why, hint=hint) from error
    if rate.money.currency != "USD":
        raise InputError("L720", f"not a budget: {text!r}", why="the ledger counts in USD", hint=hint)
    pico = EXACT.scaleb(rate.money.amount, 12)
    if pico < 0 or pico != pico.to_integral_value():
        raise InputError("L720", f"not a budget: {text!r}", why="an amount is at least 0, in steps of 1e-12", hint=hint)
    return int(pico), rate.per
