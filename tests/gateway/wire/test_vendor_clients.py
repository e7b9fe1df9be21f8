"""The vendors' own clients, unchanged but for a base address and a key, streaming and not."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.gateway.wire.held import held
from tests.gateway.wire.running import VENDOR_KEY, House

CLAUDE, GPT = "claude-opus-4-7", "gpt-5.4"
HELLO = [{"role": "user", "content": "Say hello to a marked-sentence-4711"}]
TOOLS = [{"name": "weather", "description": "the weather", "input_schema": {"type": "object", "properties": {}}}]


@pytest.fixture
def gpt(house: House, key: str) -> Iterator[Any]:
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
        yield client


@pytest.fixture
def claude(house: House, key: str) -> Iterator[Any]:
    with anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as client:
        yield client


def test_chat(gpt: Any) -> None:
    answer = gpt.chat.completions.with_raw_response.create(model=GPT, messages=HELLO, max_completion_tokens=20)
    usage = answer.parse().usage
    assert 20 == usage.completion_tokens
    # 2.50 and 15 USD a million tokens, less 15 %
    dollars = (usage.prompt_tokens * 2_125_000 + usage.completion_tokens * 12_750_000) / 10**12
    assert f"{dollars:.12f} USD" == answer.headers["offtake-cost"]
    assert "acme-openai" == answer.headers["offtake-contract"]
    assert "prices.discounts[0] (openai.yaml:8)" == answer.headers["offtake-clause"]


def test_a_chat_stream_hides_the_usage_that_nobody_asked_for(gpt: Any) -> None:
    plain = list(gpt.chat.completions.create(model=GPT, messages=HELLO, max_completion_tokens=20, stream=True))
    assert all(chunk.usage is None and chunk.choices for chunk in plain)
    asked = gpt.chat.completions.create(
        model=GPT, messages=HELLO, max_completion_tokens=20, stream=True, stream_options={"include_usage": True}
    )
    assert 20 == list(asked)[-1].usage.completion_tokens


def test_responses(gpt: Any) -> None:
    assert 20 == gpt.responses.create(model=GPT, input="hello", max_output_tokens=20).usage.output_tokens
    events = list(gpt.responses.create(model=GPT, input="hello", max_output_tokens=20, stream=True))
    assert 20 == events[-1].response.usage.output_tokens


def test_embeddings(gpt: Any) -> None:
    answer = gpt.embeddings.with_raw_response.create(model="text-embedding-3-small", input="hello")
    assert answer.parse().usage.prompt_tokens > 0
    assert answer.headers["offtake-cost"].endswith("USD")


def test_messages(claude: Any) -> None:
    answer = claude.messages.create(model=CLAUDE, max_tokens=20, messages=HELLO)
    assert 20 == answer.usage.output_tokens
    with claude.messages.stream(model=CLAUDE, max_tokens=20, messages=HELLO) as stream:
        assert 20 == stream.get_final_message().usage.output_tokens


def test_counting_tokens_is_free(house: House, claude: Any) -> None:
    before = len(house.metered())
    assert claude.messages.count_tokens(model=CLAUDE, messages=HELLO).input_tokens > 0
    assert before == len(house.metered())


def test_each_client_reaches_the_other_vendor(gpt: Any, claude: Any) -> None:
    assert 20 == gpt.chat.completions.create(model=CLAUDE, messages=HELLO, max_tokens=20).usage.completion_tokens
    chunks = list(gpt.chat.completions.create(model=CLAUDE, messages=HELLO, max_tokens=20, stream=True))
    assert "length" == [chunk for chunk in chunks if chunk.choices][-1].choices[0].finish_reason
    assert 20 == claude.messages.create(model=GPT, max_tokens=20, messages=HELLO).usage.output_tokens
    with claude.messages.stream(model=GPT, max_tokens=20, messages=HELLO, tools=TOOLS) as stream:
        assert 20 == stream.get_final_message().usage.output_tokens


def test_models_are_those_of_the_contracts(gpt: Any, claude: Any) -> None:
    assert {CLAUDE, GPT} <= {model.id for model in gpt.models.list()}
    assert CLAUDE in {model.id for model in claude.models.list(limit=1000)}
    assert GPT == gpt.models.retrieve(GPT).id
    with pytest.raises(openai.APIStatusError, match="takes GET"):
        gpt.models.delete(GPT)


def test_an_unknown_model_is_a_404_with_the_nearest_names(gpt: Any, claude: Any) -> None:
    with pytest.raises(openai.NotFoundError, match="G302"):
        gpt.chat.completions.create(model="gpt-5.39", messages=HELLO)
    with pytest.raises(anthropic.NotFoundError, match="G302"):
        claude.messages.create(model="claude-opus-44", max_tokens=10, messages=HELLO)


def test_a_wrong_key_is_a_401(house: House) -> None:
    client = openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key="sk-wrong", max_retries=0)
    with client, pytest.raises(openai.AuthenticationError, match="G202"):
        client.models.list()


def test_the_books_agree_with_the_vendors_meter_and_hold_no_content(house: House, gpt: Any, claude: Any) -> None:
    gpt.chat.completions.create(model=GPT, messages=HELLO, max_completion_tokens=20)
    claude.messages.create(model=CLAUDE, max_tokens=20, messages=HELLO)
    metered = {line["vendor_request_id"]: line["quantities"] for line in house.metered()}
    exported = house.exported()
    booked = {row["vendor_request_id"]: row["quantities"] for row in exported["usage"] if row["quantities"]}
    assert metered == booked
    assert [] == exported["unresolved"]
    assert "whole" in house.offtake("ledger", "verify", "--config", str(house.config))
    for file in house.folder.rglob("*"):
        if file.is_file() and file.name not in ("meter.jsonl", "offtake.db.secret"):
            content = held(file)
            assert b"marked-sentence-4711" not in content, file
            assert VENDOR_KEY.encode() not in content, file


def test_the_metrics_page_adds_up_what_the_workers_counted(house: House, gpt: Any) -> None:
    gpt.chat.completions.create(model=GPT, messages=HELLO, max_completion_tokens=20)
    with pytest.raises(openai.NotFoundError):
        gpt.chat.completions.create(model="gpt-5.39", messages=HELLO)
    with urllib.request.urlopen(f"{house.gateway.url}/metrics") as answer:
        page = answer.read().decode()
    labels = '{contract="acme-openai",model="gpt-5.4",outcome="ok",vendor="openai"}'
    counted = float(page.partition(f"offtake_requests_total{labels} ")[2].split("\n")[0])
    booked = [row for row in house.exported()["usage"] if row["model"] == GPT]
    assert len(booked) == counted
    assert 'offtake_refusals_total{code="G302"}' in page
    assert "gpt-5.39" not in page
