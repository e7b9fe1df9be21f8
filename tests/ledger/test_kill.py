"""Real processes, really killed: workers that write and an ingester that posts; the books hold what was said, once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from offtake.gateway.ingest import Ingester
from offtake.gateway.journal.reader import journals
from offtake.store.ledger.history import audit, usage_of
from offtake.store.ledger.leases import budget_states, unresolved
from offtake.store.ledger.ledger import open_ledger
from tests.ledger.test_journal import ENVIRONMENT
from tests.ledger.traffic import DOLLAR

KILLS = 10
WORKER = """
import os, sys
from pathlib import Path
from offtake.gateway.ingest import now
from offtake.gateway.journal.writer import JournalWriter
from offtake.ledger.lease import Lease
from offtake.store.ledger.leases import lend, start_worker
from offtake.store.ledger.ledger import open_ledger
from tests.ledger.traffic import NOON, intent, rule, settle
folder, name = Path(sys.argv[1]), sys.argv[2]
ledger = open_ledger(folder / "offtake.db")
journal = JournalWriter(folder / "journal", name, rotate_bytes=100_000)
start_worker(ledger, name, now())
lease, budget = Lease("key:k/month/2026-11-01"), rule(1)
number = 0
while True:
    number += 1
    hold = number % 7 * 10**7 + 1
    while not lease.reserve(hold):
        lent = lend(ledger, name, budget, NOON, wanted_pico=10**9, needed_pico=hold)
        if not lent:
            os.write(1, b"spent\\n")
            sys.exit()
        lease.add(lent)
    request = f"{name}-{number:08d}"
    journal.append(intent(request, {lease.budget: hold}))
    cost = hold * 2 // 3
    journal.append(settle(request, [lease.budget], cost))
    lease.settle(hold, cost)
    os.write(1, f"{request} {cost}\\n".encode())
"""
INGESTER = """
import sys
from pathlib import Path
from offtake.gateway.ingest import ingest
folder = Path(sys.argv[1])
ingest(folder / "offtake.db", folder / "journal", lambda: False, print)
"""


def test_killed_workers_and_ingesters_lose_and_double_nothing(folder: Path) -> None:
    """Ten kills at random moments; every answer that a worker had given stands in the books, exactly once."""
    draw = random.Random(7)
    open_ledger(folder / "offtake.db", create=True).close()
    answers: list[Path] = []

    def start(kind: str) -> subprocess.Popen[bytes]:
        name = f"w{len(answers)}"
        if kind == "ingester":
            return subprocess.Popen(
                [sys.executable, "-c", INGESTER, str(folder)], env=ENVIRONMENT, stdout=subprocess.DEVNULL
            )
        answers.append(folder / f"{name}.answers")
        with answers[-1].open("wb") as out:
            return subprocess.Popen([sys.executable, "-c", WORKER, str(folder), name], env=ENVIRONMENT, stdout=out)

    running = {kind: start(kind) for kind in ("ingester", "first", "second")}
    for _ in range(KILLS):
        time.sleep(draw.uniform(0.2, 0.7))
        victim = draw.choice(list(running))
        running[victim].send_signal(signal.SIGKILL)
        running[victim].wait()
        running[victim] = start(victim)
    for process in running.values():
        process.send_signal(signal.SIGKILL)
        process.wait()

    said = dict(line.split() for path in answers for line in path.read_text().splitlines() if " " in line)
    ledger = open_ledger(folder / "offtake.db")
    ingester = Ingester(ledger, folder / "journal")
    ingester.drain()
    booked = [(record.id, record) for record in usage_of(ledger)]
    (state,) = budget_states(ledger)

    assert len(said) > 100
    assert len(booked) == len(dict(booked))
    assert set() == said.keys() - dict(booked).keys()
    in_doubt = len(booked) - len(said)  # written down, and killed before it was said
    assert 0 <= in_doubt <= len(answers)
    assert {} == journals(folder / "journal")
    assert len(unresolved(ledger)) <= len(answers)
    assert 0 == state.leased_pico
    assert min(state.available_pico, state.held_pico) >= 0
    assert sum(int(cost) for cost in said.values()) <= state.spent_pico <= DOLLAR
    assert [] == audit(ledger).findings
    ledger.close()
    assert {"ingester.lock"} >= {path.name for path in (folder / "journal").iterdir()}
