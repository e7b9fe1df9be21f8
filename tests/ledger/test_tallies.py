"""Tallies are the sums of the settlements, exact beyond 64 bits, and standings are read from them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from offtake.gateway.journal.events import Settle
from offtake.gateway.standings import Standings
from offtake.ledger.resolutions import Resolution
from offtake.store.ledger.history import audit
from offtake.store.ledger.leases import close_worker, lend, start_worker
from offtake.store.ledger.ledger import Ledger, open_ledger
from offtake.store.ledger.posting import post, post_resolutions
from offtake.store.ledger.tallies import HOUR, Sums, Tally, tallies
from tests.gateway.deals import AT, outlet
from tests.ledger.test_store import stretch
from tests.ledger.traffic import NOON, intent, release, rule

OPUS = "claude-opus-4-7"
LARGE = 10**21 + 1
BUDGET = "key:k/month/2026-11-01"
TERMS = """commitments:
  - {id: listed, amount: 1_000 USD / year, pool: all_models, counts_at: list, true_up: year}
"""


def settled(number: int, at: int, cost_pico: int, model: str = OPUS, list_pico: int | None = None) -> Settle:
    used = {"input_tokens": number, "output_tokens": 1}
    return Settle(f"r{number}", at, at, "k", [], cost_pico, "acme", "anthropic", model, used, list_pico=list_pico)


def block(ledger: Ledger, number: int, *events: Settle) -> None:
    post(ledger, [stretch(*events, file=f"w1.{number:06d}.wal")], NOON)


def test_settlements_are_summed_with_their_block(ledger: Ledger) -> None:
    noon = NOON // HOUR
    post(ledger, [stretch(intent("x", {}), release("x", []), file="w0.000001.wal")], NOON)
    block(ledger, 1, settled(1, NOON, 5), settled(2, NOON + 1, LARGE, list_pico=7), settled(3, NOON + HOUR, 1))
    block(ledger, 2, settled(4, NOON, 2), settled(5, NOON, 3, model="claude-haiku-4-5"))
    again = post(ledger, [stretch(settled(4, NOON, 2), settled(1, NOON, 6), file="copy.000001.wal")], NOON)

    assert (1, 1) == (again.repeated, again.conflicts)
    assert {
        Tally("acme", noon, OPUS, "api"): Sums(LARGE + 7, 5 + 7 + 2, {"input_tokens": 1 + 2 + 4, "output_tokens": 3}),
        Tally("acme", noon + 1, OPUS, "api"): Sums(1, 1, {"input_tokens": 3, "output_tokens": 1}),
        Tally("acme", noon, "claude-haiku-4-5", "api"): Sums(3, 3, {"input_tokens": 5, "output_tokens": 1}),
    } == dict(tallies(ledger))


def test_what_a_dead_worker_left_is_summed_when_its_usage_is_known(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(10), NOON, wanted_pico=9, needed_pico=9)
    post(ledger, [stretch(intent("a", {BUDGET: 5}), intent("b", {BUDGET: 4}))], NOON)
    close_worker(ledger, "w1", NOON)
    known = Resolution(
        "a", NOON, (BUDGET,), 3, "acme", "anthropic", "Ana", "x", NOON, OPUS, quantities={"input_tokens": 2}
    )
    post_resolutions(ledger, [known, Resolution("b", NOON, (BUDGET,), 4, "acme", "anthropic", "Ana", "x")], NOON)

    assert {Tally("acme", NOON // HOUR, OPUS, "api"): Sums(3, 3, {"input_tokens": 2})} == dict(tallies(ledger))
    assert [] == audit(ledger).findings


def test_standings_of_a_ledger_from_before_there_were_tallies(ledger: Ledger, folder: Path) -> None:
    at = int(AT.timestamp() * 1e6) - 30 * 24 * HOUR
    block(ledger, 1, settled(1, at, 10**12, list_pico=2 * 10**12))
    ledger.close()
    old = sqlite3.connect(folder / "offtake.db")
    old.executescript("DROP TABLE tallies; DELETE FROM counters WHERE name = 'tallied after'; PRAGMA user_version = 3")
    old.close()
    ledger = open_ledger(folder / "offtake.db")
    block(ledger, 2, settled(2, at, 10**12, list_pico=3 * 10**12))

    assert 995 * 10**12 == left(ledger, TERMS)
    ledger.close()


def test_standings_of_tallies(ledger: Ledger) -> None:
    at = int(AT.timestamp() * 1e6) - 30 * 24 * HOUR
    block(ledger, 1, *(settled(number, at + number, 10**12, list_pico=2 * 10**12) for number in range(1, 4)))

    assert 994 * 10**12 == left(ledger, TERMS)


def test_a_contract_that_tells_affiliates_apart_reads_each_request(ledger: Ledger) -> None:
    at = int(AT.timestamp() * 1e6) - 30 * 24 * HOUR
    requests = [settled(number, at, 10**12, list_pico=10**12) for number in (1, 2, 3)]
    requests[0].account = requests[1].account = "buyer"
    block(ledger, 1, *requests)

    assert 998 * 10**12 == left(ledger, TERMS.replace("all_models", "{affiliates: [buyer]}"))


def left(ledger: Ledger, terms: str) -> int:
    """What is left of the first commitment of a contract."""
    return Standings(ledger, [outlet(terms)]).renewed(AT, {})["acme"].drawdowns[0].left_pico
