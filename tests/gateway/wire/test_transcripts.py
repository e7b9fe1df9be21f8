"""Transcripts over a real gateway: of whom calls are kept and of nobody else, sealed, and for how long."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("cryptography", reason="the extra `transcripts` is not installed")

from offtake.store.transcripts.customer_key import folder_of
from tests.gateway.wire.keeping import (
    MASTER,
    OBSERVED,
    SECTION,
    body,
    counts,
    folder,
    kept,
    listed,
    opened,
    shown,
    until,
)
from tests.gateway.wire.load import post
from tests.gateway.wire.running import CONTRACT, House


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = opened(tmp_path_factory.mktemp("kept"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def key(house: House) -> str:
    return house.key("kept", "--customer", "acme", "--workload", "support-eu")


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
