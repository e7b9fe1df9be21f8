"""What workers count, and the page that sums it up: whole, only what is new, and what the dead have counted too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from offtake.gateway.ingest import Ingester
from offtake.gateway.journal.writer import JournalWriter
from offtake.gateway.metrics import Counts, forget, page
from offtake.store.ledger.leases import start_worker
from offtake.store.ledger.ledger import open_ledger
from offtake.values.errors import OutsideError
from tests.ledger.traffic import NOON, intent, kill, settle


def counted(requests: int) -> Counts:
    counts = Counts()
    for _ in range(requests):
        counts.tally("acme", "openai", "gpt-4o-mini", "ok").add(10**12, 2 * 10**12, {"input_tokens": 7}, 120, 90)
    return counts


def requests_of(folder: Path) -> float:
    (line,) = [line for line in page(folder).decode().splitlines() if line.startswith("offtake_requests_total{")]
    return float(line.split()[-1])


def test_the_page_is_the_sum_over_workers(tmp_path: Path) -> None:
    counted(2).write(tmp_path, "w0")
    counted(3).write(tmp_path, "w1")

    assert 5 == requests_of(tmp_path)
    assert "offtake_cost_usd_total" in page(tmp_path).decode()
    assert ["w0.metrics", "w1.metrics"] == sorted(path.name for path in tmp_path.iterdir())
    (tmp_path / "w2.metrics.new").touch()  # its worker was killed as it wrote
    forget(tmp_path)
    assert [] == list(tmp_path.iterdir())


COUNTS: dict[str, Callable[[Counts], None]] = {
    "refused": lambda counts: counts.refused("G411"),
    "observed": lambda counts: counts.observed(["G411"]),
    "transcripts are kept": lambda counts: counts.keeps_transcripts(),
    "a transcript": lambda counts: counts.transcript("kept"),
    "a request": lambda counts: counts.tally("acme", "openai", "gpt-5", "ok").add(1, 1, {}, 1, 1),
}


@pytest.mark.parametrize("what", COUNTS)
def test_counts_are_written_again_when_something_was_counted(tmp_path: Path, what: str) -> None:
    counts, path = counted(1), tmp_path / "w0.metrics"
    counts.keeps_transcripts()
    counts.write(tmp_path, "w0")
    path.unlink()
    counts.write(tmp_path, "w0")
    assert not path.exists()
    COUNTS[what](counts)
    counts.write(tmp_path, "w0")
    assert path.exists()


def test_counts_that_could_not_be_written_are_written_later(tmp_path: Path) -> None:
    counts, folder = counted(4), tmp_path / "journal"
    with pytest.raises(OutsideError, match="cannot write the counts of w0"):
        counts.write(folder, "w0")
    folder.mkdir()
    counts.write(folder, "w0")

    assert 4 == requests_of(folder)


def test_what_a_dead_worker_has_counted_stays_on_the_page(tmp_path: Path) -> None:
    ledger, folder = open_ledger(tmp_path / "offtake.db", create=True), tmp_path / "journal"
    start_worker(ledger, "w0", NOON)
    journal = JournalWriter(folder, "w0")
    journal.append(intent("a", {}))
    journal.append(settle("a", [], 3))
    counted(1).write(folder, "w0")
    kill(journal)
    Ingester(ledger, folder).drain()
    ledger.close()

    assert ["w0.metrics"] == [path.name for path in folder.iterdir()]
    assert 1 == requests_of(folder)
