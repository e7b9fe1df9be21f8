"""The budgets that a worker's requests draw: purses filled by loans from the ledger, durable before they are used.

Holding is a subtraction in memory. Only where a purse runs short does the worker go to the ledger, in a thread, and
requests of other budgets go on meanwhile. What lies idle goes back; and where the ledger has no more, what other
workers have free goes back at once, so that a budget is refused only when all of it together would not do.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from offtake.gateway.admit.budget import Purse, Short, refused
from offtake.gateway.ask import Refusal
from offtake.gateway.callers import Caller
from offtake.gateway.neighbours import Neighbours
from offtake.ledger.accounts import available
from offtake.ledger.budgets import BudgetRule
from offtake.ledger.lease import Lease
from offtake.store.ledger.leases import give_back, lend, lend_passed
from offtake.store.ledger.ledger import Ledger
from offtake.values.errors import OutsideError
from offtake.values.money import from_pico

CHUNK_HOLDS = 2
CHUNK_SECONDS = 5
IDLE_SECONDS = 10
HELD_SECONDS = 0.5
"""So long a request waits for what others hold more than they will cost: a client takes its refusal for final."""
LOOK_SECONDS = 0.02
AWAY_SECONDS = 1.0
"""So long nobody asks a ledger again that could not be asked: each question may wait for a lock."""


@dataclass(slots=True)
class _Filled:
    """A purse with what refills it. `lent_at`: the last loan, when `lent_pico` had been held in all.

    `looked_pico` was held in all when it was last seen to be drawn, at `looked_at`.

    `waiting`: requests that wait for a loan. `passed_pico`: spent or held, and not lent yet. `refused_pico` more were
    refused at `refused_at`, by everybody.
    """

    purse: Purse
    rule: BudgetRule
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    lent_pico: int = 0
    lent_at: float = 0.0
    looked_pico: int = 0
    looked_at: float = 0.0
    waiting: int = 0
    passed_pico: int = 0
    refused_pico: int = 0
    refused_at: float = -1.0


class Budgets:
    """One worker's purses. `clock`: seconds that never go back.

    `passes`: where the ledger cannot be asked, requests go on all the same, and it is told of them afterwards.
    """

    def __init__(
        self, ledger: Ledger, worker: str, workers: int, clock: Callable[[], float], neighbours: Neighbours, *,
        passes: bool = False,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._worker = worker
        self._workers = workers
        self._clock = clock
        self._neighbours = neighbours
        self._passes = passes
        self._filled: dict[str, _Filled] = {}
        self._away: OutsideError | None = None
        self._asks_at = 0.0
        self._open: dict[Caller, tuple[int, int, tuple[Purse, ...]]] = {}

    def purses(self, caller: Caller, at: int) -> tuple[Purse, ...]:
        """The purses of a caller's budgets in their present periods (`at` in microseconds)."""
        start, end, found = self._open.get(caller, (0, 0, ()))
        if not start <= at < end:
            opened = [self._of(rule, at) for rule in caller.budgets]
            start, end = max((each[1] for each in opened), default=0), min((each[2] for each in opened), default=2**63)
            found = tuple(each[0] for each in opened)
            self._open[caller] = start, end, found
        return found

    async def borrow(self, short: Short, at: int) -> bool:
        """Whether the purse now has what it was short of. OutsideError: the ledger cannot be asked."""
        filled = self._filled[short.purse.lease.budget]
        lease = filled.purse.lease
        enough, since = lease.free_pico + short.missing_pico, self._clock()
        filled.waiting += 1
        try:
            async with filled.lock:
                if lease.free_pico >= enough:
                    return True
                if filled.refused_at >= since and enough - lease.free_pico >= filled.refused_pico:
                    return False  # everybody has said so to another request while this one waited
                try:
                    if await self._found(filled, enough, at):
                        return True
                except OutsideError:
                    if not self._passes:
                        raise
                    filled.passed_pico += enough - lease.free_pico
                    lease.add(enough - lease.free_pico)
                    return True
                filled.refused_pico, filled.refused_at = enough - lease.free_pico, self._clock()
                return False
        finally:
            filled.waiting -= 1

    async def tell_passed(self, at: int) -> None:
        """Have the ledger lend what was let pass and is not free again. OutsideError: it still cannot be asked."""
        for each in list(self._filled.values()):
            if each.passed_pico:
                lease = each.purse.lease
                pico = each.passed_pico - lease.spare(max(lease.free_pico - each.passed_pico, 0))
                each.passed_pico = 0
                try:
                    await asyncio.to_thread(lend_passed, self._ledger, self._worker, each.rule, pico, at)
                except OutsideError:
                    each.passed_pico += pico
                    raise

    async def give(self, budget: str) -> tuple[int, int]:
        """Give back all that is free of a budget, since another worker is short of it: how much, and what is held."""
        filled = self._filled.get(budget)
        if filled is None:
            return 0, 0
        lease = filled.purse.lease
        pico = lease.spare(0)
        if pico:
            await self._give_back(lease, pico, time.time_ns() // 1_000)
        return pico, lease.holds_pico

    async def refused(self, short: Short) -> Refusal:
        """The refusal of a budget that can be lent no more of."""
        lease = short.purse.lease
        left = 0
        with contextlib.suppress(OutsideError):
            left = await asyncio.to_thread(self._ledger.balance, available(lease.budget))
        return refused(short, left + lease.free_pico)

    async def give_idle_back(self, at: int) -> None:
        """Give back what no request has drawn for a while."""
        await self.tell_passed(at)
        now = self._clock()
        self._open.clear()  # callers and periods come and go
        for name, each in list(self._filled.items()):
            if each.purse.held_pico != each.looked_pico:
                each.looked_pico, each.looked_at = each.purse.held_pico, now
            elif now - each.looked_at > IDLE_SECONDS and each.purse.lease.free_pico > 0:
                await self._give_back(each.purse.lease, each.purse.lease.spare(0), at)
            elif not (each.purse.lease.free_pico or each.purse.lease.holds_pico or each.passed_pico or each.waiting):
                del self._filled[name]

    async def _found(self, filled: _Filled, enough_pico: int, at: int) -> bool:
        """Whether there is enough: in the ledger, in the purses of other workers, or in holds that end soon."""
        lease, until = filled.purse.lease, self._clock() + HELD_SECONDS
        while not await self._lend(filled, enough_pico, at) and lease.free_pico < enough_pico:
            if self._clock() > until:
                return False
            gave, held = await self._neighbours.ask(lease.budget)
            if not gave:
                if lease.free_pico + lease.holds_pico + held < enough_pico:
                    return False
                await asyncio.sleep(LOOK_SECONDS)
        return True

    async def _lend(self, filled: _Filled, enough_pico: int, at: int) -> int:
        """Have so much lent that the purse has enough, more where it empties fast or many wait, or nothing."""
        lease, now = filled.purse.lease, self._clock()
        needed = enough_pico - lease.free_pico
        if self._away is not None and now < self._asks_at:
            raise self._away.with_traceback(None)
        milliseconds, held = max(int((now - filled.lent_at) * 1e3), 1), filled.purse.held_pico
        pace = (held - filled.lent_pico) * CHUNK_SECONDS * 1_000 // milliseconds
        try:
            lent = await asyncio.to_thread(
                lend, self._ledger, self._worker, filled.rule, at,
                wanted_pico=max(CHUNK_HOLDS * needed, filled.waiting * needed, pace), needed_pico=needed,
            )  # fmt: skip
        except OutsideError as error:
            self._away, self._asks_at = error, self._clock() + AWAY_SECONDS
            raise
        self._away = None
        filled.lent_pico, filled.lent_at = held, now
        lease.add(lent)
        return lent

    async def _give_back(self, lease: Lease, pico: int, at: int) -> None:
        """Give back what was taken out of a lease; where the ledger cannot take it, it stays."""
        try:
            await self.tell_passed(at)
            await asyncio.to_thread(give_back, self._ledger, self._worker, lease.budget, pico, at)
        except OutsideError:
            lease.add(pico)
            raise

    def _of(self, rule: BudgetRule, at: int) -> tuple[Purse, int, int]:
        """The purse of a rule, and the period in which it is the one, in microseconds."""
        account, start, end = _account(rule, at)
        filled = self._filled.get(account)
        if filled is None:
            per = f" a {rule.per}" if rule.per else ""
            words = f"{from_pico(rule.amount_pico).normalize():f} USD{per} of {rule.owner}"
            purse = Purse(Lease(account), words, rule.overdraft_pico // self._workers)
            now = self._clock()
            filled = self._filled[account] = _Filled(purse, rule, lent_at=now, looked_at=now)
        return filled.purse, start, end


def _account(rule: BudgetRule, at: int) -> tuple[str, int, int]:
    """The account of the period that holds an instant, and that period in microseconds."""
    instant = datetime.fromtimestamp(at / 1e6, UTC)
    if rule.per is None:
        return rule.account_at(instant), 0, 2**63
    window = rule.window_at(instant)
    return rule.account_at(instant), int(window.start.timestamp() * 1e6), int(window.end.timestamp() * 1e6)
