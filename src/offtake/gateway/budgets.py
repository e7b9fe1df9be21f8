"""The budgets that a worker's requests draw: purses filled by loans from the ledger, durable before they are used.

Holding is a subtraction in memory. Only where a purse runs short does the worker go to the ledger, in a thread, and
requests of other budgets go on meanwhile. What lies idle goes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from offtake.gateway.admit.budget import Purse, Short, refused
from offtake.gateway.ask import Refusal
from offtake.ledger.accounts import available
from offtake.ledger.budgets import BudgetRule
from offtake.ledger.lease import Lease
from offtake.store.ledger.leases import give_back, lend
from offtake.store.ledger.ledger import Ledger
from offtake.values.errors import OutsideError
from offtake.values.money import from_pico

CHUNK_HOLDS = 2
CHUNK_SECONDS = 5
IDLE_SECONDS = 10


@dataclass(slots=True)
class _Filled:
    """A purse with what refills it. `drawn_pico`: held since the last loan, from `since` on."""

    purse: Purse
    rule: BudgetRule
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    drawn_pico: int = 0
    since: float = 0.0
    used: float = 0.0


class Budgets:
    """One worker's purses. `clock`: seconds that never go back."""

    def __init__(self, ledger: Ledger, worker: str, workers: int, clock: Callable[[], float]) -> None:
        self._ledger = ledger
        self._worker = worker
        self._workers = workers
        self._clock = clock
        self._filled: dict[str, _Filled] = {}
        self._accounts: dict[BudgetRule, tuple[str, int, int]] = {}

    def purses(self, rules: Sequence[BudgetRule], at: int) -> tuple[Purse, ...]:
        """The purses of these budgets' present periods (`at` in microseconds)."""
        return tuple([self._of(rule, at).purse for rule in rules])

    def drawn(self, purses: Sequence[Purse], pico: int) -> None:
        """So much was held on each: how fast a purse empties decides how much is lent next."""
        now = self._clock()
        for purse in purses:
            filled = self._filled[purse.lease.budget]
            filled.drawn_pico += pico
            filled.used = now

    async def borrow(self, short: Short, at: int) -> bool:
        """Whether there is more in the purse than when it was found short. OutsideError: the ledger cannot be asked."""
        filled = self._filled[short.purse.lease.budget]
        lease = filled.purse.lease
        before = lease.free_pico
        async with filled.lock:
            if lease.free_pico > before:
                return True  # another request has been to the ledger meanwhile
            now = self._clock()
            milliseconds = max(int((now - filled.since) * 1e3), 1)
            pace = filled.drawn_pico * CHUNK_SECONDS * 1_000 // milliseconds
            lent = await asyncio.to_thread(
                lend, self._ledger, self._worker, filled.rule, at,
                wanted_pico=max(CHUNK_HOLDS * short.missing_pico, pace), needed_pico=short.missing_pico,
            )  # fmt: skip
            filled.drawn_pico, filled.since = 0, now
            lease.add(lent)
            return bool(lent)

    async def refused(self, short: Short) -> Refusal:
        """The refusal of a budget that can be lent no more of."""
        lease = short.purse.lease
        left = await asyncio.to_thread(self._ledger.balance, available(lease.budget))
        return refused(short, left + lease.free_pico)

    async def give_idle_back(self, at: int) -> None:
        """Give back what no request has drawn for a while."""
        now = self._clock()
        for name, each in list(self._filled.items()):
            if now - each.used > IDLE_SECONDS and each.purse.lease.free_pico > 0:
                pico = each.purse.lease.spare(0)
                try:
                    await asyncio.to_thread(give_back, self._ledger, self._worker, name, pico, at)
                except OutsideError:
                    each.purse.lease.add(pico)
                    raise
            elif not each.purse.lease.free_pico and not each.purse.lease.holds_pico and not each.lock.locked():
                del self._filled[name]

    def _of(self, rule: BudgetRule, at: int) -> _Filled:
        account, start, end = self._accounts.get(rule, ("", 0, 0))
        if not start <= at < end:
            account, start, end = self._accounts[rule] = _account(rule, at)
        filled = self._filled.get(account)
        if filled is None:
            per = f" a {rule.per}" if rule.per else ""
            words = f"{from_pico(rule.amount_pico).normalize():f} USD{per} of {rule.owner}"
            purse = Purse(Lease(account), words, rule.overdraft_pico // self._workers)
            filled = self._filled[account] = _Filled(purse, rule, since=self._clock())
        return filled


def _account(rule: BudgetRule, at: int) -> tuple[str, int, int]:
    """The account of the period that holds an instant, and that period in microseconds."""
    instant = datetime.fromtimestamp(at / 1e6, UTC)
    if rule.per is None:
        return rule.account_at(instant), 0, 2**63
    window = rule.window_at(instant)
    return rule.account_at(instant), int(window.start.timestamp() * 1e6), int(window.end.timestamp() * 1e6)
