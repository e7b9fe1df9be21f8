"""Clients that people have beside the vendors' own, unchanged: an address and a key, and nothing that knows of us."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.wire.running import House

GPT, CLAUDE = "gpt-5.4", "claude-opus-4-7"


def test_openai_agents_with_a_tool(house: House, key: str) -> None:
    agents = pytest.importorskip("agents")
    import openai

    called: list[str] = []

    @agents.function_tool  # type: ignore[untyped-decorator]
    def weather(city: str) -> str:
        """Tell the weather of a city."""
        called.append(city)
        return "fine"

    agents.set_tracing_disabled(True)

    async def run() -> Any:
        async with openai.AsyncOpenAI(base_url=f"{house.gateway.url}/v1", api_key=key) as client:
            model = agents.OpenAIResponsesModel(model=GPT, openai_client=client)
            settings = agents.ModelSettings(tool_choice="required")
            agent = agents.Agent(name="a", tools=[weather], model=model, model_settings=settings)
            return await agents.Runner.run(agent, "the weather?", max_turns=6)

    result = asyncio.run(run())
    assert called
    assert result.final_output


def test_langchain_openai(house: House, key: str) -> None:
    langchain = pytest.importorskip("langchain_openai")
    for stream in (False, True):
        model: Any = langchain.ChatOpenAI(
            model=GPT,
            base_url=f"{house.gateway.url}/v1",
            api_key=key,
            max_tokens=20,
            streaming=stream,
            stream_usage=True,
        )
        assert 20 == model.invoke("hello").usage_metadata["output_tokens"]


def test_langchain_anthropic(house: House, key: str) -> None:
    langchain = pytest.importorskip("langchain_anthropic")
    for stream in (False, True):
        model: Any = langchain.ChatAnthropic(
            model=CLAUDE, base_url=house.gateway.url, api_key=key, max_tokens=20, streaming=stream
        )
        assert 20 == model.invoke("hello").usage_metadata["output_tokens"]


def test_llm(house: House, key: str, tmp_path: Path) -> None:
    pytest.importorskip("llm")
    (tmp_path / "extra-openai-models.yaml").write_text(
        f"- {{model_id: gateway, model_name: {GPT}, api_base: '{house.gateway.url}/v1', api_key_name: gateway}}\n"
    )
    for options in ([], ["--no-stream"]):
        done = subprocess.run(
            [sys.executable, "-m", "llm", "-m", "gateway", "--key", key, *options, "hello"],
            capture_output=True, check=False, env={**os.environ, "LLM_USER_PATH": str(tmp_path)}, timeout=60,
        )  # fmt: skip
        assert 0 == done.returncode, done.stderr.decode()
        assert done.stdout.strip()
