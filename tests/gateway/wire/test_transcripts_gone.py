"""How transcripts go, and what becomes of them: time, deletion, `kill -9`, damage, another master key."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

pytest.importorskip("cryptography", reason="the extra `transcripts` is not installed")

from offtake.operations.delete_transcripts import delete_transcripts
from offtake.store.transcripts.customer_key import folder_of
from offtake.store.transcripts.sealed_file import Reading
from offtake.values.errors import OutsideError
from tests.gateway.wire.keeping import (
    MASTER,
    SLOW,
    body,
    counts,
    folder,
    kept,
    listed,
    opened,
    past,
    sealed,
    shown,
    until,
)
from tests.gateway.wire.load import Load, post
from tests.gateway.wire.running import House, environment


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = opened(tmp_path_factory.mktemp("kept"), faults=SLOW)
    yield made
    made.close()


def test_what_is_over_goes_at_the_start_and_while_the_gateway_runs(tmp_path: Path) -> None:
    past(tmp_path, hours_ago=80)
    house = opened(tmp_path)
    try:
        assert [] == sealed(house)
        over = past(tmp_path, hours_ago=74)
        young = past(tmp_path, hours_ago=5)
        until(lambda: not over.exists())
        assert [young] == sealed(house)
        house.config.write_text(house.config.read_text().replace("hours = 72", "hours = 4"))
        until(lambda: not young.exists())
        house.gateway.stop()
        last = past(tmp_path, hours_ago=80)
        assert 1 == json.loads(house.offtake("transcripts", "purge", "--format", "json"))["files"]
        assert not last.exists()
    finally:
        house.close()


def test_a_deletion_under_traffic_is_certified_and_nothing_from_before_comes_back(house: House) -> None:
    beta = house.key("beta", "--customer", "beta", "--workload", "support-eu")
    first = post(house.gateway.url, beta, body("chat", "gpt-5.4"))[1]["offtake-request-id"]
    until(lambda: kept(house, first))
    late = counts(house)["late"]
    slow = threading.Thread(
        target=post, args=(house.gateway.url, beta, body("messages", "claude-haiku-4-5"), "messages")
    )
    slow.start()
    time.sleep(1)
    document, stored = delete_transcripts("beta", "Ana Ruiz", datetime.now(UTC), config=house.config, store=None)
    slow.join()
    until(lambda: counts(house)["late"] == late + 1)
    after = post(house.gateway.url, beta, body("chat", "gpt-5.4"))[1]["offtake-request-id"]
    until(lambda: kept(house, after))

    assert [after] == [row["id"] for row in listed(house, "beta")]
    assert (1, "beta", "Ana Ruiz") == (document["calls"], document["customer"], document["by"])
    assert "Ana Ruiz" in house.offtake("transcripts", "verify", str(stored))
    assert "whole" in house.offtake("transcripts", "verify")


def test_a_certificate_names_what_went_and_is_worth_nothing_once_it_was_changed(house: House) -> None:
    gone = house.key("gone", "--customer", "acme-gone", "--workload", "support-eu")
    id = post(house.gateway.url, gone, body("chat", "gpt-5.4"))[1]["offtake-request-id"]
    until(lambda: kept(house, id))
    place, copy = folder_of(folder(house), "acme-gone"), house.folder / "certificate.json"
    held = {path.name: path.read_bytes() for path in place.glob("*.sealed")}
    delete = ("transcripts", "delete", "--customer", "acme-gone", "--by", "Ana Ruiz", "--out", str(copy))
    document = json.loads(house.offtake(*delete, "--format", "json"))
    rows = [(name, len(data), sha256(data).hexdigest()) for name, data in held.items()]

    assert document == json.loads(copy.read_text())
    assert rows == [(each["name"], each["bytes"], each["sha256"]) for each in document["files"]]
    assert "Ana Ruiz" in house.offtake("transcripts", "verify", str(copy))
    (place / rows[0][0]).write_bytes(held[rows[0][0]])  # somebody had a copy
    found = json.loads(house.offtake("transcripts", "verify", str(copy), "--format", "json", code=1))
    assert [rows[0][0]] == found["left"]
    assert "its key was destroyed" in house.offtake("transcripts", "verify", "--format", "json", code=1)
    house.offtake("transcripts", "show", id, code=2)
    house.offtake(*delete)
    assert [] == list(place.glob("*.sealed"))
    copy.write_text(json.dumps(document).replace('"calls": 1', '"calls": 0'))
    for wrong in (copy, house.folder / "master.key"):
        house.offtake("transcripts", "verify", str(wrong), code=2)
    for customer, by in (("nobody", "Ana"), ("acme-gone", "Ana"), ("acme", " ")):
        house.offtake("transcripts", "delete", "--customer", customer, "--by", by, code=2)


def test_kill_9_leaves_whole_calls_and_the_next_gateway_goes_on(tmp_path: Path) -> None:
    house = opened(tmp_path, gateway_settings="workers = 2")
    try:
        mine = house.key("mine", "--customer", "acme", "--workload", "support-eu")
        load = Load(house.gateway.url, mine, body("chat", "gpt-5.4", stream=True))
        busy = threading.Thread(target=lambda: asyncio.run(load.run(requests=100_000, connections=8)))
        busy.start()
        time.sleep(2)
        house.gateway.kill()
        busy.join()
        found = json.loads(house.offtake("transcripts", "verify", "--format", "json"))
        before = {row["id"] for row in listed(house)}
        house.serve()
        again = post(house.gateway.url, mine, body("chat", "gpt-5.4"))[1]["offtake-request-id"]
        until(lambda: kept(house, again))

        assert found["whole"] and found["calls"] == len(before) > 20
        assert len(set(load.answered) - before) <= 16, "but for what was just waiting"
        assert before | {again} == {row["id"] for row in listed(house)}
        assert "whole" in house.offtake("transcripts", "verify")
    finally:
        house.close()


@pytest.mark.soak
def test_what_was_cut_changed_or_sealed_under_another_master_key_is_told(tmp_path: Path) -> None:
    house = opened(tmp_path)
    try:
        mine = house.key("mine", "--customer", "acme", "--workload", "support-eu")
        ids = [post(house.gateway.url, mine, body("chat", "gpt-5.4"))[1]["offtake-request-id"] for _ in range(3)]
        until(lambda: all(kept(house, id) for id in ids))
        house.gateway.stop()
        (path,) = sealed(house)
        whole, calls = path.read_bytes(), list(Reading(path).calls())
        path.write_bytes(whole[:-5])
        assert (2, 1, True) == _checked(house, 0)
        at = calls[1].start + 9
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert (2, 0, False) == _checked(house, 1)
        assert "L742" in _failing(house, "show", ids[1])
        assert ids[2] == shown(house, ids[2])[0]["id"]
        path.write_bytes(whole)
        (tmp_path / "master.key").write_text("6f" * 32)
        assert "L740" in _failing(house, "verify") and "L740" in _failing(house, "show", ids[0])
        with pytest.raises(OutsideError) as met:
            house.serve()
        assert "L740" in str(met.value)
        (tmp_path / "master.key").write_text("not-a-key")
        with pytest.raises(OutsideError) as met:
            house.serve()
        assert "G703" in str(met.value) and "openssl rand" in str(met.value)
        (tmp_path / "master.key").unlink()
        assert "G703" in _failing(house, "show", ids[0])
        assert ids == [row["id"] for row in listed(house)]
        (tmp_path / "old.key").write_text(MASTER)
        (tmp_path / "master.key").write_text("6f" * 32)
        house.offtake("transcripts", "rekey", "--old", "offtake.toml", code=4)
        assert 1 == json.loads(house.offtake("transcripts", "rekey", "--old", "old.key", "--format", "json"))["keys"]
        house.serve()
        again = post(house.gateway.url, mine, body("chat", "gpt-5.4"))[1]["offtake-request-id"]
        until(lambda: kept(house, again))
        assert [*ids, again] == [shown(house, row["id"])[0]["id"] for row in listed(house)]
    finally:
        house.close()


def _checked(house: House, code: int) -> tuple[int, int, bool]:
    found = json.loads(house.offtake("transcripts", "verify", "--format", "json", code=code))
    return found["calls"], found["torn"], found["whole"]


def _failing(house: House, *arguments: str) -> str:
    """What a command says that ends with exit code 4."""
    done = subprocess.run(
        [sys.executable, "-m", "offtake.cli", "transcripts", *arguments],
        cwd=house.folder, env=environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert 4 == done.returncode, done.stderr
    return done.stderr.decode()
