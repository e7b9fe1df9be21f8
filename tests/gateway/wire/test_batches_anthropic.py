"""Anthropic's message batches through the gateway by Anthropic's own client, and batches for the other vendor."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.gateway.wire.running import House
from tests.gateway.wire.test_batches_openai import chat_line, ended, made, rows_of, states

CLAUDE = "claude-opus-4-7"


def request(name: str, words: int = 20, **fields: Any) -> Any:
    messages = [{"role": "user", "content": f"[[sandbox output={words}]]"}]
    return {"custom_id": name, "params": {"model": CLAUDE, "max_tokens": 60, "messages": messages} | fields}


@pytest.fixture
def claude(house: House, key: str) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as client:
        yield client


@pytest.fixture
def gpt(house: House, key: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
        yield client


def results(client: Any, id: str) -> dict[str, Any]:
    return {row.custom_id: row.result for row in client.messages.batches.results(id)}


def agree(house: House, batch: str, lines: int) -> None:
    metered = {line["custom_id"]: line for line in house.metered() if line.get("custom_id", "").startswith(batch)}
    booked = {row["id"]: row for row in house.exported()["usage"] if row["id"].startswith(batch)}
    assert lines == len(metered)
    for id, line in metered.items():
        assert ("batch", line["quantities"]) == (booked[id]["channel"], booked[id]["quantities"])
    assert not [row for id, row in booked.items() if id not in metered and row["quantities"]]


def test_a_message_batch_runs_at_the_vendor_and_is_billed_once(house: House, gpt: Any, claude: Any) -> None:
    wrong = request("c", temperature=0.5)  # gone with the API version that the client sends
    batch = claude.messages.batches.create(requests=[request("a"), request("b"), wrong])
    assert batch.processing_status in ("in_progress", "ended")
    batch = ended(lambda: claude.messages.batches.retrieve(batch.id), "ended")
    found = results(claude, batch.id)
    assert {"a": "succeeded", "b": "succeeded"} == {name: found[name].type for name in ("a", "b")}
    assert 20 == found["a"].message.usage.output_tokens
    assert ("errored", "invalid_request_error") == (found["c"].type, found["c"].error.error.type)
    assert (2, 1) == (batch.request_counts.succeeded, batch.request_counts.errored)
    assert batch.id == next(iter(claude.messages.batches.list())).id
    agree(house, batch.id, 2)
    with pytest.raises(openai.NotFoundError):
        gpt.batches.retrieve(batch.id)
    assert "message_batch_deleted" == claude.messages.batches.delete(batch.id).type
    with pytest.raises(anthropic.NotFoundError):
        claude.messages.batches.retrieve(batch.id)


def test_what_cannot_run_is_refused_whole(house: House, claude: Any) -> None:
    with pytest.raises(anthropic.BadRequestError, match="line 2: its custom_id stands twice"):
        claude.messages.batches.create(requests=[request("a"), request("a")])
    with pytest.raises(anthropic.NotFoundError, match=r"line 1: .*claude-opus-44"):
        claude.messages.batches.create(requests=[request("a", model="claude-opus-44")])
    with pytest.raises(anthropic.BadRequestError, match=r"G901|G103"):
        claude.messages.batches.create(requests=[])
    key = house.key("poor-claude", "--budget", "0.001USD/month")
    before = len(house.metered())
    with (
        anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as client,
        pytest.raises(anthropic.APIStatusError, match="may cost") as caught,
    ):
        client.messages.batches.create(requests=[request("a"), request("b")])
    assert 402 == caught.value.status_code
    assert before == len(house.metered())


def test_each_clients_batch_may_run_at_the_other_vendor(house: House, gpt: Any, claude: Any) -> None:
    batch = made(gpt, [chat_line("a", model=CLAUDE), chat_line("b")])
    batch = ended(lambda: gpt.batches.retrieve(batch.id), "completed")
    rows = rows_of(gpt, batch.output_file_id)
    assert {"a", "b"} == set(rows)
    assert all(20 <= row["response"]["body"]["usage"]["completion_tokens"] <= 60 for row in rows.values())
    agree(house, batch.id, 2)
    other = claude.messages.batches.create(requests=[request("x", model="gpt-5.4")])
    ended(lambda: claude.messages.batches.retrieve(other.id), "ended")
    assert 20 <= results(claude, other.id)["x"].message.usage.output_tokens <= 60
    agree(house, other.id, 1)


def test_a_cancelled_message_batch_costs_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, faults="batches: {seconds: 30}").open()
    try:
        key = house.key("cancels", "--budget", "1USD/month")
        with anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as client:
            batch = client.messages.batches.create(requests=[request("a"), request("b")])
            with pytest.raises(anthropic.AnthropicError, match="finished processing"):
                list(client.messages.batches.results(batch.id))
            with pytest.raises(anthropic.BadRequestError, match="G905"):
                client.messages.batches.delete(batch.id)
            assert "canceling" == client.messages.batches.cancel(batch.id).processing_status
            batch = ended(lambda: client.messages.batches.retrieve(batch.id), "ended")
            assert 2 == batch.request_counts.canceled
            assert {"canceled"} == {each.type for each in results(client, batch.id).values()}
        assert [] == house.metered() == house.exported()["usage"]
        assert 0 == sum(state.leased_pico + state.held_pico + state.spent_pico for state in states(house))
    finally:
        house.close()


def test_a_killed_gateway_neither_loses_nor_doubles_a_request(tmp_path: Path) -> None:
    house = House(tmp_path, faults="batches: {seconds: 1}").open()
    names = {f"n{number}" for number in range(200)}
    try:
        key = house.key("killed", "--budget", "5USD/month")
        with anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as client:
            batch = client.messages.batches.create(requests=[request(name, 3) for name in sorted(names)])
        time.sleep(1.2)
        house.gateway.kill()
        house.serve()
        with anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as client:
            ended(lambda: client.messages.batches.retrieve(batch.id), "ended")
            assert names == set(results(client, batch.id))
        exported = house.exported()
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    booked = Counter(row["id"] for row in exported["usage"])
    assert 200 == len(booked) and booked == Counter(line["custom_id"] for line in house.metered())
    assert [] == exported["unresolved"]
