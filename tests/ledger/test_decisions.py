"""Suspensions and withdrawals: facts of the chain; what holds is what no later one has ended."""

from __future__ import annotations

from dataclasses import replace

from offtake.ledger.decisions import Decision, standing
from offtake.store.ledger.decisions import decide, decisions_version, read_decisions
from offtake.store.ledger.history import audit
from offtake.store.ledger.ledger import Ledger
from tests.ledger.traffic import NOON

SUSPENDED = Decision("suspend", NOON, "acme", "claude-*", "bypass_safety", "Ana")
LIFTED = Decision("lift", NOON + 1, "acme", "claude-*", "reviewed", "Ben")
WITHDRAWN = Decision("withdraw", NOON + 2, "support", "gpt-5.4", "40 of 50 samples", "Ana")


def test_decisions_stand_in_the_chain_and_the_books_stay_whole(ledger: Ledger) -> None:
    assert (0, []) == (decisions_version(ledger), read_decisions(ledger))
    seen = []
    for each in (SUSPENDED, LIFTED, WITHDRAWN):
        decide(ledger, each)
        seen.append(decisions_version(ledger))

    assert sorted(set(seen)) == seen, "a worker sees that something was decided"
    assert [SUSPENDED, LIFTED, WITHDRAWN] == read_decisions(ledger)
    found = audit(ledger)
    assert ([], 3) == (found.findings, found.lines)


def test_what_holds_is_what_nobody_ended() -> None:
    again = replace(SUSPENDED, at=NOON + 3, why="leak")
    other = replace(SUSPENDED, subject="*")

    assert [SUSPENDED] == standing([SUSPENDED])
    assert [] == standing([SUSPENDED, LIFTED])
    assert [WITHDRAWN, again] == standing([SUSPENDED, LIFTED, WITHDRAWN, again])
    assert [again] == standing([SUSPENDED, again]), "a second event of the same pair replaces the first"
    assert [other] == standing([SUSPENDED, other, LIFTED]), "a lift ends what it names, and nothing else"
    assert [] == standing([WITHDRAWN, replace(WITHDRAWN, kind="readmit")])
