"""`kill -9` at random moments while batches are made, run and written: nothing lost, nothing doubled, nothing held."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import anthropic
import openai
import pytest

from tests.gateway.wire.running import House
from tests.gateway.wire.test_batches_anthropic import request
from tests.gateway.wire.test_batches_openai import chat_line, made, states


def test_two_kills(tmp_path: Path) -> None:
    _killed(tmp_path, kills=2, lines=150)


@pytest.mark.soak
def test_forty_kills(tmp_path: Path) -> None:
    _killed(tmp_path, kills=40, lines=3_000)


def _killed(folder: Path, kills: int, lines: int) -> None:
    chance = random.Random(11)
    house = House(folder, faults="batches: {seconds: 1}").open()
    try:
        key = house.key("busy", "--budget", "100000USD/month")
        for _ in range(kills):
            clients = [threading.Thread(target=make, args=(house.gateway.url, key, lines)) for make in (_gpt, _claude)]
            for client in clients:
                client.start()
            time.sleep(chance.uniform(0.05, 3))
            house.gateway.kill()
            for client in clients:
                client.join()
            house.serve()
        _ended(house, key)
        exported = house.exported()
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    booked = Counter(row["id"] for row in exported["usage"])
    assert {1} >= set(booked.values())
    assert booked == Counter(line["custom_id"] for line in house.metered())
    assert [] == exported["unresolved"]
    spent = sum(int(Decimal(row["cost"]) * 10**12) for row in exported["settlements"])
    for state in states(house):
        assert (0, 0, spent) == (state.leased_pico, state.held_pico, state.spent_pico)


def _gpt(url: str, key: str, lines: int) -> None:
    with (
        openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client,
        contextlib.suppress(openai.APIError),
    ):
        made(client, [chat_line(f"n{number}", 3) for number in range(lines)])


def _claude(url: str, key: str, lines: int) -> None:
    requests = [request(f"n{number}", 3) for number in range(lines)]
    with (
        anthropic.Anthropic(base_url=url, api_key=key, max_retries=0) as client,
        contextlib.suppress(anthropic.APIError),
    ):
        client.messages.batches.create(requests=requests)


def _ended(house: House, key: str) -> None:
    """Wait until every batch that the gateway took has ended well."""
    until = time.monotonic() + 300
    with (
        openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as gpt,
        anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as claude,
    ):
        while time.monotonic() < until:
            found: set[str] = {batch.status for batch in gpt.batches.list(limit=100)}
            found |= {batch.processing_status for batch in claude.messages.batches.list(limit=100)}
            if found <= {"completed", "ended"}:
                return
            time.sleep(0.2)
    raise AssertionError(found)
