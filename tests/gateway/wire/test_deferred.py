"""Calls of workloads that may wait, by the vendors' own clients: taken with 202, polled for, and billed as a batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from tests.gateway.wire.running import House
from tests.gateway.wire.test_batches_emulated import Plain
from tests.gateway.wire.test_batches_openai import states

GPT, CLAUDE = "gpt-5.4", "claude-opus-4-7"
HELLO: Any = [{"role": "user", "content": "Say hello"}]
LATER = {"Prefer": "respond-async"}
PATIENT = '\n[[non_urgent]]\nworkload = "nightly-*"\n\n[[non_urgent]]\nworkload = "slow"\nflex = true\n'


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("patient"), more=PATIENT).open()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def nightly(patient: House) -> str:
    return patient.key("nightly", "--workload", "nightly-report", "--budget", "10USD/month")


def gpt_of(house: House, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0)


def claude_of(house: House, key: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0)


def polled(client: Any, id: str, kind: Any, below: str = "") -> Any:
    """The answer, once it is there."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        raw = client.get(
            f"{below}/deferred/{id}", cast_to=kind, options={"headers": {"X-Stainless-Raw-Response": "true"}}
        )
        if raw.http_response.status_code != 202:
            return raw
        time.sleep(0.1)
    raise AssertionError(f"{id} still runs")


def test_a_chat_call_is_answered_later_at_the_batch_price_and_once(patient: House, nightly: str) -> None:
    with gpt_of(patient, nightly) as client:
        taken = client.chat.completions.with_raw_response.create(
            model=GPT, messages=HELLO, max_completion_tokens=20, extra_headers=LATER
        )
        said = taken.http_response.json()
        assert (202, "respond-async") == (taken.status_code, taken.headers["preference-applied"])
        assert f"/v1/deferred/{said['id']}" == taken.headers["location"]
        raw = polled(client, said["id"], openai.types.chat.ChatCompletion)
        answer = raw.parse()
        assert answer.choices[0].message.content and 20 == answer.usage.completion_tokens
        assert [] == list(client.batches.list()), "it is no batch that the client has made"
        with pytest.raises(openai.NotFoundError):
            client.batches.retrieve(said["id"])
        again = polled(client, said["id"], openai.types.chat.ChatCompletion)
        assert raw.http_response.content == again.http_response.content
    # 2.50 and 15 USD a million tokens, halved in a batch, less 15 %
    pico = answer.usage.prompt_tokens * 1_062_500 + 20 * 6_375_000
    assert f"{Decimal(pico) / 10**12:.12f} USD" == raw.headers["offtake-cost"]
    assert raw.headers["offtake-clause"].startswith("prices.")
    assert ("acme-openai", GPT) == (raw.headers["offtake-contract"], raw.headers["offtake-model"])
    exported = patient.exported()
    booked = [row for row in exported["usage"] if row["id"].startswith(said["id"])]
    metered = [line for line in patient.metered() if line.get("custom_id", "").startswith(said["id"])]
    assert 1 == len(booked) == len(metered)
    assert ("batch", metered[0]["quantities"]) == (booked[0]["channel"], booked[0]["quantities"])
    assert 0 == sum(state.leased_pico + state.held_pico for state in states(patient))


def test_responses_and_messages_too_and_at_the_other_vendor(patient: House, nightly: str) -> None:
    with gpt_of(patient, nightly) as client:
        taken = client.responses.with_raw_response.create(
            model=GPT, input="hello", max_output_tokens=20, extra_headers=LATER
        )
        kind = openai.types.responses.Response
        assert 20 == polled(client, taken.http_response.json()["id"], kind).parse().usage.output_tokens
    with claude_of(patient, nightly) as claude:
        for model in (CLAUDE, GPT):
            raw = claude.messages.with_raw_response.create(
                model=model, max_tokens=20, messages=HELLO, extra_headers=LATER
            )
            message = polled(claude, raw.http_response.json()["id"], anthropic.types.Message, "/v1").parse()
            assert ("message", 20) == (message.type, message.usage.output_tokens)


def test_what_the_vendor_refuses_and_what_we_refuse(patient: House, nightly: str) -> None:
    urgent = patient.key("urgent", "--workload", "chat")
    with (
        gpt_of(patient, urgent) as client,
        pytest.raises(openai.PermissionDeniedError, match=r"G911.*clause: key key_"),
    ):
        client.chat.completions.create(model=GPT, messages=HELLO, extra_headers=LATER)
    with gpt_of(patient, nightly) as client:
        with pytest.raises(openai.BadRequestError, match="a batch does not stream"):
            client.chat.completions.create(model=GPT, messages=HELLO, stream=True, extra_headers=LATER)
        with pytest.raises(openai.NotFoundError, match="G302") as missing:
            client.chat.completions.create(model="gpt-5.39", messages=HELLO, extra_headers=LATER)
        assert "line 1" not in missing.value.message
        bad: Any = [{"role": "user", "content": [{"type": "nonsense"}]}]
        taken = client.chat.completions.with_raw_response.create(
            model=GPT, messages=bad, max_completion_tokens=9, extra_headers=LATER
        )
        with pytest.raises(openai.BadRequestError):
            polled(client, taken.http_response.json()["id"], openai.types.chat.ChatCompletion)
        with gpt_of(patient, urgent) as other, pytest.raises(openai.NotFoundError):
            other.get(f"/deferred/{taken.http_response.json()['id']}", cast_to=object)
    poor = patient.key("poor", "--workload", "nightly-poor", "--budget", "0.00001USD/month")
    with claude_of(patient, poor) as claude, pytest.raises(anthropic.APIStatusError, match="G401") as caught:
        claude.messages.create(model=CLAUDE, max_tokens=20, messages=HELLO, extra_headers=LATER)
    assert 402 == caught.value.status_code


