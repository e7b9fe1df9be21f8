"""`kill -9` under load: no answered request is lost, none is doubled, and what was in flight is listed."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from offtake.store.ledger.leases import budget_states
from offtake.store.ledger.ledger import open_ledger
from tests.gateway.wire.load import Load
from tests.gateway.wire.running import House

HI = [{"role": "user", "content": "hi"}]


SLOWLY = "latency: {first_token_ms: 20, token_ms: 1, spread: 50%}"


def test_ten_kills_under_load(tmp_path: Path) -> None:
    _killed(tmp_path, kills=10)


@pytest.mark.soak
def test_two_hundred_kills_under_load(tmp_path: Path) -> None:
    _killed(tmp_path, kills=200)


def test_the_ingester_killed_under_load(tmp_path: Path) -> None:
    _ingester_killed(tmp_path, kills=1)


@pytest.mark.soak
def test_the_ingester_killed_a_hundred_times_under_load(tmp_path: Path) -> None:
    _ingester_killed(tmp_path, kills=100)


def test_a_disk_that_fills_up_under_load(small_disk: Path, tmp_path: Path) -> None:
    _filled(small_disk, tmp_path, times=1)


@pytest.mark.soak
def test_a_disk_that_fills_up_twenty_times_under_load(small_disk: Path, tmp_path: Path) -> None:
    _filled(small_disk, tmp_path, times=20)


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of 64 MB; only where this process may mount one."""
    folder = tmp_path_factory.mktemp("disk")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no permission to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _killed(folder: Path, kills: int) -> None:
    """All processes are killed at once, so many times; before that, in every other round, the ingester alone."""
    chance = random.Random(7)
    house = House(folder, "workers = 2", SLOWLY).open()
    try:
        key = house.key("busy", "--budget", "100000USD/month")
        answered: list[str] = []
        for _ in range(kills):
            with _load(house, key, answered):
                time.sleep(chance.uniform(0.1, 0.6))
                if chance.random() < 0.5:
                    _kill_ingester(house)
                time.sleep(chance.uniform(0.1, 0.6))
                house.gateway.kill()
            house.serve()
        time.sleep(1)
        exported = house.exported()
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    _agree(house, answered, exported, kills)


def _ingester_killed(folder: Path, kills: int) -> None:
    """The gateway serves on, and the next ingester goes on where the last one was."""
    chance = random.Random(11)
    house = House(folder, "workers = 2", SLOWLY).open()
    try:
        key = house.key("busy", "--budget", "100000USD/month")
        answered: list[str] = []
        with _load(house, key, answered):
            for _ in range(kills):
                time.sleep(chance.uniform(0.2, 0.8))
                _kill_ingester(house)
            time.sleep(1.5)
            house.gateway.kill()
        house.serve()
        time.sleep(1)
        exported = house.exported()
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    _agree(house, answered, exported, kills)


def _filled(disk: Path, folder: Path, times: int) -> None:
    """Journals and ledger on a disk that fills up under load, and has room again."""
    more = f'[store]\npath = "{disk}/offtake.db"\njournal = "{disk}/journal"\n'
    house = House(folder, "workers = 2", SLOWLY, more=more).open()
    ballast = disk / "ballast"
    try:
        key = house.key("busy", "--budget", "100000USD/month")
        answered: list[str] = []
        found: Counter[int] = Counter()
        for _ in range(times):
            ballast.write_bytes(b"\0" * max(shutil.disk_usage(disk).free - 2**19, 0))
            load = Load(house.gateway.url, key, make=_mixed, answered=answered)
            found += asyncio.run(load.run(requests=1_500, connections=24))
            ballast.unlink()
            time.sleep(1.5)  # the ingester tries again
            assert 200 in asyncio.run(load.run(requests=100, connections=24))
        exported = house.exported()
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    assert {200, 503, 529} == set(found), found  # each dialect has its own word for "not now"
    booked = Counter(row["id"] for row in exported["usage"])
    assert set() == set(answered) - set(booked)
    assert 1 == max(booked.values())
    assert {line["vendor_request_id"] for line in house.metered()} == {
        row["vendor_request_id"] for row in exported["usage"]
    }, "whoever was let in was settled, and whoever was not, was not sent"


@contextmanager
def _load(house: House, key: str, answered: list[str]) -> Iterator[None]:
    """Requests, until the gateway is gone."""
    load = Load(house.gateway.url, key, make=_mixed, answered=answered)
    thread = threading.Thread(target=_until_broken, args=(load,))
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _kill_ingester(house: House) -> None:
    """Kill -9 of the process that has the ingester's lock, where there is one just now."""
    lock = house.folder / "journal" / "ingester.lock"
    inode = str(lock.stat().st_ino)
    for line in Path("/proc/locks").read_text().splitlines():
        _, kind, *_, pid, file, _, _ = line.split()
        if kind == "FLOCK" and file.rpartition(":")[2] == inode:
            os.kill(int(pid), signal.SIGKILL)


def _until_broken(load: Load) -> None:
    asyncio.run(load.run(requests=100_000, connections=24))


def _agree(house: House, answered: list[str], exported: dict[str, Any], kills: int) -> None:
    booked = Counter(row["id"] for row in exported["usage"])
    assert len(answered) > 10 * kills
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
