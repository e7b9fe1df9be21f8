"""What a key may do, over a real gateway: its rates among several workers, its regions, contracts and models."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.gateway.wire.load import Load, post
from tests.gateway.wire.running import CONTRACT, House

BODY = {"model": "gpt-5.4", "max_completion_tokens": 20, "messages": [{"role": "user", "content": "hi"}]}
SERVED = "data: {{retention: none, training: never}}\n"


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("rules"), "workers = 4", contract=CONTRACT + SERVED).open()
    yield opened
    opened.close()


def refusal(house: House, key: str, body: dict[str, Any] = BODY) -> str:
    """Its status and code, or 200."""
    status, _, answer = post(house.gateway.url, key, body)
    return "200" if status == 200 else f"{status} {json.loads(answer)['error']['message'].split('[')[1][:4]}"


def load(house: House, key: str, requests: int) -> Counter[int]:
    return asyncio.run(Load(house.gateway.url, key, BODY).run(requests=requests, connections=requests))


def test_a_key_s_rate_is_kept_by_all_workers_together(four: House) -> None:
    slow, other = four.key("slow", "--requests-per-minute", "6"), four.key("fast")
    found = load(four, slow, 120)

    assert {200: 6, 429: 114} == found, "6 among 4 workers is 2, 2, 1 and 1"
    assert "200" == refusal(four, other)


def test_concurrency_and_tokens_of_a_key_are_limited(four: House) -> None:
    tokens = four.key("tokens", "--input-tpm", "4", "--output-tpm", "4000000")

    assert "429 G414" == refusal(four, tokens), "this request alone is larger than a worker's part"
    listed = json.loads(four.offtake("keys", "list", "--config", str(four.config), "--format", "json"))["keys"]
    assert {"input_tpm": 4, "output_tpm": 4_000_000} in [each["rates"] for each in listed]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "200"),
        (("--contracts", "acme-anthropic"), "403 G307"),
        (("--deny-models", "gpt-5*", "--models", "*"), "403 G309"),
        (("--deny-models", "claude-*"), "200"),
        (("--regions", "eu"), "403 G311"),
        (("--retention-hours-max", "0"), "200"),
        (("--no-training",), "200"),
    ],
)
def test_the_rules_read_what_a_key_says(
    four: House, options: tuple[str, ...], said: str, request: pytest.FixtureRequest
) -> None:
    assert said == refusal(four, four.key(request.node.name, *options))


def test_what_a_key_needs_and_the_contract_does_not_promise_is_refused(house: House) -> None:
    kept = house.key("kept", "--retention-hours-max", "24")
    trained = house.key("trained", "--no-training")

    assert ["403 G313", "403 G315"] == [refusal(house, kept), refusal(house, trained)]


def test_a_request_that_asks_the_vendor_to_store_it_meets_zero_retention(four: House) -> None:
    key = four.key("store")
    client = openai.OpenAI(base_url=four.gateway.url + "/v1", api_key=key, max_retries=0)
    with pytest.raises(openai.PermissionDeniedError, match="G314"):
        client.chat.completions.create(model="gpt-5.4", messages=[{"role": "user", "content": "hi"}], store=True)
    with pytest.raises(openai.PermissionDeniedError, match="G314"):
        client.responses.create(model="gpt-5.4", input="hi", store=True)
    assert client.chat.completions.create(
        model="gpt-5.4", messages=[{"role": "user", "content": "hi"}], store=False
    ).usage


def test_a_contract_s_limit_is_whole_among_workers(tmp_path: Path) -> None:
    limited = CONTRACT + "capacity: {{limits: {{requests_per_minute: 31}}}}\n"
    house = House(tmp_path, "workers = 4", contract=limited).open()
    try:
        found = load(house, house.key(), 400)
    finally:
        house.close()

    assert {200: 31, 429: 369} == found, "31 among 4 workers is 8, 8, 8 and 7"
