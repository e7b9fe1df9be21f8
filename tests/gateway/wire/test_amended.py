"""What the gateway writes into requests of real clients: a bound on a vendor's own tools, and zero retention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest

from tests.gateway.wire.running import CONTRACT, House
from tests.gateway.wire.test_batches_openai import chat_line, upload

GPT = "gpt-5.4"
SEARCH: Any = [{"type": "web_search"}]


def client_of(house: House, key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0)


def test_a_hard_budget_holds_for_a_search_that_the_key_bounds(house: House) -> None:
    with (
        client_of(house, house.key("unbounded", "--budget", "1000USD/month")) as client,
        pytest.raises(openai.RateLimitError, match="G401"),
    ):
        client.responses.create(model=GPT, input="hello", tools=SEARCH, max_output_tokens=100)
    key = house.key("bounded", "--budget", "1000USD/month", "--tool-calls-max", "2")
    with client_of(house, key) as client:
        asked = "look [[sandbox searches=2]]"
        answer = client.responses.with_raw_response.create(model=GPT, input=asked, tools=SEARCH, max_output_tokens=100)
        assert "max_tool_calls" == answer.headers["offtake-edits"]
        assert 2 == sum(item.type == "web_search_call" for item in answer.parse().output)


def test_zero_retention_stores_nothing_that_a_client_did_not_ask_to_store(tmp_path: Path) -> None:
    house = House(tmp_path, contract=CONTRACT + "data: {{training: never, retention: none}}\n").open()
    try:
        with client_of(house, house.key()) as client:
            answer = client.responses.with_raw_response.create(model=GPT, input="hello", max_output_tokens=20)
            assert "store" == answer.headers["offtake-edits"]
            assert answer.parse().model_extra and answer.parse().model_extra["store"] is False  # type: ignore[index]
            with pytest.raises(openai.PermissionDeniedError, match="G314"):
                client.responses.create(model=GPT, input="hello", store=True)
            with pytest.raises(openai.PermissionDeniedError, match=r"line 1: .*store.*G314"):
                upload(client, [chat_line("a")])
    finally:
        house.close()
