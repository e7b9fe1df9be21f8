"""Hot reload over a real gateway: a good file at once and once, a broken one never, and nothing is forgotten."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.gateway.wire.load import post
from tests.gateway.wire.running import CONTRACT, House

BODY = {"model": "gpt-5.4", "max_completion_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}
AGAIN, FAILED = "contracts read again", "a reload failed"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[House]:
    opened = House(tmp_path, "workers = 2").open()
    yield opened
    opened.close()


def said(house: House, words: str) -> Counter[str]:
    """How often each worker of the present gateway has said so."""
    lines = [json.loads(line) for line in house.gateway.log.read_text().splitlines() if words in line]
    return Counter(line["worker"] for line in lines if line["worker"] != "batches")


def until(so: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)


def costs(house: House, key: str) -> set[Decimal]:
    """What a request costs, over connections to both workers."""
    found = set()
    for _ in range(10):
        status, headers, answer = post(house.gateway.url, key, BODY)
        assert status == 200, answer
        found.add(Decimal(headers["offtake-cost"].split()[0]))
    return found


def workers(house: House) -> list[int]:
    """The processes that serve: those of the gateway's group that write a journal."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.getpgid(int(folder.name)) == house.gateway.popen.pid:
                files = [str(each.readlink()) for each in (folder / "fd").iterdir()]
                found += [int(folder.name)] if any(name.endswith(".wal") for name in files) else []
    return found


def test_one_save_with_its_signal_is_one_reload(pair: House) -> None:
    key = pair.key("once")
    before = costs(pair, key)
    path = pair.folder / "openai.yaml"
    path.write_text(path.read_text().replace("share: 15%", "share: 57.5%"))
    pair.gateway.popen.send_signal(signal.SIGHUP)
    until(lambda: len(said(pair, AGAIN)) == 2)
    time.sleep(1.5)  # a second reload would come within two looks of the supervisor

    assert [1, 1] == list(said(pair, AGAIN).values())
    assert {cost / 2 for cost in before} == costs(pair, key)


def test_a_broken_file_keeps_the_old_terms_until_a_good_one_is_written(pair: House) -> None:
    key = pair.key("broken")
    before = costs(pair, key)
    path = pair.folder / "openai.yaml"
    good = path.read_text()
    reloads = said(pair, AGAIN)
    path.write_text(good.replace("prices: {discounts", "prices: {discuonts"))
    until(lambda: len(said(pair, FAILED)) == 2)
    held = costs(pair, key)
    path.write_text(good.replace("share: 15%", "share: 57.5%"))
    until(lambda: sum(said(pair, AGAIN).values()) == sum(reloads.values()) + 2)

    assert before == held
    assert {cost / 2 for cost in before} == costs(pair, key)
    assert '"why":' in pair.gateway.log.read_text()
    assert "discuonts" in pair.gateway.log.read_text(), "it says what is wrong"


def test_a_worker_that_replaces_a_dead_one_serves_what_the_others_do(pair: House) -> None:
    key = pair.key("dead")
    path = pair.folder / "openai.yaml"
    seen = sum(said(pair, AGAIN).values())
    before = costs(pair, key)
    path.write_text(CONTRACT.format(name="acme-openai", vendor="openai", models="*").replace("15%", "57.5%"))
    until(lambda: sum(said(pair, AGAIN).values()) == seen + 2)
    for pid in workers(pair):
        os.kill(pid, signal.SIGKILL)
    until(lambda: sum(said(pair, AGAIN).values()) == seen + 4)
    time.sleep(0.5)

    assert {cost / 2 for cost in before} == costs(pair, key)


def test_a_vendor_that_is_added_is_reached(pair: House) -> None:
    key = pair.key("added")
    config = pair.config.read_text()
    seen = sum(said(pair, AGAIN).values())
    more = config.replace("[vendors.openai]", "[vendors.second]").replace("[[contracts]]", "[[later]]", 1)
    table = more[more.index("[vendors.second]") : more.index("[[later]]")]
    pair.config.write_text(config.replace('file = "openai.yaml"', 'file = "openai.yaml"\nvendor = "second"') + table)
    until(lambda: sum(said(pair, AGAIN).values()) >= seen + 2)
    status, headers, _ = post(pair.gateway.url, key, BODY)

    assert (200, "second") == (status, headers["offtake-vendor"])
