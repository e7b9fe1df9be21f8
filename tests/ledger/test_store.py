"""The ledger on its file: lending, posting, closing, resolving; what is repeated, contradicted, forged or damaged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from offtake.gateway.journal.events import Event, Resolve, encode, events_of
from offtake.ledger import accounts
from offtake.ledger.lines import line_of, split_lines
from offtake.store.ledger.history import audit, usage_of
from offtake.store.ledger.leases import (
    budget_states,
    close_worker,
    give_back,
    lend,
    open_workers,
    start_worker,
    unresolved,
)
from offtake.store.ledger.ledger import Ledger, LedgerError, open_ledger
from offtake.store.ledger.packing import text_of
from offtake.store.ledger.posting import OutOfStepError, Posted, Stretch, place_in, post
from offtake.values.errors import InputError, OfftakeError
from tests.ledger.traffic import DOLLAR, NOON, intent, release, rule, settle

BUDGET = "key:k/month/2026-11-01"


def stretch(*events: Event, file: str = "w1.000001.wal", start: int = 0, worker: str = "w1") -> Stretch:
    """These events as if they had been read from a journal."""
    text = b"".join(line_of(encode(event)) + b"\n" for event in events)
    return Stretch(worker, file, start, start + len(text), events_of(split_lines(text)))


def codes(ledger: Ledger) -> list[str]:
    return [finding.code for finding in audit(ledger).findings]


def test_a_request_from_loan_to_books(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    lent = lend(ledger, "w1", rule(100), NOON, wanted_pico=10 * DOLLAR, needed_pico=DOLLAR)
    posted = post(ledger, [stretch(intent("a", {BUDGET: DOLLAR}), settle("a", [BUDGET], 3 * DOLLAR // 10))], NOON)
    (state,) = budget_states(ledger)
    (record,) = usage_of(ledger)

    assert (10 * DOLLAR, Posted(2, 1)) == (lent, posted)
    assert (90 * DOLLAR, 97 * DOLLAR // 10, 3 * DOLLAR // 10) == (
        state.available_pico, state.leased_pico, state.spent_pico,
    )  # fmt: skip
    assert {"expense:anthropic:acme": 3 * DOLLAR // 10} == ledger.balances_of("expense:")
    assert ("a", "claude-opus-4-7", {"input_tokens": 1_000, "output_tokens": 200}, "search") == (
        record.id, record.model, record.quantities, record.tags["team"],
    )  # fmt: skip
    assert [] == codes(ledger)


def test_amounts_beyond_64_bits_are_exact(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    million = 10**6 * DOLLAR
    lent = lend(ledger, "w1", rule(5_000_000_000), NOON, wanted_pico=30 * million + 7, needed_pico=1)
    post(ledger, [stretch(intent("a", {BUDGET: lent}), settle("a", [BUDGET], 20 * million + 1))], NOON)
    (state,) = budget_states(ledger)

    assert 30 * million + 7 == lent
    assert (10 * million + 6, 20 * million + 1) == (state.leased_pico, state.spent_pico)
    assert [] == codes(ledger)


def test_loans_shrink_near_the_end_and_stop_at_it(ledger: Ledger) -> None:
    for worker in ("w1", "w2"):
        start_worker(ledger, worker, NOON)
    lent = []
    while pico := lend(ledger, "w1", rule(1), NOON, wanted_pico=DOLLAR, needed_pico=DOLLAR // 100):
        lent.append(pico)
    (state,) = budget_states(ledger)

    assert DOLLAR // 4 == lent[0]
    assert lent == sorted(lent, reverse=True)
    assert state.leased_pico == sum(lent)
    assert 0 <= state.available_pico < DOLLAR // 100


def test_an_overdraft_line_is_lent_and_no_more(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    line = rule(1, overdraft_pico=DOLLAR // 2)

    assert 3 * DOLLAR // 2 == lend(ledger, "w1", line, NOON, wanted_pico=1, needed_pico=3 * DOLLAR // 2)
    assert 0 == lend(ledger, "w1", line, NOON, wanted_pico=1, needed_pico=1)
    assert [] == codes(ledger)


def test_a_budget_that_is_changed_grants_the_difference(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=DOLLAR)
    assert DOLLAR == lend(ledger, "w1", rule(2), NOON, wanted_pico=1, needed_pico=DOLLAR)
    assert 0 == lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=1)
    assert -DOLLAR == ledger.balance(accounts.available(BUDGET))
    assert [] == codes(ledger)


def test_what_is_given_back_can_be_lent_again(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=DOLLAR)
    give_back(ledger, "w1", BUDGET, DOLLAR // 4, NOON)

    assert 0 == lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=DOLLAR)
    assert DOLLAR // 4 == lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=DOLLAR // 4)
    with pytest.raises(LedgerError, match="more of"):
        give_back(ledger, "w1", BUDGET, DOLLAR + 1, NOON)


def test_each_month_has_its_own_money(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    december = NOON + 20 * 86_400 * 10**6
    lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=DOLLAR)

    assert DOLLAR == lend(ledger, "w1", rule(1), december, wanted_pico=1, needed_pico=DOLLAR)
    assert [BUDGET, "key:k/month/2026-12-01"] == [state.name for state in budget_states(ledger, "key:k")]


def test_a_closed_worker_is_lent_nothing(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    assert ["w1"] == open_workers(ledger, NOON + 1)
    close_worker(ledger, "w1", NOON)

    assert [] == open_workers(ledger, NOON + 1)
    for call in (
        lambda: lend(ledger, "w1", rule(1), NOON, wanted_pico=1, needed_pico=1),
        lambda: lend(ledger, "w9", rule(1), NOON, wanted_pico=1, needed_pico=1),
        lambda: give_back(ledger, "w1", BUDGET, 0, NOON),
        lambda: start_worker(ledger, "w1", NOON),
    ):
        with pytest.raises(LedgerError, match=r"L71[56]"):
            call()


def test_a_dead_worker_gives_back_all_but_its_open_holds(ledger: Ledger) -> None:
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(10), NOON, wanted_pico=4 * DOLLAR, needed_pico=DOLLAR)
    events = [intent(name, {BUDGET: DOLLAR}) for name in "abc"]
    post(ledger, [stretch(*events, settle("a", [BUDGET], DOLLAR // 4), release("b", [BUDGET]))], NOON)

    assert [] == unresolved(ledger)
    assert 1 == close_worker(ledger, "w1", NOON)
    assert 0 == close_worker(ledger, "w1", NOON)
    (state,) = budget_states(ledger)
    (left,) = unresolved(ledger)
    assert (35 * DOLLAR // 4, 0, DOLLAR, DOLLAR // 4) == (
        state.available_pico, state.leased_pico, state.held_pico, state.spent_pico,
    )  # fmt: skip
    assert ("c", "w1", {BUDGET: DOLLAR}, "claude-opus-4-7") == (
        left.request, left.worker, left.holds, left.intent["model"],
    )  # fmt: skip
    assert [] == codes(ledger)


@pytest.mark.parametrize("kind", ["settle", "resolve"])
def test_an_unresolved_request_ends_against_its_hold(ledger: Ledger, kind: str) -> None:
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(10), NOON, wanted_pico=4 * DOLLAR, needed_pico=DOLLAR)
    post(ledger, [stretch(intent("a", {BUDGET: DOLLAR}))], NOON)
    close_worker(ledger, "w1", NOON)
    resolve = Resolve("a", NOON, [BUDGET], DOLLAR // 5, "acme", "anthropic", "the vendor's report")
    end = resolve if kind == "resolve" else settle("a", [BUDGET], DOLLAR // 5)
    post(ledger, [stretch(end, file="w2.000001.wal", worker="w2")], NOON)
    (state,) = budget_states(ledger)

    assert [] == unresolved(ledger)
    assert (49 * DOLLAR // 5, 0, DOLLAR // 5) == (state.available_pico, state.held_pico, state.spent_pico)
    assert [] == codes(ledger)


def test_what_was_posted_is_not_posted_again_and_what_differs_is_a_conflict(ledger: Ledger) -> None:
    first: list[Event] = [intent("a", {BUDGET: 5}), settle("a", [BUDGET], 3), intent("b", {BUDGET: 5})]
    post(ledger, [stretch(*first)], NOON)
    other: list[Event] = [
        intent("c", {BUDGET: 5}),
        settle("a", [BUDGET], 4),
        settle("b", [BUDGET], 1),
        settle("b", [BUDGET], 2),
    ]
    posted = post(ledger, [stretch(*first, *other, file="copy.000001.wal")], NOON)

    assert Posted(lines=2, settled=1, repeated=3, conflicts=2) == posted
    assert 4 == ledger.balance(accounts.spent(BUDGET))
    assert ["L739", "L739"] == [code for code in codes(ledger) if code != "L737"]  # there was no loan


def test_an_intent_that_comes_after_its_end_opens_nothing(ledger: Ledger) -> None:
    post(ledger, [stretch(settle("a", [], 3))], NOON)
    posted = post(ledger, [stretch(intent("a", {BUDGET: 5}), intent("b", {}), file="w1.000002.wal")], NOON)

    assert Posted(lines=2) == posted
    assert [("b",)] == ledger.rows("SELECT request FROM open_requests")
    assert [] == codes(ledger)


def test_a_place_is_advanced_once(ledger: Ledger) -> None:
    batch = stretch(intent("a", {}))
    post(ledger, [batch], NOON)

    assert batch.stop == place_in(ledger, batch.file)
    for again in (batch, stretch(intent("b", {}), start=batch.stop + 1)):
        with pytest.raises(OutOfStepError):
            post(ledger, [again], NOON)
    assert batch.stop == place_in(ledger, batch.file)


FORGERIES = {
    "L733": "UPDATE blocks SET lines = CAST(replace(CAST(text_of(lines) AS TEXT), 'pico\":3', 'pico\":1') AS BLOB)",
    "L734": "UPDATE postings SET pico = '4' WHERE account = 'expense:anthropic:acme'",
    "L736": "UPDATE accounts SET pico = '1' WHERE name = 'spent:key:k/month/2026-11-01'",
    "L731": "DELETE FROM blocks WHERE number = 2",
    "L732": "UPDATE blocks SET previous = 'x' WHERE number = 3",
    "L738": "DELETE FROM open_requests",
}


@pytest.mark.parametrize("code", FORGERIES)
def test_a_forgery_is_found(ledger: Ledger, folder: Path, code: str) -> None:
    start_worker(ledger, "w1", NOON)
    lend(ledger, "w1", rule(1), NOON, wanted_pico=9, needed_pico=9)
    post(ledger, [stretch(intent("a", {BUDGET: 5}), settle("a", [BUDGET], 3), intent("b", {BUDGET: 4}))], NOON)
    assert [] == codes(ledger)
    forger = sqlite3.connect(folder / "offtake.db")
    with pytest.raises(sqlite3.DatabaseError, match="never changed"):
        forger.execute("DELETE FROM postings")
    for table in ("blocks", "postings"):
        for verb in ("update", "delete"):
            forger.execute(f"DROP TRIGGER {table}_no_{verb}")
    forger.create_function("text_of", 1, text_of)
    forger.execute(FORGERIES[code])
    forger.commit()
    forger.close()

    found = audit(ledger).findings
    assert code in [finding.code for finding in found]
    if code == "L733":
        assert "block 3, line 2" in found[0].what


def test_two_who_open_one_ledger_see_each_other(ledger: Ledger, folder: Path) -> None:
    other = open_ledger(folder / "offtake.db")
    start_worker(ledger, "w1", NOON)

    assert ["w1"] == open_workers(other, NOON + 1)
    other.close()


def test_the_chain_is_whole_whoever_posts_and_whatever_is_undone(ledger: Ledger, folder: Path) -> None:
    """The last block's hash is remembered: by one who posted it, not by one whose transaction ended otherwise."""
    other = open_ledger(folder / "offtake.db")
    start_worker(ledger, "w1", NOON)
    budget = rule(100)
    lend(ledger, "w1", budget, NOON, wanted_pico=DOLLAR, needed_pico=DOLLAR)
    for number in range(3):
        with pytest.raises(ZeroDivisionError), ledger.transaction():
            lend(ledger, "w1", budget, NOON, wanted_pico=DOLLAR, needed_pico=DOLLAR)
            raise ZeroDivisionError
        lend(other, "w1", budget, NOON, wanted_pico=2 * DOLLAR, needed_pico=DOLLAR)
        start = place_in(ledger, "w1.000001.wal")
        post(ledger, [stretch(intent(f"r{number}", {}), settle(f"r{number}", [BUDGET], 1), start=start)], NOON)
        again = stretch(intent(f"r{number}", {}), file=f"w2.{number}.wal", worker="w2")
        assert Posted(repeated=1) == post(ledger, [again], NOON)
        lend(other, "w1", budget, NOON, wanted_pico=DOLLAR, needed_pico=DOLLAR)

    other.close()
    assert [] == codes(ledger)


def test_what_is_no_ledger_is_said(folder: Path) -> None:
    (folder / "empty").touch()
    (folder / "text").write_text("not a database, and long enough to be told apart" * 30)
    sqlite3.connect(folder / "other").execute("CREATE TABLE mine (x)").connection.close()
    later = open_ledger(folder / "later", create=True)
    later.run("PRAGMA user_version = 99")
    later.close()

    for name, code in [
        ("none", "L710"),
        ("empty", "L710"),
        ("text", "L710"),
        ("other", "L710"),
        ("later", "L711"),
        (".", "L710"),
    ]:
        with pytest.raises(OfftakeError) as refused:
            open_ledger(folder / name)
        assert code == refused.value.code
    assert isinstance(refused.value, InputError)
    assert b"" == (folder / "empty").read_bytes()
