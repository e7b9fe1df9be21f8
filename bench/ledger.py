"""How fast the ledger takes what a gateway writes down, on one hot wallet, against a commit for each request.

A request is an intent and a settlement, some 700 bytes in the journal. Durable means committed by SQLite with
synchronous=FULL: on the disk, not only in the kernel. Both ways run in turns on the same disk in the same run.

    journal       one event: encoded, summed, written by one write(2); CPU, beside a bare write of as many bytes
    ingester      journals posted to the ledger in batches, as `offtake serve` does
    per request   what a ledger without batches does: one transaction that reads the balance, refuses below zero, and
                  writes balance and usage row
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, arguments, show, unmet
from offtake.gateway.ingest import Ingester
from offtake.gateway.journal.events import Intent, Settle
from offtake.gateway.journal.reader import journals
from offtake.gateway.journal.writer import JournalWriter
from offtake.gateway.memory import keep_freed
from offtake.store.ledger.history import audit
from offtake.store.ledger.ledger import open_ledger

BUDGET = "key:key_9800da79ffd241b6/month/2026-11-01"
AT = 1_795_262_400_000_000
REQUESTS = 50_000
COMMITS = 300
ROUNDS = 5
HOLD_PICO = 10**10


def measure(options: argparse.Namespace) -> list[Figure]:
    """All figures: medians over the rounds."""
    keep_freed()  # as the ingester does
    ingested, cpu, events, written, commits = [], [], [], [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=options.data if options.data.is_dir() else None) as name:
            folder = Path(name)
            events.append(_journal(folder) / (2 * REQUESTS))
            written.append(_bare_writes(folder) / (2 * REQUESTS))
            seconds, processor = _ingest(folder)
            ingested.append(REQUESTS / seconds)
            cpu.append(processor / REQUESTS)
            commits.append(COMMITS / _commits(folder))
    settles, alone = statistics.median(ingested), statistics.median(commits)
    return [
        Figure("one event in the journal, CPU", statistics.median(events) * 1e6, "µs", "<= 2"),
        Figure("a bare write of as many bytes, CPU", statistics.median(written) * 1e6, "µs"),
        Figure("ingester, durable settles on one wallet", settles, "/s", ">= 100000"),
        Figure("ingester, CPU a request", statistics.median(cpu) * 1e6, "µs", "<= 10"),
        Figure("a commit for each request", alone, "/s"),
        Figure("ingester, against a commit for each request", settles / alone, "x"),
    ]


def _journal(folder: Path) -> float:
    """CPU seconds to write the intents and settlements of all requests."""
    journal = JournalWriter(folder / "journal", "w1", rotate_bytes=2**30)
    events = [event for number in range(REQUESTS) for event in _events(f"w1-{number:09x}", 1_234_567 + number)]
    started = time.process_time()
    for event in events:
        journal.append(event)
    spent = time.process_time() - started
    journal.close()
    return spent


def _events(request: str, cost_pico: int) -> tuple[Intent, Settle]:
    intent = Intent(
        request, AT, "key_9800da79ffd241b6", {BUDGET: HOLD_PICO}, "acme-anthropic-2026", "anthropic",
        "claude-opus-4-7", workload="support", tags={"team": "search"},
    )  # fmt: skip
    settle = Settle(
        request, AT, AT, "key_9800da79ffd241b6", [BUDGET], cost_pico, "acme-anthropic-2026", "anthropic",
        "claude-opus-4-7", {"input_tokens": 1_200, "output_tokens": 300}, workload="support", tags={"team": "search"},
        context_tokens=1_200, latency_ms=812, vendor_request_id="req_011CVabcdef",
        clauses=["prices.discounts[0] (acme.yaml:9)"],
    )  # fmt: skip
    return intent, settle


def _bare_writes(folder: Path) -> float:
    line = b"x" * (sum(path.stat().st_size for path in journals(folder / "journal")["w1"]) // (2 * REQUESTS))
    descriptor = os.open(folder / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    started = time.process_time()
    for _ in range(2 * REQUESTS):
        os.write(descriptor, line)
    spent = time.process_time() - started
    os.close(descriptor)
    return spent


def _ingest(folder: Path) -> tuple[float, float]:
    """Seconds and CPU seconds to post all of it; the books must be whole afterwards."""
    ledger = open_ledger(folder / "offtake.db", create=True)
    ingester = Ingester(ledger, folder / "journal")
    started, processor = time.perf_counter(), time.process_time()
    lines = ingester.drain()
    spent = time.perf_counter() - started, time.process_time() - processor
    expected = {f"spent:{BUDGET}": sum(1_234_567 + number for number in range(REQUESTS))}
    codes = {finding.code for finding in audit(ledger).findings} - {"L737"}  # there was no loan: nothing to keep above
    if lines != 2 * REQUESTS or ledger.balances_of("spent:") != expected or codes:
        raise AssertionError("the books are not what was written down")
    ledger.close()
    return spent


def _commits(folder: Path) -> float:
    """Seconds for so many requests, each a transaction of its own."""
    connection = sqlite3.connect(folder / "alone.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE wallet (id INTEGER PRIMARY KEY, pico INTEGER NOT NULL)")
    connection.execute("CREATE TABLE usage (id TEXT PRIMARY KEY, pico INTEGER NOT NULL, body TEXT NOT NULL)")
    connection.execute("INSERT INTO wallet VALUES (1, 1000000000000000)")
    body = "x" * 450
    started = time.perf_counter()
    for number in range(COMMITS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE wallet SET pico = pico - ? WHERE id = 1 AND pico >= ?", (number, number))
        connection.execute("INSERT INTO usage VALUES (?, ?, ?)", (f"w1-{number:09x}", number, body))
        connection.execute("COMMIT")
    spent = time.perf_counter() - started
    connection.close()
    return spent


def main() -> int:
    """Print the figures; 1 where a goal was missed."""
    options = arguments().parse_args()
    figures = measure(options)
    show("ledger", figures, options.format)
    return unmet(figures)


if __name__ == "__main__":
    sys.exit(main())
