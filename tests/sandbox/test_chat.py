"""OpenAI's client against the sandbox: chat completions and embeddings."""

from __future__ import annotations

from collections.abc import Callable

import openai
import pytest
from openai.types import CompletionUsage

from tests.sandbox.conftest import Running

Start = Callable[..., Running]
USER = [{"role": "user", "content": "[[sandbox output=40 reasoning=10]]"}]


def test_a_completion_says_what_the_meter_says(sandbox: Start) -> None:
    running = sandbox()

    done = running.openai().chat.completions.create(model="gpt-5.4", messages=USER)

    assert (50, 10) == (done.usage.completion_tokens, done.usage.completion_tokens_details.reasoning_tokens)
    assert 4 * 40 == len(done.choices[0].message.content or "")
    assert ("stop", "default") == (done.choices[0].finish_reason, done.service_tier)
    line = running.line()
    expected = {"input_tokens": done.usage.prompt_tokens, "output_tokens": 50, "reasoning_tokens": 10}
    assert expected == line["quantities"]
    assert ("openai", "gpt-5.4", "realtime", "ok") == (line["vendor"], line["model"], line["channel"], line["outcome"])


def test_a_stream_says_its_usage_to_whoever_asks(sandbox: Start) -> None:
    running = sandbox()
    create = running.openai().chat.completions.create
    ask = {"model": "gpt-4o", "messages": USER, "stream": True}

    silent = list(create(**ask))
    telling = list(create(**ask, stream_options={"include_usage": True}))

    assert all(chunk.usage is None for chunk in silent)
    assert [] == telling[-1].choices
    assert 40 == telling[-1].usage.completion_tokens
    texts = [
        "".join(chunk.choices[0].delta.content or "" for chunk in each if chunk.choices) for each in (silent, telling)
    ]
    assert texts[0] == texts[1] and len(texts[0]) == 160
    assert "stop" == silent[-1].choices[0].finish_reason
    assert running.lines()[0]["quantities"] == running.lines()[1]["quantities"]


def test_a_limit_counts_reasoning_and_every_choice_has_its_own(sandbox: Start) -> None:
    running = sandbox()

    done = running.openai().chat.completions.create(
        model="gpt-5.4", n=2, max_completion_tokens=12, messages=USER,
    )  # fmt: skip

    assert ["length", "length"] == [choice.finish_reason for choice in done.choices]
    assert 24 == done.usage.completion_tokens == running.line()["quantities"]["output_tokens"]


def test_a_tool_is_called_and_its_result_answered(sandbox: Start) -> None:
    running = sandbox()
    schema = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Oslo"]}}}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": schema}}]
    create = running.openai().chat.completions.create

    called = create(model="gpt-5.4", messages=USER, tools=tools, tool_choice="required")
    call = called.choices[0].message.tool_calls[0]
    turn = [*USER, called.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "rain"}]
    answered = create(model="gpt-5.4", messages=turn, tools=tools)
    chunks = list(create(model="gpt-5.4", messages=USER, tools=tools, tool_choice="required", stream=True))

    assert ("tool_calls", '{"city":"Oslo"}') == (called.choices[0].finish_reason, call.function.arguments)
    assert ("stop", 160) == (answered.choices[0].finish_reason, len(answered.choices[0].message.content))
    pieces = [call.function.arguments for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert '{"city":"Oslo"}' == "".join(pieces)


def test_an_early_model_caches_by_itself_in_blocks(sandbox: Start) -> None:
    running = sandbox()
    messages = [{"role": "system", "content": "x" * 4 * 1500}, *USER]

    def ask(key: str) -> CompletionUsage:
        done = running.openai().chat.completions.create(
            model="gpt-4o", messages=messages, prompt_cache_key=key,
        )  # fmt: skip
        usage: CompletionUsage = done.usage
        return usage

    def cached(usage: CompletionUsage) -> int | None:
        assert usage.prompt_tokens_details is not None
        return usage.prompt_tokens_details.cached_tokens

    first, second, other = ask("a"), ask("a"), ask("b")
    running.clock = 301
    later = ask("a")

    assert [0, 1408, 0, 0] == [cached(each) for each in (first, second, other, later)]  # 11 blocks of 128
    quantities = running.lines()[1]["quantities"]
    assert second.prompt_tokens == quantities["input_tokens"] + quantities["cache_read_tokens"]


def test_a_late_model_charges_for_what_it_writes(sandbox: Start) -> None:
    running = sandbox()
    messages = [{"role": "user", "content": "x" * 4 * 1500}]
    create = running.openai().chat.completions.create

    first = create(model="gpt-5.6", messages=messages)
    more = [*messages, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "go on"}]
    second = create(model="gpt-5.6", messages=more)

    assert 1506 == first.usage.prompt_tokens_details.cache_write_tokens
    assert 1506 == second.usage.prompt_tokens_details.cached_tokens
    assert (3 + 1) + (3 + 2) == second.usage.prompt_tokens_details.cache_write_tokens
    assert {1506, 9} == {line["quantities"]["cache_write_5m_tokens"] for line in running.lines()}


@pytest.mark.parametrize(
    ("asked", "served", "channel"),
    [("flex", "flex", "flex"), ("fast", "priority", "priority"), ("auto", "default", "realtime")],
)
def test_the_tier_served_is_the_tier_billed(sandbox: Start, asked: str, served: str, channel: str) -> None:
    running = sandbox()

    done = running.openai().chat.completions.create(model="gpt-5.4", messages=USER, service_tier=asked)

    line = running.line()
    assert served == done.service_tier
    assert (asked, served, channel) == (line["tier_requested"], line["tier_served"], line["channel"])


def test_embeddings_in_both_encodings_are_the_same(sandbox: Start) -> None:
    running = sandbox()
    create = running.openai().embeddings.create

    packed = create(model="text-embedding-3-small", input=["one", "two"])
    plain = create(model="text-embedding-3-small", input=["one", "two"], encoding_format="float")

    assert [each.embedding for each in packed.data] == [each.embedding for each in plain.data]
    assert (2, 1536) == (packed.usage.prompt_tokens, len(packed.data[0].embedding))
    assert {"input_tokens": 2} == running.line()["quantities"]


def test_errors_are_the_clients_own(sandbox: Start) -> None:
    running = sandbox()

    with pytest.raises(openai.NotFoundError) as missing:
        running.openai().chat.completions.create(model="gpt-none", messages=USER)
    with pytest.raises(openai.AuthenticationError):
        running.openai(api_key="wrong").chat.completions.create(model="gpt-4o", messages=USER)
    with pytest.raises(openai.BadRequestError) as long:
        running.openai().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x" * 600_000}])
    with pytest.raises(openai.BadRequestError):
        running.openai().chat.completions.create(model="gpt-4o", messages=[])

    assert ("model_not_found", "context_length_exceeded") == (missing.value.code, long.value.code)
    assert not running.meter.read_text()
