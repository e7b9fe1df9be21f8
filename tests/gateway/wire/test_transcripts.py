"""Transcripts over a real gateway: who opted in and nobody else, sealed, for their hours, gone on request."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("cryptography", reason="the extra `transcripts` is not installed")

from offtake.operations.delete_transcripts import delete_transcripts
from offtake.operations.transcripts import list_calls, show_call
from offtake.store.transcripts.customer_key import folder_of, hold_key
from offtake.store.transcripts.seal import master_of
from offtake.store.transcripts.sealed_file import Reading, SealedFile
from offtake.store.transcripts.span import HOUR, name_of, span_of
from offtake.values.errors import OutsideError
from tests.gateway.wire.load import Load, post
from tests.gateway.wire.running import CONTRACT, House

MASTER = "5e" * 32
SECTION = """
[transcripts]
customers = ["acme*", "beta"]
workloads = ["support-*"]
hours = 72
key = {file = "master.key"}
"""
HI = [{"role": "user", "content": "marked-question"}]
SLOW = 'faults: [{fault: slow, when: {model: "claude-haiku-4-5*"}, delay_ms: 4000}]'
OBSERVED = 'mode = "observe"'


def opened(folder: Path, **more: Any) -> House:
    (folder / "master.key").write_text(MASTER)
    (folder / "master.key").chmod(0o600)
    return House(folder, **({"more": SECTION} | more)).open()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = opened(tmp_path_factory.mktemp("kept"), faults=SLOW)
    yield made
    made.close()


@pytest.fixture(scope="module")
def key(house: House) -> str:
    return house.key("kept", "--customer", "acme", "--workload", "support-eu")


def body(path: str, model: str, **more: Any) -> dict[str, Any]:
    limit = "max_tokens" if path == "messages" else "max_completion_tokens"
    return {"model": model, limit: 40, "messages": HI, **more}


def folder(house: House) -> Path:
    return house.folder / "offtake.db.transcripts"


def listed(house: House, customer: str | None = None) -> list[dict[str, Any]]:
    return [each.row() for each in list_calls(1_000_000, customer, config=house.config, store=None)]


def shown(house: House, id: str) -> tuple[dict[str, Any], str, str]:
    kept, request, answer = show_call(id, config=house.config)
    return kept.row(), request.decode(), answer.decode()


def counts(house: House) -> dict[str, int]:
    """The gateway's counter of transcripts, by result."""
    with urllib.request.urlopen(house.gateway.url + "/metrics") as answer:
        lines = answer.read().decode().splitlines()
    rows = [line.split('"') for line in lines if line.startswith("offtake_transcripts_total")]
    return {name: int(float(value.strip("} "))) for _, name, value in rows}


def until(so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)


def kept(house: House, id: str) -> bool:
    return any(id.encode() in path.read_bytes() for path in folder(house).glob("*/*.sealed"))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["chat", "messages"])
@pytest.mark.parametrize("model", ["gpt-5.4", "claude-opus-4-7"])
def test_a_call_is_kept_as_its_client_sent_and_got_it(
    house: House, key: str, path: str, model: str, stream: bool
) -> None:
    asked = body(path, model, stream=stream)
    status, headers, answer = post(house.gateway.url, key, asked, path)
    id = headers["offtake-request-id"]
    until(lambda: kept(house, id))
    found, request, got = shown(house, id)

    assert (200, stream) == (status, headers["content-type"].startswith("text/event-stream"))
    assert (json.dumps(asked), answer.decode()) == (request, got)
    assert ("acme", "support-eu", model, 200, "ok") == tuple(
        found[name] for name in ("customer", "workload", "model", "status", "outcome")
    )


