"""OpenAI's files and batches through the gateway by OpenAI's own client, before a sandbox that runs them natively."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import openai
import pytest

from offtake.store.ledger.leases import BudgetState, budget_states
from offtake.store.ledger.ledger import open_ledger
from tests.gateway.wire.running import CONTRACT, House

GPT = "gpt-5.4"


def chat_line(name: str, words: int = 20, **fields: Any) -> dict[str, Any]:
    body = {
        "model": GPT,
        "max_completion_tokens": 60,
        "messages": [{"role": "user", "content": f"[[sandbox output={words}]]"}],
    }
    return {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body | fields}


def upload(client: Any, lines: list[dict[str, Any]]) -> Any:
    return client.files.create(file=("in.jsonl", "\n".join(map(json.dumps, lines)).encode()), purpose="batch")


def made(client: Any, lines: list[dict[str, Any]], **more: Any) -> Any:
    file = upload(client, lines)
    return client.batches.create(
        input_file_id=file.id, endpoint=lines[0]["url"], completion_window="24h", **more
    )  # fmt: skip


def ended(read: Callable[[], Any], *states: str, seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = read()
        if (getattr(found, "status", "") or found.processing_status) in states:
            return found
        time.sleep(0.05)
    raise AssertionError(f"still {found}")


def rows_of(client: Any, file: str | None) -> dict[str, dict[str, Any]]:
    assert file is not None
    rows = [json.loads(line) for line in client.files.content(file).text.splitlines()]
    return {row["custom_id"]: row for row in rows}


@pytest.fixture
def gpt(house: House, key: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
        yield client


def test_a_batch_runs_at_the_vendor_and_is_billed_at_the_batch_price(house: House, gpt: Any) -> None:
    batch = made(gpt, [chat_line("a"), chat_line("b")], metadata={"job": "nightly"})
    assert batch.status in ("in_progress", "finalizing", "completed")
    assert {"job": "nightly"} == batch.metadata
    batch = ended(lambda: gpt.batches.retrieve(batch.id), "completed")

    rows = rows_of(gpt, batch.output_file_id)
    assert {"a", "b"} == set(rows) and batch.error_file_id is None
    assert (2, 2, 0) == (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed)
    usage = [row["response"]["body"]["usage"] for row in rows.values()]
    assert batch.usage.output_tokens == sum(each["completion_tokens"] for each in usage)
    metered = {line["custom_id"]: line for line in house.metered() if line.get("custom_id", "").startswith(batch.id)}
    booked = {row["id"]: row for row in house.exported()["usage"] if row["id"].startswith(batch.id)}
    assert 2 == len(metered) and metered.keys() == booked.keys()
    for id, row in booked.items():
        assert ("batch", metered[id]["quantities"]) == (row["channel"], row["quantities"])
    # 2.50 and 15 USD a million tokens, halved in a batch, less 15 %
    pico = sum(each["prompt_tokens"] * 1_062_500 + each["completion_tokens"] * 6_375_000 for each in usage)
    assert f"{Decimal(pico) / 10**12:.12f} USD" == batch.offtake["cost"]


def test_a_wrong_line_is_named_by_its_number_before_anything_is_kept(gpt: Any) -> None:
    lines = [chat_line("a"), chat_line("a"), chat_line("c", model="gpt-5.39"), chat_line("d", stream=True)]
    with pytest.raises(openai.BadRequestError) as caught:
        upload(gpt, lines)
    said = caught.value.message
    assert "line 2: its custom_id stands twice" in said
    assert "line 3" in said and "gpt-5.39" in said
    assert "line 4: a batch does not stream" in said
    assert not [file for file in gpt.files.list(purpose="batch") if file.filename == "bad.jsonl"]
    with pytest.raises(openai.BadRequestError, match="line 1"):
        gpt.files.create(file=("bad.jsonl", b"{}\n"), purpose="batch")
    with pytest.raises(openai.BadRequestError, match="G906"):
        gpt.files.create(file=("empty.jsonl", b""), purpose="batch")
    with pytest.raises(openai.BadRequestError, match="G906"):
        gpt.files.create(file=("x.bin", b"x"), purpose="user_data")


def test_a_model_that_the_key_may_not_use_is_named_with_its_line(house: House) -> None:
    key = house.key("narrow", "--models", "gpt-5.4-mini")
    with (
        openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client,
        pytest.raises(openai.PermissionDeniedError, match="line 1: this key may not use gpt"),
    ):
        upload(client, [chat_line("a")])


def test_a_batch_over_the_budget_is_refused_before_anything_runs(house: House) -> None:
    key = house.key("poor-batch", "--budget", "0.001USD/month")
    metered = len(house.metered())
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
        with pytest.raises(openai.RateLimitError, match="this batch of 30 requests may cost") as caught:
            made(client, [chat_line(f"n{number}") for number in range(30)])
        assert "insufficient_quota" == caught.value.code
        assert [] == list(client.batches.list())
        batch = made(client, [chat_line("one")])
        assert "completed" == ended(lambda: client.batches.retrieve(batch.id), "completed").status
    assert metered + 1 == len(house.metered())


def test_a_contract_without_the_channel_sells_no_batch(tmp_path: Path) -> None:
    contract = CONTRACT.replace("realtime, batch,", "realtime,").replace("batch: catalog, ", "")
    house = House(tmp_path, contract=contract).open()
    try:
        key = house.key()
        with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
            with pytest.raises(
                openai.PermissionDeniedError, match="line 1: the channel batch is not covered"
            ) as caught:
                upload(client, [chat_line("a")])
            assert "scope.channels" in caught.value.message
        narrow = house.key("chat-only", "--scopes", "inference")
        with (
            openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=narrow, max_retries=0) as client,
            pytest.raises(openai.PermissionDeniedError, match="this key may not do batch"),
        ):
            client.batches.list()
    finally:
        house.close()


def test_the_rest_of_a_hold_goes_back(house: House) -> None:
    key = house.key("rested", "--budget", "0.02USD/month")
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
        for _ in range(3):  # together they hold more than the budget, and cost less
            batch = made(client, [chat_line(f"n{number}", 1) for number in range(20)])
            ended(partial(client.batches.retrieve, batch.id), "completed")


def test_files_and_batches_are_listed_read_and_deleted_by_their_own_key_alone(house: House, gpt: Any) -> None:
    file = upload(gpt, [chat_line("a")])
    assert file.id == gpt.files.retrieve(file.id).id == next(iter(gpt.files.list())).id
    assert json.loads(gpt.files.content(file.id).text) == chat_line("a")
    batch = made(gpt, [chat_line("a")])
    assert batch.id == next(iter(gpt.batches.list(limit=1))).id
    with pytest.raises(openai.BadRequestError, match="G104"):
        gpt.post("/batches", cast_to=object, content=b"[" * 100_000)
    for odd in ("²", "9" * 5_000, "-1", "x"):  # what is no number is none
        assert batch.id in {
            each["id"] for each in gpt.get("/batches", cast_to=object, options={"params": {"limit": odd}})["data"]
        }
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=house.key("other"), max_retries=0) as other:
        assert [] == [*other.files.list(), *other.batches.list()]
        for read in (other.files.retrieve, other.files.content, other.files.delete, other.batches.cancel):
            with pytest.raises(openai.NotFoundError):
                read(file.id)
    assert gpt.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        gpt.files.content(file.id)


def test_a_line_that_the_vendor_refuses_costs_nothing(gpt: Any) -> None:
    lines = [chat_line("good"), chat_line("bad", messages=[{"role": "user", "content": [{"type": "nonsense"}]}])]
    batch = made(gpt, lines)
    batch = ended(lambda: gpt.batches.retrieve(batch.id), "completed")
    assert (1, 1) == (batch.request_counts.completed, batch.request_counts.failed)
    assert 400 == rows_of(gpt, batch.error_file_id)["bad"]["response"]["status_code"]


def test_a_cancelled_batch_bills_what_was_done(tmp_path: Path) -> None:
    house = House(tmp_path, faults="batches: {seconds: 30}").open()
    try:
        key = house.key("cancels", "--budget", "1USD/month")
        with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
            batch = made(client, [chat_line("a"), chat_line("b")])
            assert "cancelling" == client.batches.cancel(batch.id).status
            batch = ended(lambda: client.batches.retrieve(batch.id), "cancelled")
            errors = rows_of(client, batch.error_file_id)
            assert {"batch_cancelled"} == {row["error"]["code"] for row in errors.values()}
            with pytest.raises(openai.BadRequestError, match="G905"):
                client.batches.cancel(batch.id)
        assert [] == house.metered() == house.exported()["usage"]
        assert 0 == sum(state.leased_pico + state.held_pico + state.spent_pico for state in states(house))
    finally:
        house.close()


def test_a_killed_gateway_neither_loses_nor_doubles_a_line(tmp_path: Path) -> None:
    house = House(tmp_path, faults="batches: {seconds: 1}").open()
    names = {f"n{number}" for number in range(300)}
    try:
        key = house.key("killed", "--budget", "5USD/month")
        with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
            batch = made(client, [chat_line(name, 3) for name in sorted(names)])
            time.sleep(1.2)
            house.gateway.kill()
        house.serve()
        with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
            batch = ended(lambda: client.batches.retrieve(batch.id), "completed")
            assert names == set(rows_of(client, batch.output_file_id))
        exported = house.exported()
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    booked = Counter(row["id"] for row in exported["usage"])
    metered = Counter(line["custom_id"] for line in house.metered())
    assert 300 == len(booked) and booked == metered and {1} == set(booked.values())
    assert [] == exported["unresolved"]
    for state in states(house):
        assert (0, 0) == (state.leased_pico, state.held_pico)


def states(house: House) -> list[BudgetState]:
    ledger = open_ledger(house.folder / "offtake.db")
    try:
        return budget_states(ledger)
    finally:
        ledger.close()
