"""Hard budgets under concurrency, on one worker and on several: what is spent never exceeds them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from tests.gateway.wire.load import Load, post
from tests.gateway.wire.running import House

USABLE = Decimal("0.95")
"""On any number of workers: what one was lent and does not need comes back when another is short."""
BODY = {"model": "gpt-5.4", "max_completion_tokens": 400, "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("workers", [1, 4])
def test_a_thousand_at_once_spend_no_more_than_a_dollar(tmp_path: Path, workers: int) -> None:
    house = House(tmp_path, f"workers = {workers}").open()
    try:
        key = house.key("dollar", "--budget", "1USD/month")
        load = Load(house.gateway.url, key, BODY)
        found = asyncio.run(load.run(requests=1_000, connections=1_000))
        exported = house.exported()
    finally:
        house.close()
    spent = sum(Decimal(row["cost"]) for row in exported["settlements"])
    assert {200, 429} == set(found), found
    assert spent <= 1
    assert spent > USABLE, "most of the budget can be spent"
    assert found[200] == len(exported["usage"])


def test_a_solvent_key_with_an_overdraft_line_is_not_blocked(tmp_path: Path) -> None:
    """Coding agents ask for 128,000 tokens on each call: 1.63 USD to hold for a call of cents."""
    house = House(tmp_path).open()
    try:
        key = house.key("agent", "--budget", "2USD/month", "--overdraft", "1USD")
        body = BODY | {"max_completion_tokens": 128_000, "messages": [{"role": "user", "content": "in 20 words"}]}
        answers = Counter(post(house.gateway.url, key, body)[0] for _ in range(10))
    finally:
        house.close()
    assert {200: 10} == answers


def test_a_budget_is_refused_in_words_that_name_it(house: House) -> None:
    key = house.key("poor", "--budget", "0.001USD/month")
    status, headers, answer = post(house.gateway.url, key, BODY)
    error = json.loads(answer)["error"]
    assert (429, "insufficient_quota", "false") == (status, error["code"], headers["x-should-retry"])
    assert "0.001 USD a month" in error["message"]
    assert "budget" in headers["offtake-clause"]


def test_keys_of_a_team_draw_one_budget(tmp_path: Path) -> None:
    house = House(tmp_path, more='[[budgets]]\nowner = "team:search"\namount = "0.02 USD / month"').open()
    try:
        keys = [house.key(name, "--team", "search") for name in ("first", "second")]
        found = [post(house.gateway.url, keys[number % 2], BODY)[0] for number in range(8)]
    finally:
        house.close()
    assert {200, 429} == set(found)
    assert found == sorted(found), "once the budget is spent, nobody of the team is served"
