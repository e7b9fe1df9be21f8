"""Tallies are the sums of the settlements, whatever of them was added already, and exact beyond 64 bits."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from offtake.gateway.journal.events import Settle
from offtake.gateway.standings import Standings
from offtake.store.ledger.ledger import Ledger, open_ledger
from offtake.store.ledger.posting import post
from offtake.store.ledger.tallies import HOUR, Sums, Tally, fold, tallied, tallies
from tests.gateway.deals import AT, outlet
from tests.ledger.test_store import stretch
from tests.ledger.traffic import NOON, intent, release

OPUS = "claude-opus-4-7"
LARGE = 10**21 + 1


def settled(number: int, at: int, cost_pico: int, model: str = OPUS, list_pico: int | None = None) -> Settle:
    used = {"input_tokens": number, "output_tokens": 1}
    return Settle(f"r{number}", at, at, "k", [], cost_pico, "acme", "anthropic", model, used, list_pico=list_pico)


def block(ledger: Ledger, number: int, *events: Settle) -> None:
    post(ledger, [stretch(*events, file=f"w1.{number:06d}.wal")], NOON)


def found(ledger: Ledger) -> dict[Tally, Sums]:
    with ledger.reading():
        sums: dict[Tally, Sums] = {}
        for tally, each in tallies(ledger):
            sums.setdefault(tally, Sums()).add(each.cost_pico, each.list_pico, each.quantities or {})
        return sums


def test_sums_are_the_same_before_and_after_they_are_added(ledger: Ledger) -> None:
    noon = NOON // HOUR
    post(ledger, [stretch(intent("x", {}), release("x", []), file="w0.000001.wal")], NOON)
    block(ledger, 1, settled(1, NOON, 5), settled(2, NOON + 1, LARGE, list_pico=7), settled(3, NOON + HOUR, 1))
    assert not fold(ledger, blocks_min=3), "it waits for more blocks"
    assert 0 == tallied(ledger)
    before = found(ledger)
    assert not fold(ledger, blocks_min=1)
    assert (2, before) == (tallied(ledger), found(ledger))
    block(ledger, 2, settled(4, NOON, 2), settled(5, NOON, 3, model="claude-haiku-4-5"))
    once_more = found(ledger)
    fold(ledger, blocks_min=1)

    assert once_more == found(ledger)
    assert {
        Tally("acme", noon, OPUS, "api"): Sums(LARGE + 7, 5 + 7 + 2, {"input_tokens": 1 + 2 + 4, "output_tokens": 3}),
        Tally("acme", noon + 1, OPUS, "api"): Sums(1, 1, {"input_tokens": 3, "output_tokens": 1}),
        Tally("acme", noon, "claude-haiku-4-5", "api"): Sums(3, 3, {"input_tokens": 5, "output_tokens": 1}),
    } == found(ledger)


def test_a_ledger_of_before_is_added_too(ledger: Ledger, folder: Path) -> None:
    block(ledger, 1, settled(1, NOON, 5))
    ledger.close()
    old = sqlite3.connect(folder / "offtake.db")
    old.executescript("DROP TABLE tallies; DELETE FROM counters WHERE name = 'tallied'; PRAGMA user_version = 3")
    old.close()
    ledger = open_ledger(folder / "offtake.db")

    assert 5 == sum(sums.cost_pico for sums in found(ledger).values())
    fold(ledger, blocks_min=1)
    assert 5 == sum(sums.cost_pico for sums in found(ledger).values())
    ledger.close()


def test_standings_are_the_same_from_tallies(ledger: Ledger) -> None:
    terms = (
        "commitments:\n  - {id: listed, amount: 1_000 USD / year, pool: all_models, counts_at: list, true_up: year}\n"
    )
    at = int(AT.timestamp() * 1e6) - 30 * 24 * HOUR
    block(ledger, 1, *(settled(number, at + number, 10**12, list_pico=2 * 10**12) for number in range(1, 4)))
    where = outlet(terms)
    before = Standings(ledger, [where]).renewed(AT, {})["acme"].drawdowns[0].left_pico
    fold(ledger, blocks_min=1)

    assert 994 * 10**12 == before == Standings(ledger, [where]).renewed(AT, {})["acme"].drawdowns[0].left_pico


def test_a_contract_that_tells_affiliates_apart_reads_each_request(ledger: Ledger) -> None:
    pool = "{affiliates: [buyer]}"
    terms = f"commitments:\n  - {{id: own, amount: 1_000 USD / year, pool: {pool}, counts_at: list, true_up: year}}\n"
    at = int(AT.timestamp() * 1e6) - 30 * 24 * HOUR
    requests = [settled(number, at, 10**12, list_pico=10**12) for number in (1, 2, 3)]
    requests[0].account = requests[1].account = "buyer"
    block(ledger, 1, *requests)
    fold(ledger, blocks_min=1)

    where = outlet(terms)
    assert where.terms.by_affiliate
    assert 998 * 10**12 == Standings(ledger, [where]).renewed(AT, {})["acme"].drawdowns[0].left_pico
