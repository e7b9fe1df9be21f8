"""Whole answers: usage by meter, four outcomes kept apart, and nothing that a vendor may send is a traceback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.ask import Served
from offtake.gateway.dialects import BY_NAME
from offtake.usage.record import OUTCOMES
from tests.gateway.dialects.test_read import NAMES, every_dialect, spoken

CHAT = {
    "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-5.6-2026-05-01", "service_tier": "priority",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30},
        "completion_tokens_details": {"reasoning_tokens": 8},
    },
}  # fmt: skip
RESPONSE = {
    "id": "resp_1", "object": "response", "model": "gpt-5.6", "status": "completed", "service_tier": "default",
    "error": None, "incomplete_details": None,
    "output": [
        {"type": "web_search_call", "action": {"type": "search", "query": "q"}},
        {"type": "web_search_call", "action": {"type": "open_page", "url": "u"}},
        {"type": "file_search_call", "queries": ["q"]},
        {"type": "message", "content": [{"type": "output_text", "text": "hi"}]},
    ],
    "usage": {
        "input_tokens": 50, "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 10,
            "cache_write_tokens_details": {"ttl_30m_tokens": 4, "ttl_12h_tokens": 6}},
        "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 55,
    },
}  # fmt: skip
MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-5-5", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "hi"}],
    "usage": {
        "input_tokens": 10, "output_tokens": 7, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 40,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "server_tool_use": {"web_search_requests": 2}, "service_tier": "standard", "inference_geo": "us",
    },
}  # fmt: skip
EMBEDDING = {"object": "list", "data": [], "model": "e", "usage": {"prompt_tokens": 8, "total_tokens": 8}}


def answer(name: str, value: Any, status: int = 200) -> Served:
    headers = {b"x-request-id": b"req_o", b"request-id": b"req_a"}
    return BY_NAME[name].served(status, headers, value if isinstance(value, bytes) else json.dumps(value).encode())


def test_a_chat_completion() -> None:
    quantities = {
        "input_tokens": 10, "cache_read_tokens": 60, "cache_write_5m_tokens": 30, "output_tokens": 20,
        "reasoning_tokens": 8,
    }  # fmt: skip
    expected = Served(quantities, "ok", "priority", "", "gpt-5.6-2026-05-01", "req_o", "stop")

    assert expected == answer("openai_chat", CHAT)


@pytest.mark.parametrize(
    ("usage", "output", "reasoning"),
    [
        # xAI, Grok 4.20: 10,120 + 1,499 + 2,809 = 14,428.
        ({"prompt_tokens": 10_120, "completion_tokens": 1_499, "total_tokens": 14_428,
          "completion_tokens_details": {"reasoning_tokens": 2_809}}, 4_308, 2_809),
        # Google's OpenAI dialect does not always say what it thought.
        ({"prompt_tokens": 20, "completion_tokens": 424, "total_tokens": 1_016}, 996, 0),
        # OpenAI's reasoning lies inside.
        ({"prompt_tokens": 20, "completion_tokens": 424, "total_tokens": 444,
          "completion_tokens_details": {"reasoning_tokens": 400}}, 424, 400),
    ],
)  # fmt: skip
def test_reasoning_beside_the_answer_is_output_too(usage: dict[str, Any], output: int, reasoning: int) -> None:
    quantities = answer("openai_chat", {**CHAT, "usage": usage}).quantities or {}

    assert (output, reasoning) == (quantities["output_tokens"], quantities.get("reasoning_tokens", 0))


def test_a_response() -> None:
    quantities = {
        "input_tokens": 20, "cache_read_tokens": 20, "cache_write_5m_tokens": 4, "cache_write_1h_tokens": 6,
        "output_tokens": 5, "reasoning_tokens": 2, "web_searches": 1, "storage_searches": 1,
    }  # fmt: skip
    expected = Served(quantities, "ok", "default", "", "gpt-5.6", "req_o", "completed")

    assert expected == answer("openai_responses", RESPONSE)


def test_a_message() -> None:
    quantities = {
        "input_tokens": 10, "cache_read_tokens": 40, "cache_write_5m_tokens": 10, "cache_write_1h_tokens": 20,
        "output_tokens": 7, "web_searches": 2,
    }  # fmt: skip
    expected = Served(quantities, "ok", "standard", "us", "claude-opus-5-5", "req_a", "end_turn")

    assert expected == answer("anthropic_messages", MESSAGE)


def test_an_embedding_and_a_count() -> None:
    embedding = Served({"input_tokens": 8}, "ok", model="e", vendor_request_id="req_o")

    assert embedding == answer("openai_embeddings", EMBEDDING)
    assert Served({}, "ok", vendor_request_id="req_a") == answer("anthropic_count_tokens", {"input_tokens": 14})


def test_a_write_without_its_retention_takes_the_dearest_that_was_asked_for() -> None:
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 9}
    body = json.dumps({**MESSAGE, "usage": usage}).encode()
    dialect = BY_NAME["anthropic_messages"]
    hour = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    ask = dialect.read("", {}, spoken("anthropic_messages", hour))

    assert 9 == (dialect.served(200, {}, body, ask).quantities or {})["cache_write_1h_tokens"]
    assert 9 == (dialect.served(200, {}, body).quantities or {})["cache_write_5m_tokens"]


def test_tokens_that_the_totals_leave_out_are_added_or_kept_apart() -> None:
    beside = {"input_tokens": 100, "output_tokens": 50, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
    iterations = [
        {"type": "message", **beside},
        {"type": "compaction", **beside},
        {"type": "advisor_message", "model": "claude-b", **beside},
    ]
    served = answer("anthropic_messages", {**MESSAGE, "usage": {**MESSAGE["usage"], "iterations": iterations}})  # type: ignore[dict-item]

    assert (110, 57) == ((served.quantities or {})["input_tokens"], (served.quantities or {})["output_tokens"])
    assert (("claude-b", {"input_tokens": 100, "output_tokens": 50}),) == served.others


@pytest.mark.parametrize(
    ("name", "value", "quantities"),
    [
        # A vendor's zero stays a zero, and what it does not say stays unknown.
        ("openai_chat", {**CHAT, "usage": {"prompt_tokens": 0, "completion_tokens": 0}}, {}),
        ("openai_chat", {**CHAT, "usage": None}, None),
        ("openai_chat", {key: value for key, value in CHAT.items() if key != "usage"}, None),
        ("openai_chat", {**CHAT, "usage": {}}, None),
        ("openai_chat", {**CHAT, "usage": {"prompt_tokens": 5}}, None),
        ("openai_chat", {**CHAT, "usage": {"prompt_tokens": -1}}, None),
        ("openai_chat", {**CHAT, "usage": {"prompt_tokens": "many"}}, None),
        ("openai_chat", {**CHAT, "usage": [1]}, None),
        (
            "openai_chat",
            {**CHAT, "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 5}}},
            None,
        ),
        ("openai_responses", {**RESPONSE, "usage": None, "status": "queued"}, None),
        ("openai_responses", {**RESPONSE, "output": None, "usage": {"input_tokens": 0, "output_tokens": 0}}, {}),
        ("openai_embeddings", {**EMBEDDING, "usage": None}, None),
        ("anthropic_messages", {**MESSAGE, "usage": {"input_tokens": 0, "output_tokens": 0}}, {}),
        ("anthropic_messages", {**MESSAGE, "usage": {"input_tokens": 3}}, None),
        ("anthropic_messages", {**MESSAGE, "usage": None}, None),
    ],
)
def test_known_unknown_and_zero_are_kept_apart(name: str, value: Any, quantities: Any) -> None:
    assert quantities == answer(name, value).quantities


@pytest.mark.parametrize(
    ("name", "value", "outcome", "finish"),
    [
        ("openai_chat", {**CHAT, "choices": [{"finish_reason": "length"}]}, "ok", "length"),
        ("openai_chat", {**CHAT, "choices": [{"finish_reason": "content_filter"}]}, "refusal", "content_filter"),
        (
            "openai_chat",
            {**CHAT, "choices": [{"finish_reason": "stop"}, {"finish_reason": "content_filter"}]},
            "refusal",
            "content_filter",
        ),
        ("openai_chat", {**CHAT, "choices": [{"finish_reason": None}]}, "vendor_truncation", ""),
        ("openai_chat", {**CHAT, "choices": [{"finish_reason": "a_new_word"}]}, "ok", "a_new_word"),
        ("openai_chat", {"error": {"type": "overloaded_error"}}, "http_5xx", "overloaded_error"),
        ("openai_chat", {"error": {"message": "m", "code": 429}}, "client_error", "error"),
        ("openai_responses", {**RESPONSE, "status": "incomplete", "incomplete_details":
            {"reason": "max_output_tokens"}}, "ok", "max_output_tokens"),
        ("openai_responses", {**RESPONSE, "status": "failed", "error": {"code": "server_error"}},
            "http_5xx", "server_error"),
        ("openai_responses", {**RESPONSE, "status": "failed", "error": {"code": "rate_limit_exceeded"}},
            "client_error", "rate_limit_exceeded"),
        ("openai_responses", {**RESPONSE, "status": "cancelled"}, "client_cancel", "cancelled"),
        ("openai_responses", {**RESPONSE, "status": "in_progress"}, "ok", "in_progress"),
        ("anthropic_messages", {**MESSAGE, "stop_reason": "refusal"}, "refusal", "refusal"),
        ("anthropic_messages", {**MESSAGE, "stop_reason": "max_tokens"}, "ok", "max_tokens"),
        ("anthropic_messages", {**MESSAGE, "stop_reason": None}, "vendor_truncation", ""),
        ("anthropic_messages", {"type": "error", "error": {"type": "api_error"}}, "http_5xx", "api_error"),
        ("openai_chat", b'{"id":"chatcmpl-1","choices":[{"mess', "vendor_truncation", ""),
        ("anthropic_messages", b"", "vendor_truncation", ""),
        ("openai_responses", b"<html>", "vendor_truncation", ""),
    ],
)  # fmt: skip
def test_why_an_answer_ended_is_its_outcome(name: str, value: Any, outcome: str, finish: str) -> None:
    served = answer(name, value)

    assert (outcome, finish) == (served.outcome, served.finish)


@every_dialect
@pytest.mark.parametrize(
    ("status", "outcome", "ran"),
    [
        (400, "client_error", False),
        (401, "client_error", False),
        (429, "client_error", False),
        (503, "http_5xx", False),
        (529, "http_5xx", False),
        (302, "http_5xx", True),
        (408, "timeout", True),
        (499, "client_cancel", True),
        (500, "http_5xx", True),
        (502, "http_5xx", True),
        (504, "timeout", True),
        (99, "http_5xx", True),
    ],
)
def test_a_failure_that_may_have_run_leaves_its_usage_unknown(name: str, status: int, outcome: str, ran: bool) -> None:
    served = answer(name, b'{"error":{}}', status)

    assert outcome == served.outcome
    assert (None if ran and name != "anthropic_count_tokens" else {}) == served.quantities


def test_a_compressed_answer_is_unknown_and_no_claim() -> None:
    for name in ("openai_chat", "openai_responses", "openai_embeddings", "anthropic_messages"):
        served = BY_NAME[name].served(200, {b"content-encoding": b"br"}, b"\x1b\x00")

        assert (None, "ok") == (served.quantities, served.outcome)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "usage", "input_tokens", "output_tokens", "cached_tokens"]), inner)
    ),
    max_leaves=3,
)
FIELDS = st.sampled_from(["usage", "choices", "error", "status", "output", "stop_reason", "model", "service_tier",
    "incomplete_details", "type"])  # fmt: skip


@given(name=NAMES, more=st.dictionaries(FIELDS, VALUES, max_size=3), usage=st.dictionaries(st.sampled_from([
    "prompt_tokens", "completion_tokens", "prompt_tokens_details", "input_tokens", "output_tokens", "cache_creation",
    "input_tokens_details", "cache_creation_input_tokens", "iterations", "speed", "service_tier", "inference_geo",
]), VALUES))  # fmt: skip
def test_whatever_a_vendor_answers_has_an_outcome(name: str, more: dict[str, Any], usage: dict[str, Any]) -> None:
    for value in ({**MESSAGE, **more}, {**CHAT, **RESPONSE, "usage": usage, **more}, {"usage": usage}, more):
        assert answer(name, value).outcome in OUTCOMES


@given(name=NAMES, body=st.binary(), status=st.integers(0, 999))
def test_no_bytes_of_a_vendor_are_a_traceback(name: str, body: bytes, status: int) -> None:
    assert answer(name, body, status).outcome in OUTCOMES