def test_the_commands_show_a_call_and_what_is_kept(house: House, key: str) -> None:
    asked = body("chat", "gpt-5.4")
    _, headers, answer = post(house.gateway.url, key, asked)
    id = headers["offtake-request-id"]
    until(lambda: kept(house, id))
    found = json.loads(house.offtake("transcripts", "show", id, "--format", "json"))

    assert (json.dumps(asked), answer.decode()) == (found["request"], found["answer"])
    assert f"{answer.decode()}\n" == house.offtake("transcripts", "show", id, "--part", "answer")
    assert id in house.offtake("transcripts", "list", "--customer", "acme", "--last", "1")
    rows = json.loads(house.offtake("transcripts", "list", "--format", "json"))["calls"]
    assert (len(json.dumps(asked)), len(answer)) == (rows[-1]["request_bytes"], rows[-1]["answer_bytes"])
    house.offtake("transcripts", "show", "req_none", code=2)


def test_nobody_else_s_calls_are_kept_and_nothing_is_in_the_clear(house: House, key: str) -> None:
    others = [house.key("none"), house.key("other", "--customer", "gamma", "--workload", "support-eu"),
              house.key("work", "--customer", "acme", "--workload", "search")]  # fmt: skip
    ids = [post(house.gateway.url, each, body("chat", "gpt-5.4"))[1]["offtake-request-id"] for each in others]
    status, headers, answer = post(house.gateway.url, key, body("chat", "gpt-5.4"))
    until(lambda: kept(house, headers["offtake-request-id"]))
    everything = {path: path.read_bytes() for path in folder(house).rglob("*") if path.is_file()}

    assert 200 == status
    assert not [id for id in ids if kept(house, id)]
    for secret in (b"marked-question", json.loads(answer)["id"].encode(), MASTER.encode(), bytes.fromhex(MASTER)):
        assert [] == [path for path, held in everything.items() if secret in held]
    assert {0o600} == {path.stat().st_mode & 0o777 for path in everything if path.name != "deleted"}
    assert {0o700} == {path.stat().st_mode & 0o777 for path in [folder(house), *folder(house).glob("*")]}
    assert "whole" in house.offtake("transcripts", "verify")


def test_a_vendor_s_error_is_kept_and_a_refusal_is_not(house: House, key: str) -> None:
    before = len(listed(house))
    refused = post(house.gateway.url, key, body("chat", "no-such-model"))
    failed = post(house.gateway.url, key, body("messages", "claude-opus-4-7", max_tokens=0), "messages")
    until(lambda: kept(house, failed[1]["offtake-request-id"]))

    assert (404, 400) == (refused[0], failed[0])
    assert [400] == [row["status"] for row in listed(house)[before:]]


def test_a_client_that_leaves_leaves_what_it_got(house: House, key: str) -> None:
    asked = json.dumps(body("chat", "gpt-5.4", stream=True, max_completion_tokens=4_000)).encode()
    where = urlsplit(house.gateway.url)
    with socket.create_connection((where.hostname, where.port)) as client:
        client.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b" % (key.encode(), len(asked), asked)
        )
        read = b""
        while b"\r\n\r\n" not in read:
            read += client.recv(1_000)
    id = next(line for line in read.decode().splitlines() if "offtake-request-id" in line).split()[1]
    until(lambda: kept(house, id))
    found, request, _ = shown(house, id)

    assert asked.decode() == request
    assert found["outcome"] in ("client_cancel", "ok")  # a sandbox may be done before anybody knows that it is gone


