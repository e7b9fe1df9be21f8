"""The vendors' own SDKs, unchanged, over a socket to a vendor who speaks another dialect: a whole loop with tools."""

from __future__ import annotations

import json
from typing import Any, get_args

import anthropic
import openai
import pytest

from offtake.gateway.translate import Dialect, Wire
from tests.gateway.translate.translating_server import Server, translating
from tests.gateway.translate.vendors import ANSWER, CALLS, THOUGHT, WORD

DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
GIVEN = [json.loads(given) for _, given in CALLS]
QUESTION = "What is the weather?"
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

vendors_but = {client: [vendor for vendor in DIALECTS if vendor != client] for client in DIALECTS}
streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@streamed
@pytest.mark.parametrize("vendor", vendors_but["openai_chat"])
def test_openai_chat(vendor: Dialect, stream: bool) -> None:
    tools: Any = [{"type": "function", "function": {"name": "weather", "description": "Look.", "parameters": SCHEMA}}]
    messages: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]

    def ask(client: openai.OpenAI) -> Any:
        if not stream:
            return client.chat.completions.create(model="m", messages=messages, tools=tools, max_completion_tokens=900)
        with client.chat.completions.stream(
            model="m", messages=messages, tools=tools, max_completion_tokens=900, stream_options={"include_usage": True}
        ) as events:
            return events.until_done().get_final_completion()

    with translating(vendor) as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
        first = ask(client)
        said = first.choices[0].message
        messages.append({"role": "assistant", "content": said.content, "tool_calls": calls_of(said)})
        messages += [{"role": "tool", "tool_call_id": id_, "content": "fine"} for id_, _ in CALLS]
        second = ask(client)

    assert (WORD, THOUGHT, "tool_calls") == (said.content, said.reasoning_content, first.choices[0].finish_reason)
    assert [id_ for id_, _ in CALLS] == [call.id for call in said.tool_calls]
    assert GIVEN == [json.loads(call.function.arguments) for call in said.tool_calls]
    assert (ANSWER, "stop") == (second.choices[0].message.content, second.choices[0].finish_reason)
    usage = second.usage
    assert (190, 55, 245) == (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    assert (20, 70) == (usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens_details.cache_write_tokens)
    # The SDK keeps the first chunk's tier, and a response's first event does not know it yet.
    tier = None if (stream, vendor) == (True, "openai_responses") else "priority"
    assert (13, tier) == (usage.completion_tokens_details.reasoning_tokens, second.service_tier)
    assert_second_request(server)


def calls_of(said: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }
        for call in said.tool_calls
    ]


@streamed
@pytest.mark.parametrize("vendor", vendors_but["openai_responses"])
def test_openai_responses(vendor: Dialect, stream: bool) -> None:
    tools: Any = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}]
    items: list[Any] = [{"role": "user", "content": QUESTION}]

    def ask(client: openai.OpenAI) -> Any:
        asked: Any = {"model": "m", "instructions": "Be brief.", "input": items, "tools": tools, "store": False}
        if not stream:
            return client.responses.create(**asked)
        with client.responses.stream(**asked) as events:
            return events.get_final_response()

    with translating(vendor) as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
        first = ask(client)
        items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in first.output]
        for item in items:
            for content in item["content"] if item.get("type") == "message" else ():
                content.pop("parsed", None)
        items += [{"type": "function_call_output", "call_id": id_, "output": "fine"} for id_, _ in CALLS]
        second = ask(client)

    assert (WORD, "completed") == (first.output_text, first.status)
    calls = [item for item in first.output if item.type == "function_call"]
    assert [id_ for id_, _ in CALLS] == [call.call_id for call in calls]
    assert GIVEN == [json.loads(call.arguments) for call in calls]
    thoughts = [item for item in first.output if item.type == "reasoning"]
    assert [THOUGHT] == [thought.summary[0].text for thought in thoughts]
    assert ANSWER == second.output_text
    usage = second.usage
    assert (190, 55, 245) == (usage.input_tokens, usage.output_tokens, usage.total_tokens)
    assert (20, 70) == (usage.input_tokens_details.cached_tokens, usage.input_tokens_details.cache_write_tokens)
    assert (13, "priority") == (usage.output_tokens_details.reasoning_tokens, second.service_tier)
    assert_second_request(server)
    if vendor == "anthropic_messages":
        block = server.sent[1]["messages"][1]["content"][0]
        assert {"type": "thinking", "thinking": THOUGHT, "signature": "c2lnbmVk"} == block


