"""`offtake baseline`: what is kept at signing, and what later traffic is against it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from offtake.gateway.ingest import Ingester
from offtake.gateway.journal.events import Settle
from offtake.gateway.journal.writer import JournalWriter
from offtake.operations.baseline_compare import _verdict
from offtake.store.ledger.leases import start_worker
from offtake.store.ledger.ledger import open_ledger
from tests.faces.conftest import CONTRACT, SUITE, Offtake, accept
from tests.ledger.traffic import intent, kill

OPUS = "claude-opus-4-7"
SLA = "sla: {latency: {no_worse_than: baseline, tolerance: 10%, at: {input_tokens_max: 4_000}}}\n"
CONFIG = """
[vendors.anthropic]
wire = "anthropic"
base_url = "https://api.anthropic.com"

[[contracts]]
file = "small.yaml"
"""
TENS = range(10, 1_001, 10)
"""A hundred latencies: p50 is 500 ms, p95 950."""
Serve = Callable[..., None]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Write a ledger of requests that were answered in these milliseconds, of large ones, and of failed ones."""
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(CONTRACT + SUITE + SLA)
    Path("offtake.toml").write_text(CONFIG)

    def served(latencies_ms: Sequence[int], failed: int = 0) -> None:
        now = time.time_ns() // 1_000
        worker = f"w{now}"
        ledger = open_ledger(Path("offtake.db"), create=True)
        start_worker(ledger, worker, now)
        journal = JournalWriter(Path("journal"), worker)
        rows = [(latency, 1_000, "ok") for latency in latencies_ms]
        rows += [(60_000, 5_000, "ok"), (60_000, 1_000, "client_cancel")] + [(1, 1_000, "http_5xx")] * failed
        for number, (latency, tokens, outcome) in enumerate(rows):
            id, used = f"{worker}-{number}", {"input_tokens": tokens, "output_tokens": 10}
            journal.append(intent(id, {}, now))
            journal.append(
                Settle(id, now, now, "k", [], 5, "small", "anthropic", OPUS, used, outcome, latency_ms=latency)
            )
        kill(journal)
        Ingester(ledger, Path("journal")).drain()
        ledger.close()

    return served


def figures(offtake: Offtake, code: int) -> dict[str, dict[str, Any]]:
    done = offtake("baseline", "compare", "--format", "json")
    assert code == done.code, done.err
    (found,) = json.loads(done.out)["baselines"]
    assert ("small", "Ana", "0.10") == (found["contract"], found["by"], found["tolerance"])
    return {each["figure"]: each for each in found["figures"]}


def test_later_traffic_is_compared_with_what_was_signed(offtake: Offtake, serve: Serve) -> None:
    serve(TENS, failed=2)
    accept(Path("small.yaml"), Path("offtake.db"), OPUS, 29)
    assert 0 == offtake("baseline", "record", "--by", "Ana").code
    (row,) = json.loads(Path("small.baseline.json").read_text())["models"]
    assert (104, 2, {"p50": 500, "p95": 950, "p99": 990}) == (row["requests"], row["failed"], row["latency_ms"])
    assert {"latency_ms": 100, "first_token_ms": 0} == row["counted"]
    assert [{"suite": "support", "passed": 29, "tasks": 30}] == row["quality"]

    nothing = figures(offtake, 0)
    assert ["latency_ms p50", "latency_ms p95", "failed", "throttled", "not passed of support"] == list(nothing)
    assert [None, "too few to say"] == [nothing["latency_ms p95"][name] for name in ("now", "verdict")]

    serve([value * 21 // 20 for value in TENS], failed=3)  # 5% slower, of 10% that are tolerated
    same = figures(offtake, 0)
    assert ("950", "997", 100, "as good", "sla.latency.no_worse_than") == tuple(
        same["latency_ms p95"][name] for name in ("then", "now", "counted", "verdict", "clause")
    )
    assert ("worse, or chance", "") == (same["failed"]["verdict"], same["failed"]["clause"])

    serve([value * 3 for value in TENS], failed=30)
    accept(Path("small.yaml"), Path("offtake.db"), OPUS, 20)
    worse = figures(offtake, 1)
    assert {"latency_ms p95", "failed", "not passed of support", "latency_ms p50"} == {
        name for name, each in worse.items() if each["verdict"] == "worse"
    }
    shown = offtake("baseline", "compare").out
    assert "small, " in shown and "tolerated above the baseline's latency: 10%" in shown


def test_without_a_baseline_or_with_a_changed_one_nothing_is_compared(offtake: Offtake, serve: Serve) -> None:
    serve(TENS)
    none = offtake("baseline", "compare")
    assert (2, True) == (none.code, "no contract has a baseline beside it" in none.err)

    offtake("baseline", "record", "--by", "Ana")
    file = Path("small.baseline.json")
    file.write_text(file.read_text().replace('"p95": 950', '"p95": 9500'))
    changed = offtake("baseline", "compare")
    assert (2, True) == (changed.code, "was changed since it was signed" in changed.err)


@pytest.mark.parametrize(
    ("slow", "of", "expected"),
    [(0, 0, "too few to say"), (19, 19, "too few to say"), (20, 400, "as good"), (21, 400, "worse, or chance"),
     (30, 400, "worse, or chance"), (40, 400, "worse")],
)  # fmt: skip
def test_worse_is_what_chance_does_not_explain_on_either_side(slow: int, of: int, expected: str) -> None:
    assert expected == _verdict(slow, of, 5, 100, 400)
