"""Vendors' own libraries say the same head with each request, which is what makes reading it once worth while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
import uvloop

from offtake.gateway.http import Request, Responder
from tests.gateway.http.peers import fast, serving

CHAT = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "x"}}],
}  # fmt: skip
MESSAGE = {
    "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}  # fmt: skip


def ask_openai(address: str) -> Callable[[str], Any]:
    client = openai.OpenAI(base_url=f"{address}/v1", api_key="k", max_retries=0)
    return lambda content: client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": content}], max_tokens=5
    )


def ask_anthropic(address: str) -> Callable[[str], Any]:
    client = anthropic.Anthropic(base_url=address, api_key="k", max_retries=0)
    return lambda content: client.messages.create(
        model="m", messages=[{"role": "user", "content": content}], max_tokens=5
    )


@pytest.mark.parametrize("client", [ask_openai, ask_anthropic])
def test_a_library_repeats_its_head_and_the_bodies_are_its_own(client: Callable[[str], Callable[[str], Any]]) -> None:
    asked: list[Request] = []

    async def handle(request: Request, responder: Responder) -> None:
        asked.append(request)
        said = MESSAGE if request.path.endswith("messages") else CHAT
        responder.send(200, {b"content-type": b"application/json"}, json.dumps(said).encode())

    def work(port: int) -> None:
        ask = client(f"http://127.0.0.1:{port}")
        for number in range(5):
            ask("x" * number**2 * 5_000)

    async def test() -> None:
        async with serving(handle) as (_, port):
            await asyncio.to_thread(work, port)

    fast(uvloop.run, test())
    assert 5 == len(asked)
    assert len({id(request.alike) for request in asked}) == 1 and asked[0].alike
    for number, request in enumerate(asked):
        assert "x" * number**2 * 5_000 == json.loads(request.body)["messages"][0]["content"]
        assert len(request.body) == int(request.headers[b"content-length"])