@streamed
@pytest.mark.parametrize("vendor", vendors_but["anthropic_messages"])
def test_anthropic(vendor: Dialect, stream: bool) -> None:
    tools: Any = [{"name": "weather", "description": "Look.", "input_schema": SCHEMA}]
    messages: list[Any] = [{"role": "user", "content": QUESTION}]

    def ask(client: anthropic.Anthropic) -> Any:
        asked: Any = {"model": "m", "max_tokens": 900, "system": "Be brief.", "messages": messages, "tools": tools}
        if not stream:
            return client.messages.create(**asked)
        with client.messages.stream(**asked) as events:
            return events.get_final_message()

    with translating(vendor) as server, anthropic.Anthropic(base_url=server.url, api_key="k") as client:
        first = ask(client)
        messages.append({"role": "assistant", "content": first.content})
        results = [{"type": "tool_result", "tool_use_id": id_, "content": "fine"} for id_, _ in CALLS]
        messages.append({"role": "user", "content": results})
        second = ask(client)

    assert ["thinking", "text", "tool_use", "tool_use"] == [block.type for block in first.content]
    assert (THOUGHT, WORD) == (first.content[0].thinking, first.content[1].text)
    assert GIVEN == [block.input for block in first.content[2:]]
    assert ("tool_use", "end_turn") == (first.stop_reason, second.stop_reason)
    assert ANSWER == second.content[0].text
    usage = second.usage
    assert (100, 20, 70, 55) == (
        usage.input_tokens,
        usage.cache_read_input_tokens,
        usage.cache_creation_input_tokens,
        usage.output_tokens,
    )
    assert 13 == usage.output_tokens_details.thinking_tokens
    assert_second_request(server)
    if vendor == "openai_responses":
        reasoning = server.sent[1]["input"][2]
        assert ("rs_1", "Z0FBQUFB") == (reasoning["id"], reasoning["encrypted_content"])


def assert_second_request(server: Server) -> None:
    """The vendor was asked twice, and the second time saw both calls, whole, and both results."""
    first, second = (json.dumps(request, ensure_ascii=False) for request in server.sent)

    assert QUESTION in first
    assert "Be brief." in first
    assert 2 == second.count('"fine"')
    assert second.count("Köln") == 1


ERRORS = [
    (400, "invalid_request_error", anthropic.BadRequestError, openai.BadRequestError),
    (401, "authentication_error", anthropic.AuthenticationError, openai.AuthenticationError),
    (402, "billing_error", anthropic.APIStatusError, openai.RateLimitError),
    (403, "permission_error", anthropic.PermissionDeniedError, openai.PermissionDeniedError),
    (404, "not_found_error", anthropic.NotFoundError, openai.NotFoundError),
    (413, "request_too_large", anthropic.RequestTooLargeError, openai.APIStatusError),
    (429, "rate_limit_error", anthropic.RateLimitError, openai.RateLimitError),
    (500, "api_error", anthropic.InternalServerError, openai.InternalServerError),
    (529, "overloaded_error", anthropic.OverloadedError, openai.InternalServerError),
]


@pytest.mark.parametrize(("status", "kind", "theirs", "ours"), ERRORS, ids=[kind for _, kind, *_ in ERRORS])
def test_an_error_of_anthropics_is_openais_own(status: int, kind: str, theirs: Any, ours: type[Exception]) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "No."}, "request_id": "req_1"}
    with translating("anthropic_messages") as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
        server.failure = (status, json.dumps(body).encode())
        with pytest.raises(ours) as raised:
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])

    assert "No." in str(raised.value)


@pytest.mark.parametrize(("status", "kind", "theirs", "ours"), ERRORS, ids=[kind for _, kind, *_ in ERRORS])
def test_an_error_of_openais_is_anthropics_own(status: int, kind: str, theirs: type[Exception], ours: Any) -> None:
    sent = {402: 429, 529: 503}.get(status, status)
    code = {402: "insufficient_quota"}.get(status)
    body = {"error": {"type": "x", "message": "No.", "param": None, "code": code}}
    with translating("openai_chat") as server, anthropic.Anthropic(base_url=server.url, api_key="k") as client:
        server.failure = (sent, json.dumps(body).encode())
        with pytest.raises(theirs) as raised:
            client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}])

    assert isinstance(raised.value, anthropic.APIStatusError)
    assert status == raised.value.status_code
    assert isinstance(raised.value.body, dict)
    assert (kind, "No.") == (raised.value.body["error"]["type"], raised.value.body["error"]["message"])


def test_a_cut_stream_is_an_error_and_no_short_answer() -> None:
    with translating("anthropic_messages") as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
        server.cut_at = 900
        with pytest.raises(openai.APIError, match="broke off"):
            list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True))
    with translating("openai_chat") as server, anthropic.Anthropic(base_url=server.url, api_key="k") as other:
        server.cut_at = 900
        messages: Any = [{"role": "user", "content": "x"}]
        with (
            pytest.raises(anthropic.APIStatusError, match="broke off"),
            other.messages.stream(model="m", max_tokens=9, messages=messages) as events,
        ):
            events.until_done()


def test_what_is_dropped_is_named_and_what_changes_meaning_refused() -> None:
    messages: Any = [{"role": "user", "content": "x", "name": "Ann"}]
    with translating("anthropic_messages") as server, openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client:
        raw = client.chat.completions.with_raw_response.create(model="m", messages=messages, temperature=0.5, seed=1)
        with pytest.raises(openai.BadRequestError) as raised:
            client.chat.completions.create(model="m", messages=messages, n=2)

    assert "messages[].name, seed, temperature" == raw.headers["x-dropped"]
    assert "n" == raised.value.param
    assert 1 == len(server.sent)


def test_the_older_api_version_takes_a_temperature() -> None:
    messages: Any = [{"role": "user", "content": "x"}]
    wire = Wire(anthropic_version="2023-06-01")
    with (
        translating("anthropic_messages", wire) as server,
        openai.OpenAI(base_url=f"{server.url}/v1", api_key="k") as client,
    ):
        raw = client.chat.completions.with_raw_response.create(model="m", messages=messages, temperature=1.5)

    assert (1, "temperature") == (server.sent[0]["temperature"], raw.headers["x-dropped"])
