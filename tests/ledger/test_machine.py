"""Workers, leases, journals and the ingester as a state machine, against a model of a few sums.

Anything may die at any step: a worker (with or without half a line in its journal), the ingester in the middle of a
transaction. The model knows what was answered and what was in flight; the books must come to the same.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from offtake.gateway.ingest import Ingester
from offtake.gateway.journal.events import Resolve
from offtake.gateway.journal.writer import JournalWriter
from offtake.ledger.budgets import BudgetRule
from offtake.ledger.lease import Lease
from offtake.store.ledger.history import audit, usage_of
from offtake.store.ledger.leases import budget_states, give_back, lend, start_worker, unresolved
from offtake.store.ledger.ledger import LedgerError, open_ledger
from offtake.store.ledger.posting import Stretch, post
from tests.ledger.conftest import MEMORY
from tests.ledger.test_store import stretch
from tests.ledger.traffic import NOON, intent, kill, release, settle

AMOUNT = 1_000
RULE = BudgetRule("key:k", AMOUNT, "month")
BUDGET = "key:k/month/2026-11-01"
EXAMPLES_MAX = 300


class Worker:
    """A worker as the gateway has it: a journal, a lease, the holds of what is in flight."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.journal = JournalWriter(folder, name, rotate_bytes=1_500)
        self.lease = Lease(BUDGET)
        self.in_flight: dict[str, int] = {}


WORKERS = st.integers(0, 2)


class Gateway(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
        self.ledger = open_ledger(self.folder / "offtake.db", create=True)
        self.ingester = Ingester(self.ledger, self.folder / "journal", batch_bytes=500)
        self.workers: dict[int, Worker] = {}
        self.count = 0
        self.answered: dict[str, int] = {}
        self.left: dict[str, int] = {}
        self.resolved: dict[str, int] = {}

    def worker(self, place: int) -> Worker:
        """The living worker of a place; a new one where there is none, as the supervisor sees to it."""
        if place not in self.workers:
            self.count += 1
            self.workers[place] = Worker(self.folder / "journal", f"w{self.count}")
            start_worker(self.ledger, self.workers[place].name, NOON)
        return self.workers[place]

    @rule(place=WORKERS, hold=st.integers(1, 200), wanted=st.integers(0, 500), count=st.integers(1, 4))
    def dispatch(self, place: int, hold: int, wanted: int, count: int) -> None:
        worker = self.worker(place)
        for _ in range(count):
            if not worker.lease.reserve(hold):
                worker.lease.add(lend(self.ledger, worker.name, RULE, NOON, wanted_pico=wanted, needed_pico=hold))
                if not worker.lease.reserve(hold):
                    return
            self.count += 1
            request = f"r{self.count:06d}"
            worker.journal.append(intent(request, {BUDGET: hold}))
            worker.in_flight[request] = hold

    @rule(place=WORKERS, share=st.integers(0, 100), is_released=st.booleans())
    def answer(self, place: int, share: int, is_released: bool) -> None:
        worker = self.worker(place)
        if not worker.in_flight:
            return
        request, hold = worker.in_flight.popitem()
        cost = 0 if is_released else hold * share // 100
        worker.journal.append(release(request, [BUDGET]) if is_released else settle(request, [BUDGET], cost))
        worker.lease.settle(hold, cost)
        if not is_released:
            self.answered[request] = cost

    @rule(place=WORKERS, keep=st.integers(0, 50))
    def give_idle_back(self, place: int, keep: int) -> None:
        worker = self.worker(place)
        give_back(self.ledger, worker.name, BUDGET, worker.lease.spare(keep), NOON)

    @rule(place=WORKERS, torn=st.integers(0, 60))
    def die(self, place: int, torn: int) -> None:
        """It is killed, maybe in the middle of a line."""
        worker = self.worker(place)
        path = max((self.folder / "journal").glob(f"{worker.name}.*.wal"))
        kill(worker.journal)
        self.left |= worker.in_flight
        del self.workers[place]
        with path.open("ab") as file:
            file.write(b'0000000a {"kind":"settle","id":"torn","cost_pico":999999}'[:torn])

    @rule(place=WORKERS)
    def leave(self, place: int) -> None:
        """It stops in good order, with what is in flight cut off."""
        worker = self.worker(place)
        worker.journal.close()
        self.left |= worker.in_flight
        del self.workers[place]

    @rule()
    def ingest(self) -> None:
        self.ingester.step()

    @rule(steps=st.integers(1, 400))
    def ingester_dies(self, steps: int) -> None:
        """The database gives up after so many of its own instructions, wherever that is; another ingester goes on."""
        connection = self.ledger._connection
        countdown = iter(range(steps))
        connection.set_progress_handler(lambda: next(countdown, None) is None, 10)
        try:
            self.ingester.step()
        except LedgerError:
            pass
        finally:
            connection.set_progress_handler(None, 0)
        self.ingester = Ingester(self.ledger, self.folder / "journal", batch_bytes=500)

    @rule(share=st.integers(0, 100))
    def resolve(self, share: int) -> None:
        self.ingester.step()
        for each in unresolved(self.ledger)[:1]:
            cost = each.holds[BUDGET] * share // 100
            event = Resolve(each.request, NOON, [BUDGET], cost, "acme", "anthropic", "the vendor's report")
            post(self.ledger, [_from_nowhere(stretch(event))], NOON)
            self.resolved[each.request] = cost

    @invariant()
    def no_budget_is_overrun(self) -> None:
        spent = sum(self.answered.values()) + sum(self.resolved.values())
        assert spent + sum(hold for name, hold in self.left.items() if name not in self.resolved) <= AMOUNT
        for state in budget_states(self.ledger):
            assert min(state.available_pico, state.leased_pico, state.held_pico) >= 0
            assert AMOUNT == state.available_pico + state.leased_pico + state.held_pico + state.spent_pico

    def teardown(self) -> None:
        """Every process ends, everything is posted: nothing is lost, nothing doubled, what is open is listed."""
        try:
            self._end()
        finally:
            self.ledger.close()
            shutil.rmtree(self.folder)

    def _end(self) -> None:
        self.ingester = Ingester(self.ledger, self.folder / "journal")
        self.ingester.drain()
        posted = {record.id: record for record in usage_of(self.ledger)}
        assert self.answered.keys() == posted.keys()
        held = {each.request: each.holds[BUDGET] for each in unresolved(self.ledger)}
        assert {name: hold for name, hold in self.left.items() if name not in self.resolved} == held
        for state in budget_states(self.ledger):
            assert sum(self.answered.values()) + sum(self.resolved.values()) == state.spent_pico
            assert sum(held.values()) == state.held_pico
        assert [] == audit(self.ledger).findings


def _from_nowhere(events: Stretch) -> Stretch:
    """Events of a file of their own: a resolution is written by a person, not by a worker."""
    (entry, _), *_ = events.events
    return Stretch("operator", f"resolve-{entry.id}", 0, 1, events.events)


Gateway.TestCase.settings = settings(
    max_examples=min(settings().max_examples, EXAMPLES_MAX), stateful_step_count=40, deadline=None
)
TestGateway = Gateway.TestCase
