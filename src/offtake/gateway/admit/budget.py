"""Budgets of one worker: a request holds on all budgets that it belongs to, or on none.

A budget belongs to a key, a team, a customer or a workload, in a period. The store lends this worker a chunk of it
durably; from then on holding is a subtraction. Three ways to hold, tried in this order:

    learned   where the budget has an overdraft line, and only of what is free above the worker's part of the line
    hard      the true bound, of all that is free
    clamped   the true bound of a lower output limit, where the key allows it

So a balance falls below zero only by what learned holds have missed, and those are taken only while the line is whole.
A hard budget, which has no line, never falls below zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from offtake.gateway.admit.hold import Hold
from offtake.gateway.ask import Refusal
from offtake.ledger.lease import Lease
from offtake.values.money import from_pico

UNPAYABLE_USD = 1_000_000
"""More than any one request could cost: nobody set a limit to what it may do."""


@dataclass(slots=True)
class Purse:
    """One budget at one worker. `line_pico`: this worker's part of its overdraft line; `rule`: the budget, in words.

    `held_pico`: all that was ever held on it, whatever became of that: how fast it is drawn.
    """

    lease: Lease
    rule: str
    line_pico: int = 0
    overdrawn_pico: int = 0
    held_pico: int = 0

    def missing(self, hold: Hold) -> int:
        """What the budget lacks to hold it, 0 or less for nothing: a learned hold leaves the line whole."""
        return hold.pico + (self.line_pico if hold.is_learned else 0) - self.lease.free_pico

    def hold(self, pico: int) -> None:
        """Hold so much, of which nothing is missing."""
        self.lease.reserve(pico)
        self.held_pico += pico


@dataclass(frozen=True, slots=True)
class Short:
    """A budget at this worker lacks so much: lend it more and ask again, or refuse."""

    purse: Purse
    missing_pico: int
    hold: Hold


def reserve(
    purses: Sequence[Purse], hard: Hold, learned: Hold | None, clamp: Callable[[int], Hold | None] | None
) -> Hold | Short:
    """Hold on every purse and say what is held; or hold nothing and say which purse is short, and by how much.

    `learned` is asked for where every purse has a line (None: never). `clamp` gives the hold that fits an amount: pass
    it when the store has no more to lend, so that nobody's limit is lowered because one worker's chunk is nearly spent.
    """
    if learned is not None and all(purse.line_pico for purse in purses) and take(purses, learned):
        return learned
    if take(purses, hard):
        return hard
    if clamp:
        lowered = clamp(min(purse.lease.free_pico for purse in purses))
        if lowered is not None and take(purses, lowered):
            return lowered
    wanted = learned or hard
    tightest = max(purses, key=lambda purse: purse.missing(wanted))
    return Short(tightest, tightest.missing(wanted), wanted)


def settle(purses: Sequence[Purse], hold: Hold, cost_pico: int) -> int:
    """The request has cost so much (0: it was never sent). Returns by how much it has exceeded its hold."""
    return settle_pico(purses, hold.pico, cost_pico)


def settle_pico(purses: Sequence[Purse], hold_pico: int, cost_pico: int) -> int:
    """As `settle`, of a hold that is only known by its amount."""
    missed = max(cost_pico - hold_pico, 0)
    for purse in purses:
        purse.lease.settle(hold_pico, cost_pico)
        purse.overdrawn_pico += missed
    return missed


def refused(short: Short, available_pico: int) -> Refusal:
    """The refusal of a budget that the store can lend no more of. `available_pico`: what is left of it everywhere."""
    needed, left = (from_pico(max(each, 0)) for each in (short.hold.pico, available_pico))
    hint = "lower max_tokens" if left > 0 else "wait for the next period, or ask for a larger budget"
    if needed > UNPAYABLE_USD:
        hint = "it allows server tools without a limit: set max_uses (max_tool_calls), or the key's --tool-calls-max"
    return Refusal(
        "budget", "G401", f"the budget {short.purse.rule} has {left:.6f} USD left, and this request may cost"
        f" {needed:.6f} USD", f"budget {short.purse.lease.budget}", hint,
    )  # fmt: skip


def take(purses: Sequence[Purse], hold: Hold) -> bool:
    """Hold on every purse, or on none where one of them lacks it."""
    for purse in purses:
        if purse.missing(hold) > 0:
            return False
    for purse in purses:
        purse.hold(hold.pico)
    return True
