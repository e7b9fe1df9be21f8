"""Anthropic's client against the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from tests.sandbox.conftest import Running

Start = Callable[..., Running]
MODEL = "claude-opus-4-7"


def test_a_message_says_what_the_meter_says(sandbox: Start) -> None:
    running = sandbox()

    message = running.anthropic().messages.create(
        model=MODEL, max_tokens=400, messages=[{"role": "user", "content": "Hello there"}]
    )

    block = message.content[0]
    assert isinstance(block, anthropic.types.TextBlock)
    assert len(block.text) == 4 * message.usage.output_tokens
    assert "end_turn" == message.stop_reason
    assert {"input_tokens": 3 + 3 + 3, "output_tokens": message.usage.output_tokens} == running.line()["quantities"]
    assert message.usage.input_tokens == 9
    assert "standard" == message.usage.service_tier


def test_a_stream_ends_in_the_same_message(sandbox: Start) -> None:
    running = sandbox()
    ask = {"model": MODEL, "max_tokens": 400, "messages": [{"role": "user", "content": "[[sandbox output=50]]"}]}

    whole = running.anthropic().messages.create(**ask)
    with running.anthropic().messages.stream(**ask) as stream:
        streamed = stream.get_final_message()

    assert whole.content[0].text == streamed.content[0].text
    assert 50 == whole.usage.output_tokens == streamed.usage.output_tokens
    assert whole.usage.input_tokens == streamed.usage.input_tokens
    first, second = running.lines()
    assert first["quantities"] == second["quantities"]
    assert (False, True) == (first["stream"], second["stream"])


def test_max_tokens_cut_the_answer(sandbox: Start) -> None:
    running = sandbox()

    message = running.anthropic().messages.create(
        model=MODEL, max_tokens=7, messages=[{"role": "user", "content": "[[sandbox output=50]]"}]
    )

    assert ("max_tokens", 7) == (message.stop_reason, message.usage.output_tokens)


def test_a_forced_tool_is_called_with_arguments_of_its_schema(sandbox: Start) -> None:
    running = sandbox()
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    ask = {
        "model": MODEL,
        "max_tokens": 400,
        "messages": [{"role": "user", "content": "weather?"}],
        "tools": [{"name": "get_weather", "description": "…", "input_schema": schema}],
        "tool_choice": {"type": "tool", "name": "get_weather"},
    }

    message = running.anthropic().messages.create(**ask)
    with running.anthropic().messages.stream(**ask) as stream:
        streamed = stream.get_final_message()

    assert ("tool_use", {"city": "the word"}) == (message.stop_reason, message.content[0].input)
    assert {"city": "the word"} == streamed.content[0].input
    assert message.usage.input_tokens > 346


def test_the_cache_writes_then_reads_then_forgets(sandbox: Start) -> None:
    running = sandbox()
    system = [{"type": "text", "text": "x" * 4 * 3000, "cache_control": {"type": "ephemeral"}}]
    client = running.anthropic()

    def ask() -> Any:
        return client.messages.create(
            model=MODEL, max_tokens=5, system=system,
            messages=[{"role": "user", "content": "Hello there"}],
        ).usage  # fmt: skip

    written = ask()
    running.clock = 290
    read = ask()
    running.clock = 580  # a read starts the five minutes anew
    again = ask()
    running.clock = 581 + 300
    forgotten = ask()

    assert (3003, 0, 6) == (written.cache_creation_input_tokens, written.cache_read_input_tokens, written.input_tokens)
    assert (0, 3003, 6) == (read.cache_creation_input_tokens, read.cache_read_input_tokens, read.input_tokens)
    assert 3003 == again.cache_read_input_tokens
    assert 3003 == forgotten.cache_creation_input_tokens
    assert {"cache_read_tokens": 3003, "input_tokens": 6, "output_tokens": 5} == running.lines()[1]["quantities"]


@pytest.mark.parametrize(("field", "value"), [("temperature", 1.0), ("top_k", 5)])
def test_the_new_version_refuses_sampling_and_the_old_one_takes_it(sandbox: Start, field: str, value: float) -> None:
    running = sandbox()
    old = running.anthropic(default_headers={"anthropic-version": "2023-06-01"})
    ask = {
        "model": MODEL,
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "x"}],
        "extra_body": {field: value},
    }

    with pytest.raises(anthropic.BadRequestError, match=f"{field}: Extra inputs are not permitted"):
        running.anthropic().messages.create(**ask)

    assert 5 == old.messages.create(**ask).usage.output_tokens
    assert 1 == len(running.lines())


def test_errors_are_the_clients_own(sandbox: Start) -> None:
    running = sandbox()
    ask = {"max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}

    with pytest.raises(anthropic.NotFoundError):
        running.anthropic().messages.create(model="claude-none", **ask)
    with pytest.raises(anthropic.AuthenticationError):
        running.anthropic(api_key="wrong").messages.create(model=MODEL, **ask)

    assert not running.meter.read_text()


def test_counting_tokens_costs_nothing(sandbox: Start) -> None:
    running = sandbox()

    counted = running.anthropic().messages.count_tokens(
        model=MODEL, messages=[{"role": "user", "content": "Hello there"}]
    )

    assert 9 == counted.input_tokens
    assert not running.meter.read_text()
