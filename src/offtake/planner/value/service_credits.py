"""Uptime credits: what a promise of uptime pays back, under an availability that is assumed.

Clause: `sla.uptime.credits`. The schedule is the contract's; how often the service is down is not in any contract, so
it is an input: a median uptime, and how widely a month's downtime spreads around it.

Example: target 99.9%, 2% per 0.1% in whole steps, on a commitment of 1,000,000 a month: a month at 99.5% is four steps
below: 8%, 80,000.00.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from offtake.contract.schema.service import CreditSchedule, Uptime, UptimeCredits
from offtake.values.money import ZERO, divide, quantize

STEP_PLACES = 12
ROUNDED = {"floor": ROUND_FLOOR, "started": ROUND_CEILING}


def credit_share(clause: Uptime, uptime: Decimal) -> Decimal:
    """The share of the base that a window at this uptime gives back, after the cap."""
    if clause.credits is None or uptime >= clause.target:
        return ZERO
    share = max((_scheduled(each, clause.target, uptime) for each in _schedules(clause.credits)), default=ZERO)
    return share if clause.cap is None else min(share, clause.cap)


def _schedules(credits: UptimeCredits) -> list[CreditSchedule]:
    return list(credits.greater_of) if credits.greater_of else [credits]


def _scheduled(schedule: CreditSchedule, target: Decimal, uptime: Decimal) -> Decimal:
    if schedule.ladder is not None:
        missed = [rung for rung in schedule.ladder if uptime < rung]
        return schedule.ladder[min(missed)] if missed else ZERO
    assert schedule.per is not None and schedule.share is not None
    steps = divide(target - uptime, schedule.per)
    rounding = ROUNDED.get(schedule.step or "")
    return schedule.share * (steps.to_integral_value(rounding) if rounding else quantize(steps, STEP_PLACES))
