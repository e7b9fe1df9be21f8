"""A workload that opted in to caching: marks once they pay, holds that cover the write, prefixes that replay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.gateway.wire.running import House

SYSTEM = "You answer in the words of the handbook, and in no others. " * 400  # some 6,000 tokens
CACHE = """
[[cache]]
workload = "support-*"
ttl = "5m"
where = ["system"]
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    opened = House(tmp_path_factory.mktemp("house"), more=CACHE).open()
    yield opened
    opened.close()


def asked(house: House, key: str, text: str) -> tuple[Any, Any]:
    with anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as client:
        answer = client.messages.with_raw_response.create(
            model="claude-opus-4-7", max_tokens=5, system=SYSTEM, messages=[{"role": "user", "content": text}]
        )
    return answer.parse().usage, answer.headers


def test_a_system_prompt_is_marked_once_it_has_come_again(house: House) -> None:
    key = house.key("support", "--workload", "support-eu", "--budget", "5 USD / month")
    usages = []
    for number in range(4):
        usage, headers = asked(house, key, f"question {number}")
        usages.append((usage.cache_creation_input_tokens or 0, usage.cache_read_input_tokens or 0))
        marked = "system.cache_control" in headers.get("offtake-edits", "")
        assert marked == (number >= 2)
    assert (0, 0) == usages[0] == usages[1]
    assert usages[2][0] > 4_000
    assert usages[2][0] == usages[3][1]
    rows = sorted(house.exported()["usage"], key=lambda row: str(row["used_at"]))
    assert usages[2][0] == rows[2]["quantities"]["cache_write_5m_tokens"]
    holds = {event["id"]: sum(event["holds"].values()) for event in events(house, "intent")}
    costs = {event["id"]: event["cost_pico"] for event in events(house, "settle")}
    assert all(holds[id] >= cost for id, cost in costs.items())
    plain, write = min(holds.values()), max(holds.values())
    assert write > plain * 6 // 5  # a token that may be written costs a quarter more

    found = json.loads(house.offtake("cache", "offtake.db", "--format", "json"))
    automatic = next(row for row in found["policies"] if row["policy"] == "auto")
    assert float(automatic["read_share"]) > 0.7, found  # three of four requests begin like the first


def test_who_did_not_opt_in_is_left_alone(house: House) -> None:
    key = house.key("other", "--workload", "search")
    for number in range(4):
        _, headers = asked(house, key, f"again {number}")
        assert "cache_control" not in headers.get("offtake-edits", "")
    assert all("prefixes" not in event for event in events(house, "settle") if event.get("workload") == "search")


def test_openai_gets_a_cache_key_of_the_system_prompt(house: House) -> None:
    key = house.key("chat", "--workload", "support-chat")
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as client:
        answer = client.chat.completions.with_raw_response.create(
            model="gpt-5.4", max_completion_tokens=5,
            messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": "hello"}],
        )  # fmt: skip
    assert "prompt_cache_key" in answer.headers["offtake-edits"]


def events(house: House, kind: str) -> list[dict[str, Any]]:
    """The events of a kind in the journals."""
    found: list[dict[str, Any]] = []
    for file in sorted((house.folder / "journal").glob("*.wal")):
        for line in file.read_bytes().splitlines():
            value = json.loads(line[9:])
            found += [event for event in (value if isinstance(value, list) else [value]) if event["kind"] == kind]
    return found