def test_an_idempotency_key_makes_one_call(patient: House, nightly: str) -> None:
    once = LATER | {"Idempotency-Key": "tonight"}
    with gpt_of(patient, nightly) as client:
        ids = set()
        for _ in range(3):
            taken = client.chat.completions.with_raw_response.create(
                model=GPT, messages=HELLO, max_completion_tokens=20, extra_headers=once
            )
            ids.add(taken.http_response.json()["id"])
        assert 1 == len(ids)
        with pytest.raises(openai.BadRequestError, match="G909"):
            client.chat.completions.create(model=GPT, messages=HELLO, max_completion_tokens=21, extra_headers=once)
        id = ids.pop()
        polled(client, id, openai.types.chat.ChatCompletion)
        assert {"deleted": True}.items() <= client.delete(f"/deferred/{id}", cast_to=object).items()  # type: ignore[attr-defined]
        with pytest.raises(openai.NotFoundError):
            client.get(f"/deferred/{id}", cast_to=object)
    assert 1 == sum(line.get("custom_id", "").startswith(id) for line in patient.metered())


def test_a_cancelled_call_costs_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, more=PATIENT, faults="batches: {seconds: 30}").open()
    try:
        key = house.key("nightly", "--workload", "nightly-report", "--budget", "1USD/month")
        with claude_of(house, key) as claude:
            raw = claude.messages.with_raw_response.create(
                model=CLAUDE, max_tokens=20, messages=HELLO, extra_headers=LATER
            )
            id = raw.http_response.json()["id"]
            claude.delete(f"/v1/deferred/{id}", cast_to=object)
            with pytest.raises(anthropic.APIStatusError, match="G912") as caught:
                polled(claude, id, anthropic.types.Message, "/v1")
            assert 410 == caught.value.status_code
        assert [] == house.metered() == house.exported()["usage"]
        assert 0 == sum(state.leased_pico + state.held_pico + state.spent_pico for state in states(house))
    finally:
        house.close()


def test_a_call_that_does_not_run_in_time_costs_nothing(tmp_path: Path) -> None:
    house = House(tmp_path, more=PATIENT, faults="batches: {expire: 100%}").open()
    try:
        with gpt_of(house, house.key("nightly", "--workload", "nightly-report", "--budget", "1USD/month")) as client:
            taken = client.responses.with_raw_response.create(
                model=GPT, input="hello", max_output_tokens=20, extra_headers=LATER
            )
            with pytest.raises(openai.APIStatusError, match="G913") as caught:
                polled(client, taken.http_response.json()["id"], openai.types.responses.Response)
            assert 410 == caught.value.status_code
        assert [] == house.metered() == house.exported()["usage"]
        assert 0 == sum(state.leased_pico + state.held_pico + state.spent_pico for state in states(house))
    finally:
        house.close()


@pytest.mark.parametrize("native", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_a_gateway_that_ends_meanwhile_answers_each_call_once(tmp_path: Path, native: bool) -> None:
    kind = House if native else Plain
    house = kind(tmp_path, more=PATIENT, faults="batches: {seconds: 1}").open()
    try:
        key = house.key("nightly", "--workload", "nightly-report", "--budget", "10USD/month")
        ids = []
        with gpt_of(house, key) as client:
            for number in range(6):
                taken = client.chat.completions.with_raw_response.create(
                    model=GPT, messages=HELLO, max_completion_tokens=20 + number, extra_headers=LATER
                )
                ids.append(taken.http_response.json()["id"])
        # What a vendor without batches was sent is never sent again, so that one is stopped and not killed.
        house.gateway.kill() if native else house.gateway.stop()
        house.serve()
        with gpt_of(house, key) as client:
            answers = [polled(client, id, openai.types.chat.ChatCompletion).parse() for id in ids]
        assert [20 + number for number in range(6)] == [each.usage.completion_tokens for each in answers]
        exported = house.exported()
        assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    finally:
        house.close()
    assert {f"{id}_000001" for id in ids} == {row["id"] for row in exported["usage"]}
    assert [] == exported["unresolved"] and 6 == len(exported["usage"]) == len(house.metered())
    assert {"batch" if native else "realtime"} == {row["channel"] for row in exported["usage"]}


def test_a_waiting_call_of_such_a_workload_may_be_served_in_the_flex_tier(patient: House, nightly: str) -> None:
    def made(key: str, model: str = GPT, **more: Any) -> Any:
        with gpt_of(patient, key) as client:
            return client.chat.completions.with_raw_response.create(
                model=model, messages=HELLO, max_completion_tokens=20, **more
            )

    wait: Any = {"extra_headers": {"Prefer": "wait=600"}}
    slow = patient.key("slow", "--workload", "slow", "--budget", "10USD/month")
    for answer in (made(nightly, **wait), made(slow)):
        usage = answer.parse().usage
        assert ("service_tier", "flex") == (answer.headers["offtake-edits"], answer.parse().service_tier)
        pico = usage.prompt_tokens * 1_062_500 + 20 * 6_375_000
        assert f"{Decimal(pico) / 10**12:.12f} USD" == answer.headers["offtake-cost"]
    untouched = (
        made(nightly), made(slow, service_tier="default"), made(slow, "gpt-4o"), made(slow, CLAUDE),
        made(patient.key("hurry", "--workload", "chat"), **wait),
    )  # fmt: skip
    for answer in untouched:
        assert "service_tier" not in answer.headers.get("offtake-edits", "")
