"""Vendors on OpenAI's wire at their own addresses: each by both clients, booked to what the vendor's own meter says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import openai
import pytest

from tests.gateway.wire.running import CONTRACT, House, started

# the table of the configuration, its place in the sandbox, a model
VENDORS = [
    ("google", "google/v1beta/openai", "gemini-3.1-pro-preview"),
    ("x-ai", "xai/v1", "grok-4.3"),
    ("mistral", "mistral/v1", "mistral-large-2512"),
    ("deepseek", "deepseek", "deepseek-chat"),
]
VENDOR = """
[vendors.{name}]
wire = "openai"
base_url = "{sandbox}/{place}"
endpoints = ["chat"]
key = {{env = "OPENAI_API_KEY"}}

[[contracts]]
file = "{name}.yaml"
"""
HELLO = [{"role": "user", "content": "hello"}]


@dataclass
class CompatibleHouse(House):
    """A gateway before four vendors, each with a contract of its own."""

    def open(self) -> CompatibleHouse:
        arguments = ["sandbox", "--port", "0", "--meter", str(self.meter)]
        self.sandbox = started(self.folder, "sandbox", arguments, r"(http://[0-9.:]+)/openai/v1")
        text = "[gateway]\nport = 0\n"
        for name, place, model in VENDORS:
            text += VENDOR.format(name=name, sandbox=self.sandbox.url, place=place)
            (self.folder / f"{name}.yaml").write_text(CONTRACT.format(name=f"acme-{name}", vendor=name, models=model))
        self.config.write_text(text)
        self.serve()
        return self


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompatibleHouse]:
    opened = CompatibleHouse(tmp_path_factory.mktemp("compatible")).open()
    yield opened
    opened.close()


@pytest.mark.parametrize(("vendor", "model"), [(vendor, model) for vendor, _, model in VENDORS])
def test_each_vendor_by_both_clients(house: CompatibleHouse, key: str, vendor: str, model: str) -> None:
    asked: Any = {"model": model, "messages": HELLO, "max_tokens": 20}
    with openai.OpenAI(base_url=f"{house.gateway.url}/v1", api_key=key, max_retries=0) as gpt:
        answer = gpt.chat.completions.with_raw_response.create(**asked)
        assert (f"acme-{vendor}", 20) == (answer.headers["offtake-contract"], _tokens(answer))
        chunks: list[Any] = list(gpt.chat.completions.create(**asked, stream=True))
        assert chunks and all(chunk.usage is None or chunk.choices for chunk in chunks)
    with anthropic.Anthropic(base_url=house.gateway.url, api_key=key, max_retries=0) as claude:
        assert 20 == claude.messages.create(**asked).usage.output_tokens
        with claude.messages.stream(**asked) as stream:
            assert 20 == stream.get_final_message().usage.output_tokens


def test_the_books_agree_with_each_vendors_meter(house: CompatibleHouse, key: str) -> None:
    for vendor, _, model in VENDORS:
        test_each_vendor_by_both_clients(house, key, vendor, model)
    metered = sorted(str(line["quantities"]) for line in house.metered())
    exported = house.exported()
    assert metered == sorted(str(row["quantities"]) for row in exported["usage"])
    assert {vendor for vendor, _, _ in VENDORS} == {row["vendor"] for row in exported["usage"]}
    assert all(row["usage_known"] for row in exported["usage"])


def _tokens(answer: Any) -> int:
    usage = answer.parse().usage
    return int(usage.completion_tokens)
