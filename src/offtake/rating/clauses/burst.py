"""Burst: a right to exceed a month's allowance at the committed rate, if it balances out.

Clause: `commitments[].burst`. Source: S2 "2x usage in a given month at contract rate". No billing system models it.

Why it matters: real demand peaks at two to three times its mean. With allowance A and use u in each of the n months of
`average_within`: overage = max(Σ max(0, u − up_to × A), Σ u − n × A). It is attributed to the latest months first and
booked when the averaging window closes.

Example: A = 100 M, up to 2x, averaged over a quarter. Use 200, 50, 50: Σ u − 3A = 0 and no month is above 200: none.
Use 250, 50, 50: 250 − 200 = 50 M overage. Use 200, 100, 100: 400 − 300 = 100 M overage.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from offtake.contract.schema.commitments import Burst
from offtake.rating.facts import BurstNotice, Fact
from offtake.values.errors import ContractError, Place
from offtake.values.money import ZERO
from offtake.values.periods import Interval


@dataclass(frozen=True, slots=True)
class Month:
    """One month of an averaging window: what was allowed and used, and how many times the allowance it may reach."""

    interval: Interval
    allowance: Decimal
    used: Decimal
    up_to: Decimal


def overage(months: Sequence[Month]) -> Decimal:
    """The overage of an averaging window (or of a single month without one)."""
    peaks = sum((max(ZERO, month.used - month.up_to * month.allowance) for month in months), ZERO)
    average = sum((month.used - month.allowance for month in months), ZERO)
    return max(peaks, average, ZERO)


def peak_overage(month: Month) -> Decimal:
    """The overage of a month where nothing is averaged."""
    return max(ZERO, month.used - month.up_to * month.allowance)


def up_to(
    clause: Burst, commitment: str, month: Interval, zone: ZoneInfo, facts: tuple[Fact, ...], taken: int, where: Place
) -> Decimal:
    """How many times the allowance a month that exceeds it may reach: 1 where the right was not taken or is used up.

    ContractError where the term needs a notice and no fact says whether one was given.
    """
    if clause.windows_per_year is not None and taken >= clause.windows_per_year:
        return Decimal(1)
    if clause.notice is None:
        return clause.up_to
    label = f"{month.start.astimezone(zone):%Y-%m}"
    notices = [
        f for f in facts if isinstance(f, BurstNotice) and f.window == label and f.commitment in ("", commitment)
    ]
    if not notices:
        raise ContractError(
            "R409",
            f"{label} exceeds its allowance, a burst needs notice of {clause.notice}, and no fact says if it was given",
            where=where,
            hint=f'add {{"kind": "burst_notice", "at": "…", "window": "{label}"}} to --facts (too late: no right)',
        )
    in_time = any(clause.notice.after(fact.at.astimezone(zone)) <= month.start for fact in notices)
    return clause.up_to if in_time else Decimal(1)
