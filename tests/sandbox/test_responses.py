"""OpenAI's client against the sandbox's responses."""

from __future__ import annotations

from collections.abc import Callable

import openai
import pytest

from tests.sandbox.conftest import Running

Start = Callable[..., Running]
ASK = {"model": "gpt-5.4", "input": "[[sandbox output=40 reasoning=10]]"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [{"type": "function", "name": "weather", "parameters": SCHEMA}]


def test_a_response_says_what_the_meter_says(sandbox: Start) -> None:
    running = sandbox()

    done = running.openai().responses.create(**ASK)

    assert (50, 10) == (done.usage.output_tokens, done.usage.output_tokens_details.reasoning_tokens)
    assert (160, "completed") == (len(done.output_text), done.status)
    expected = {"input_tokens": done.usage.input_tokens, "output_tokens": 50, "reasoning_tokens": 10}
    assert expected == running.line()["quantities"]


def test_a_stream_builds_the_same_response(sandbox: Start) -> None:
    running = sandbox()
    client = running.openai()

    whole = client.responses.create(**ASK)
    events = list(client.responses.create(**ASK, stream=True))
    with client.responses.stream(**ASK) as stream:
        built = stream.get_final_response()

    assert "response.completed" == events[-1].type
    assert whole.output_text == events[-1].response.output_text == built.output_text
    assert whole.output_text == "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert list(range(len(events))) == [event.sequence_number for event in events]
    assert 1 == len({str(line["quantities"]) for line in running.lines()})


def test_a_tool_is_called_streamed_and_answered(sandbox: Start) -> None:
    running = sandbox()
    create = running.openai().responses.create
    ask = {**ASK, "tools": TOOLS, "tool_choice": "required"}

    called = create(**ask)
    events = list(create(**ask, stream=True))
    call = called.output[-1]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    answered = create(model="gpt-5.4", input=[result], previous_response_id=called.id, tools=TOOLS)

    assert ("function_call", '{"city":"the word"}') == (call.type, call.arguments)
    assert call.arguments == events[-1].response.output[-1].arguments
    assert "message" == answered.output[-1].type
    assert answered.usage.input_tokens > called.usage.input_tokens + 3


def test_a_limit_leaves_a_response_incomplete(sandbox: Start) -> None:
    running = sandbox()

    done = running.openai().responses.create(**ASK, max_output_tokens=12)

    assert ("incomplete", "max_output_tokens", 12) == (
        done.status,
        done.incomplete_details.reason,
        done.usage.output_tokens,
    )
    assert "length" == running.line()["finish"]


def test_what_is_kept_can_be_read_and_what_is_not_cannot_be_followed(sandbox: Start) -> None:
    running = sandbox()
    client = running.openai()

    kept = client.responses.create(**ASK)
    forgotten = client.responses.create(**ASK, store=False)

    assert kept.output_text == client.responses.retrieve(kept.id).output_text
    assert 3 == len(client.responses.input_items.list(kept.id).data)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(forgotten.id)
    with pytest.raises(openai.BadRequestError, match="not found"):
        client.responses.create(**ASK, previous_response_id=forgotten.id)
    client.responses.delete(kept.id)
    counted = client.responses.input_tokens.count(**ASK)
    assert counted.input_tokens == kept.usage.input_tokens
