"""The money of batches: held whole when a batch is made, settled line by line, the rest given back at its end.

Each line is a request of the ledger with a name of its own, so it is held once and settled once, whoever was killed in
between. The process is a worker of the ledger, with a journal and leases; what a killed one has begun stays held until
the next one, which begins when the ledger has closed its predecessor, says how it ended.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from msgspec.structs import replace

from offtake.gateway.ask import Refusal, Served
from offtake.gateway.batch.documents import Batch
from offtake.gateway.batch.plan import Planned
from offtake.gateway.callers import Caller
from offtake.gateway.desk import instant, microseconds
from offtake.gateway.journal.events import Event, Intent, Release, Settle
from offtake.gateway.journal.writer import JournalWriter
from offtake.gateway.outlet import Outlet
from offtake.gateway.prepare import Spoken
from offtake.gateway.settle import Costs, costs_of, settle_line, with_others
from offtake.ledger.accounts import available
from offtake.ledger.budgets import BudgetRule
from offtake.store.ledger.history import states_of
from offtake.store.ledger.leases import give_back, lend, open_workers, start_worker
from offtake.store.ledger.ledger import Ledger
from offtake.values.money import from_pico

NAME = "batches-"
INTENTS_A_LINE = 100
"""Intents that stand in one line of the journal, all or none."""


@dataclass(slots=True)
class Held:
    """One batch in the books. `begun` and `ended`: line numbers that have an intent, and an end.

    `ours`: those that were held in this process, whose rest is ours to give back; a predecessor's goes back by itself.
    """

    accounts: tuple[str, ...]
    begun: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)
    ours: set[int] = field(default_factory=set)
    spare_pico: int = 0


class Books:
    """What one process of batches writes down."""

    def __init__(self, ledger: Ledger, journals: Path, *, power: bool) -> None:
        self.ledger = ledger
        self._journals = journals
        self._power = power
        self._name = f"{NAME}{time.time_ns() // 1_000_000:x}{secrets.token_hex(2)}"
        self._writer: JournalWriter | None = None

    def predecessors(self) -> list[str]:
        """Processes before this one whose journals are not posted to the end yet."""
        return [name for name in open_workers(self.ledger, 2**62) if name.startswith(NAME) and name != self._name]

    def found(self, batch: Batch, caller: Caller) -> Held:
        """A batch as the ledger knows it, once no predecessor is left."""
        at = instant(batch.created_at)
        held = Held(tuple(rule.account_at(at) for rule in caller.budgets))
        prefix = f"{batch.id}_"
        for request, ended in states_of(self.ledger, prefix).items():
            number = int(request.removeprefix(prefix))
            held.begun.add(number)
            if ended:
                held.ended.add(number)
        return held

    def hold(self, batch: Batch, caller: Caller, plan: Sequence[Planned], outlets: Mapping[str, Outlet], held: Held
             ) -> Refusal | None:  # fmt: skip
        """Hold for every line that has no intent yet, or for none of them and say which budget lacks the money."""
        fresh = [line for line in plan if line.number not in held.begun]
        total = sum(line.hold_pico for line in fresh)
        lent: list[tuple[BudgetRule, str]] = []
        for rule, account in zip(caller.budgets, held.accounts, strict=True):
            if total and not lend(
                self.ledger, self._worker.worker, rule, batch.created_at, wanted_pico=total, needed_pico=total
            ):
                for _, other in lent:
                    give_back(self.ledger, self._worker.worker, other, total, microseconds())
                return _refused(rule, account, total, self.ledger.balance(available(account)), batch.lines)
            lent.append((rule, account))
        for first in range(0, len(fresh), INTENTS_A_LINE):
            lines = fresh[first : first + INTENTS_A_LINE]
            self._worker.append(*(self._intent(batch, caller, line, outlets, held) for line in lines))
            numbers = {line.number for line in lines}
            held.begun |= numbers
            held.ours |= numbers
        self._sync()
        return None

    def settle(
        self, batch: Batch, caller: Caller, line: Planned, outlet: Outlet, spoken: Spoken, served: Served, held: Held
    ) -> Costs:
        """What a line has cost, written down unless it is already."""
        costs = costs_of(
            outlet, line.model, spoken.ask, caller.rules, served, instant(batch.created_at), written_bytes=0,
            hold_pico=line.hold_pico,
        )  # fmt: skip
        if served.others:
            at = instant(batch.created_at)
            costs = with_others(costs, outlet, spoken.ask, caller.rules, served, at, line.hold_pico)
        if line.number not in held.ended:
            name = batch.request_id(line.number)
            settled = self._settled(name, batch, caller, outlet, costs, held)
            self._worker.append(settled, *self._others(batch, caller, line, outlet, costs, held))
            self._end(line, held, costs.total_pico)
        return costs

    def release(self, batch: Batch, line: Planned, why: str, held: Held) -> None:
        """A line that never ran."""
        if line.number in held.begun - held.ended:
            name = batch.request_id(line.number)
            self._worker.append(Release(name, microseconds(), list(held.accounts), why))
            self._end(line, held, 0)

    def close_batch(self, held: Held) -> None:
        """Give back what the lines of a batch did not cost."""
        self._sync()
        pico, held.spare_pico = max(held.spare_pico, 0), 0
        for account in held.accounts if pico else ():
            give_back(self.ledger, self._worker.worker, account, pico, microseconds())

    def close(self) -> None:
        """Nothing more is written."""
        if self._writer is not None:
            self._writer.close()

    @property
    def _worker(self) -> JournalWriter:
        """The journal, opened with the first batch."""
        if self._writer is None:
            start_worker(self.ledger, self._name, microseconds())
            self._writer = JournalWriter(self._journals, self._name, power=self._power)
        return self._writer

    def _end(self, line: Planned, held: Held, cost_pico: int) -> None:
        held.ended.add(line.number)
        if line.number in held.ours:
            held.spare_pico += line.hold_pico - cost_pico

    def _sync(self) -> None:
        if self._power and self._writer is not None:
            self._writer.sync()

    def _intent(self, batch: Batch, caller: Caller, line: Planned, outlets: Mapping[str, Outlet], held: Held) -> Intent:
        part, key = batch.parts[line.part], caller.key
        outlet = outlets[part.outlet]
        return Intent(
            batch.request_id(line.number), batch.created_at, key.id, dict.fromkeys(held.accounts, line.hold_pico),
            outlet.contract, outlet.vendor, line.model, channel="batch" if part.native else "realtime",
            access=outlet.access, region=outlet.region, workload=key.workload, customer=key.customer,
            tags=dict(caller.tags), tier_requested="batch" if part.native else "", parent=batch.id,
        )  # fmt: skip

    def _others(
        self, batch: Batch, caller: Caller, line: Planned, outlet: Outlet, costs: Costs, held: Held
    ) -> Iterator[Event]:
        """Other models that worked inside a line's answer: requests of their own, on the line's hold."""
        for number, other in enumerate(costs.others, 1):
            own = self._intent(batch, caller, line, {batch.parts[line.part].outlet: outlet}, held)
            name = f"{own.id}.m{number}"
            yield replace(own, id=name, model=other.model, holds={}, parent=own.id)
            yield self._settled(name, batch, caller, outlet, other, held)

    def _settled(self, name: str, batch: Batch, caller: Caller, outlet: Outlet, costs: Costs, held: Held) -> Settle:
        evidence = {**costs.evidence, "batch": batch.id}
        return settle_line(name, microseconds(), batch.created_at, caller, outlet, held.accounts, costs, evidence)


def _refused(rule: BudgetRule, account: str, needed_pico: int, left_pico: int, lines: int) -> Refusal:
    per = f" a {rule.per}" if rule.per else ""
    amount, needed, left = (from_pico(max(each, 0)) for each in (rule.amount_pico, needed_pico, left_pico))
    what = f"this batch of {lines:,} requests" if lines > 1 else "this request"
    return Refusal(
        "budget", "G401", f"the budget {amount.normalize():f} USD{per} of {rule.owner} has {left:.6f} USD left, and"
        f" {what} may cost {needed:.6f} USD", f"budget {account}",
        "send fewer requests, or lower their limits of output tokens",
    )  # fmt: skip