def test_whoever_allows_less_decides(tmp_path: Path) -> None:
    promised = CONTRACT + "data: {{retention: 30 hours}}\n"
    house = opened(tmp_path, contract=promised, gateway_settings=OBSERVED)
    try:
        plain = house.key("plain", "--customer", "acme", "--workload", "support-eu")
        short = house.key("short", "--customer", "acme", "--workload", "support-us", "--retention-hours-max", "10")
        none = house.key("none", "--customer", "acme", "--workload", "support-us", "--retention-hours-max", "0")
        for each in (plain, short, none):
            assert 200 == post(house.gateway.url, each, body("chat", "gpt-5.4"))[0]
        until(lambda: counts(house)["kept"] == 2)
        rows = listed(house)
        hours = [_hours(row) for row in rows]

        assert ["support-eu", "support-us"] == [row["workload"] for row in rows]
        assert 29 < hours[0] <= 30 and 9 < hours[1] <= 10
        assert 1 == counts(house)["zero_retention"]
        (tmp_path / "openai.yaml").write_text(
            promised.replace("30 hours", "none").format(name="acme-openai", vendor="openai", models="*")
        )
        house.gateway.popen.send_signal(signal.SIGHUP)
        until(lambda: "contracts read again" in house.gateway.log.read_text())
        assert [200, 200] == [
            post(house.gateway.url, plain, body("chat", model))[0] for model in ("gpt-5.4", "claude-opus-4-7")
        ]
        until(lambda: counts(house)["kept"] == 3)
        assert ["claude-opus-4-7"] == [row["model"] for row in listed(house)[2:]]
        assert 2 == counts(house)["zero_retention"]
    finally:
        house.close()


def _hours(row: Mapping[str, Any]) -> float:
    return float((row["until"] - row["at"]).total_seconds() / 3_600)


def test_an_opt_out_holds_from_the_reload_on_and_what_was_kept_stays(tmp_path: Path) -> None:
    house = opened(tmp_path)
    try:
        mine = house.key("mine", "--customer", "acme", "--workload", "support-eu")
        first = post(house.gateway.url, mine, body("chat", "gpt-5.4"))[1]["offtake-request-id"]
        until(lambda: kept(house, first))
        house.config.write_text(house.config.read_text().replace('"acme*", ', ""))
        until(lambda: "contracts read again" in house.gateway.log.read_text())
        post(house.gateway.url, mine, body("chat", "gpt-5.4"))
        house.gateway.stop()
        assert [first] == [row["id"] for row in listed(house)]
        house.config.write_text(house.config.read_text().replace(SECTION.split("hours")[0].strip(), "#"))
        assert first in house.offtake("transcripts", "list", "--store", "offtake.db", "--format", "json")
    finally:
        house.close()


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


def past(place: Path, hours_ago: int) -> Path:
    """A file of a call that began so long ago, and was to be kept for 72 hours."""
    master = master_of(MASTER)
    assert master is not None
    at = time.time_ns() // 1_000 - hours_ago * HOUR
    key = hold_key(place / "offtake.db.transcripts", "acme", master)
    path = key.path.with_name(name_of(span_of(at, 72), f"w{hours_ago}", 1))
    SealedFile(path, key, span_of(at, 72)).append({"id": f"req_{hours_ago}", "at": at}, b"{}", b"{}")
    return path


def sealed(house: House) -> list[Path]:
    return sorted(folder(house).glob("*/*.sealed"))


def test_a_deletion_under_traffic_is_certified_and_nothing_from_before_comes_back(house: House, key: str) -> None:
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
    import subprocess
    import sys

    from tests.gateway.wire.running import environment

    done = subprocess.run(
        [sys.executable, "-m", "offtake.cli", "transcripts", *arguments],
        cwd=house.folder, env=environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert 4 == done.returncode, done.stderr
    return done.stderr.decode()


def test_what_cannot_be_written_fails_no_call_and_is_counted_and_said(house: House) -> None:
    mine = house.key("mine", "--customer", "acme-broken", "--workload", "support-eu")
    folder(house).mkdir(exist_ok=True)
    folder_of(folder(house), "acme-broken").write_text("in the way")
    statuses = [post(house.gateway.url, mine, body("chat", "gpt-5.4"))[0] for _ in range(3)]
    until(lambda: counts(house)["failed"] == 3)
    folder_of(folder(house), "acme-broken").unlink()
    again = post(house.gateway.url, mine, body("chat", "gpt-5.4"))[1]["offtake-request-id"]
    until(lambda: kept(house, again))
    said = [line for line in house.gateway.log.read_text().splitlines() if "transcripts cannot be written" in line]

    assert ([200] * 3, 1) == (statuses, len(said))
    assert "marked" not in house.gateway.log.read_text()
