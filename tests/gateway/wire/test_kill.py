"""`kill -9` under load: no answered request is lost, none is doubled, and what was in flight is listed."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import threading
import time
import urllib.request
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from offtake.store.ledger.leases import budget_states
from offtake.store.ledger.ledger import open_ledger
from tests.gateway.wire.load import Load
from tests.gateway.wire.running import House

HI = [{"role": "user", "content": "hi"}]


def test_ten_kills_under_load(tmp_path: Path) -> None:
    _killed(tmp_path, kills=10)


@pytest.mark.soak
def test_two_hundred_kills_under_load(tmp_path: Path) -> None:
    _killed(tmp_path, kills=200)


def _killed(folder: Path, kills: int) -> None:
    chance = random.Random(7)
    house = House(folder, "workers = 2", "latency: {first_token_ms: 20, token_ms: 1, spread: 50%}").open()
    try:
        key = house.key("busy", "--budget", "100000USD/month")
        answered: list[str] = []
        for _ in range(kills):
            load = Load(house.gateway.url, key, make=_mixed, answered=answered)
            thread = threading.Thread(target=_until_broken, args=(load,))
            thread.start()
            time.sleep(chance.uniform(0.2, 1.2))
            house.gateway.kill()
            thread.join()
            house.serve()
        time.sleep(1)
        exported = house.exported()
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    _agree(house, answered, exported, kills)


def _until_broken(load: Load) -> None:
    asyncio.run(load.run(requests=100_000, connections=24))


def _agree(house: House, answered: list[str], exported: dict[str, Any], kills: int) -> None:
    booked = Counter(row["id"] for row in exported["usage"])
    assert len(answered) > 20 * kills
    assert set() == set(answered) - set(booked), "answered requests are in the books"
    assert 1 == max(booked.values()), "none is there twice"
    metered = {line["vendor_request_id"] for line in house.metered()}
    known = {row["vendor_request_id"] for row in exported["usage"] if row["usage_known"]}
    unresolved = exported["unresolved"]
    assert known <= metered
    assert len(metered - known) <= len(unresolved), "what the vendor did and we do not know is listed as unresolved"
    ledger = open_ledger(house.folder / "offtake.db")
    states = budget_states(ledger)
    ledger.close()
    assert states
    for state in states:
        assert state.available_pico >= 0
        held = sum(int(Decimal(each["hold"]) * 10**12) for each in unresolved)
        assert (0, held) == (state.leased_pico, state.held_pico), "dead workers hold nothing but what is unresolved"


def _mixed(number: int) -> tuple[str, dict[str, Any]]:
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("chat", {"model": "gpt-5.4", "max_completion_tokens": 20, "messages": HI}),
        ("chat", {"model": "gpt-5.4", "max_completion_tokens": 20, "messages": HI, "stream": True}),
        ("messages", {"model": "claude-opus-4-7", "max_tokens": 20, "messages": HI}),
        ("messages", {"model": "claude-opus-4-7", "max_tokens": 20, "messages": HI, "stream": True}),
    ]
    return kinds[number % len(kinds)]


def test_nobody_serves_on_when_the_supervisor_is_gone(tmp_path: Path) -> None:
    house = House(tmp_path).open()
    try:
        os.kill(house.gateway.popen.pid, signal.SIGKILL)
        house.gateway.popen.wait()
        until = time.monotonic() + 20
        while _answers(house.gateway.url) and time.monotonic() < until:
            time.sleep(0.1)
        assert not _answers(house.gateway.url)
        house.serve()
        assert _answers(house.gateway.url)
    finally:
        house.close()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url + "/health/live", timeout=2).close()
    except OSError:
        return False
    return True
