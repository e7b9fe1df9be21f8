"""The ledger cannot be reached for a while: requests on budgets are refused or pass, and books are whole after it.

What a worker was lent before goes on being spent, and a request without a budget asks nobody.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from offtake.store.ledger.leases import BudgetState, budget_states
from offtake.store.ledger.ledger import open_ledger
from tests.gateway.wire.load import Load, post
from tests.gateway.wire.running import House

BODY = {"model": "gpt-5.4", "max_completion_tokens": 400, "messages": [{"role": "user", "content": "hi"}]}
HOLD = Decimal("0.0098")
"""Of one request, in dollars, and some."""
Away = Callable[[Path], AbstractContextManager[None]]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Somebody keeps the file for himself, as a backup or a hanging tool may."""
    connection = sqlite3.connect(folder / "offtake.db", isolation_level=None, timeout=20)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@contextmanager
def moved(folder: Path) -> Iterator[None]:
    """The file is not where it was, as when a volume is gone; SQLite itself would write on into the old one."""
    away = folder / "away"
    away.mkdir()
    paths = [folder / f"offtake.db{end}" for end in ("", "-wal", "-shm")]
    for path in paths:
        path.rename(away / path.name)
    try:
        yield
    finally:
        assert not (folder / "offtake.db").exists(), "nobody made a new one"
        for path in paths:
            (away / path.name).rename(path)


@pytest.mark.parametrize(
    ("setting", "away"),
    [
        ("refuse", locked),
        ("pass_and_journal", moved),
        pytest.param("refuse", moved, marks=pytest.mark.soak),
        pytest.param("pass_and_journal", locked, marks=pytest.mark.soak),
    ],
)
def test_a_ledger_that_cannot_be_reached(tmp_path: Path, setting: str, away: Away) -> None:
    house = House(tmp_path, f'on_ledger_failure = "{setting}"').open()
    try:
        key = house.key("budgeted", "--budget", "0.3USD/month")
        free = house.key("free")
        assert 200 == post(house.gateway.url, key, BODY)[0]
        with away(house.folder):
            found = asyncio.run(Load(house.gateway.url, key, BODY).run(requests=60, connections=60))
            assert 200 == post(house.gateway.url, free, BODY)[0]
            refused = post(house.gateway.url, key, BODY | {"max_completion_tokens": 4_000})
        time.sleep(2.5)
        later = [post(house.gateway.url, key, BODY)[0] for _ in range(3)]
        exported = house.exported()
        verified = house.offtake("ledger", "verify", "--config", str(house.config))
        state = _settled(house)
    finally:
        house.close()
    assert "whole" in verified
    spent = [Decimal(row["cost"]) for row in exported["settlements"] if row["budgets"]]
    if setting == "refuse":
        assert {200, 503} == set(found), found
        assert (503, b"ledger cannot be reached") == (refused[0], refused[2][refused[2].find(b"ledger") :][:24])
        assert state.available_pico >= 0
    else:
        assert {200: 60} == found
        assert 200 == refused[0]
    assert [200, 200, 200] == later
    assert len(spent) == 1 + found[200] + (refused[0] == 200) + 3, "each that was answered is in the books, once"
    assert int(sum(spent) * 10**12) == state.spent_pico
    assert state.amount_pico == state.available_pico + state.leased_pico + state.held_pico + state.spent_pico


def test_what_passes_may_overdraw_a_budget_and_then_nothing_more_is_lent(tmp_path: Path) -> None:
    house = House(tmp_path, 'on_ledger_failure = "pass_and_journal"').open()
    try:
        key = house.key("small", "--budget", "0.02USD/month")
        with moved(house.folder):
            found = asyncio.run(Load(house.gateway.url, key, BODY).run(requests=60, connections=10))
        time.sleep(2.5)
        later = post(house.gateway.url, key, BODY)[0]
        verified = house.offtake("ledger", "verify", "--config", str(house.config))
        state = _settled(house)
    finally:
        house.close()
    assert ({200: 60}, 429) == (found, later)
    assert state.available_pico < 0 < state.amount_pico < state.spent_pico
    assert "whole" in verified


def _settled(house: House) -> BudgetState:
    ledger = open_ledger(house.folder / "offtake.db")
    (state,) = budget_states(ledger)
    ledger.close()
    return state
