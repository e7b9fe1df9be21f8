"""What is read of a request: the fields that decide, the session, the edits; oddities are a 400 in the dialect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.ask import BadAsk, Edits
from offtake.gateway.dialects import BY_NAME, Dialect, of_path

PATHS = {
    "openai_chat": "/v1/chat/completions",
    "openai_responses": "/v1/responses",
    "openai_embeddings": "/v1/embeddings",
    "anthropic_messages": "/v1/messages",
    "anthropic_count_tokens": "/v1/messages/count_tokens",
}
MESSAGES = [{"role": "user", "content": "hi"}]
LEAST: dict[str, dict[str, Any]] = {
    "openai_chat": {"model": "m", "messages": MESSAGES},
    "openai_responses": {"model": "m", "input": "hi"},
    "openai_embeddings": {"model": "m", "input": "hi"},
    "anthropic_messages": {"model": "m", "max_tokens": 100, "messages": MESSAGES},
    "anthropic_count_tokens": {"model": "m", "messages": MESSAGES},
}
NAMES = st.sampled_from(sorted(PATHS))
every_dialect = pytest.mark.parametrize("name", PATHS)


def body_of(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def spoken(name: str, more: Mapping[str, Any] | None = None) -> bytes:
    return body_of({**LEAST[name], **(more or {})})


def refused(dialect: Dialect, body: bytes) -> tuple[int, Any]:
    """What a client gets for a body that cannot be read."""
    with pytest.raises(BadAsk) as bad:
        dialect.read("", {}, body)
    status, headers, answer = dialect.refuse(bad.value.refusal, "req_1")
    assert (b"content-type", b"application/json") in headers
    return status, json.loads(answer)["error"]


@every_dialect
def test_a_path_speaks_its_dialect_with_and_without_v1(name: str) -> None:
    assert BY_NAME[name] is of_path(PATHS[name])
    assert BY_NAME[name] is of_path(PATHS[name].removeprefix("/v1"))
    assert None is of_path(PATHS[name] + "/x")


@every_dialect
def test_the_least_request_is_read(name: str) -> None:
    body = spoken(name)
    ask = BY_NAME[name].read(PATHS[name], {}, body)

    assert (name, "m", False, True) == (ask.dialect, ask.model, ask.stream, ask.wants_usage)
    assert body is ask.body
    assert "hi" not in repr(ask)


@every_dialect
@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b"{", b"\xef\xbb\xbf{}", b"nul", b'{"model":1}', b'{"model":""}', b'{"model":null}', b"{}{}",
     b'{"model":"\\ud800"}', b'{"model":"m","model":"n"}', b'{"model":"m"}', b'{"model":["m"]}',
     b'{"model":' + b"[" * 9_999 + b"]" * 9_999 + b"}"],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_an_odd_body_is_a_400_in_the_dialect(name: str, body: bytes) -> None:
    if name == "openai_responses" and body == b'{"model":"m"}':
        return  # every other field is optional there
    status, error = refused(BY_NAME[name], body)

    assert (400, "invalid_request_error") == (status, error["type"])
    assert "[G10" in error["message"]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("openai_chat", {"stream": "yes"}),
        ("openai_chat", {"n": 0}),
        ("openai_chat", {"n": 1.5}),
        ("openai_chat", {"max_tokens": -1}),
        ("openai_chat", {"max_tokens": "100"}),
        ("openai_chat", {"max_tokens": 10**400}),
        ("openai_chat", {"messages": {}}),
        ("openai_chat", {"messages": [1]}),
        ("openai_chat", {"tools": {}}),
        ("openai_chat", {"stream": True, "stream_options": [1]}),
        ("anthropic_messages", {"tools": [{"type": "web_search_20250305", "max_uses": -9}]}),
        ("openai_responses", {"max_tool_calls": -3, "tools": [{"type": "web_search"}]}),
        ("openai_embeddings", {"stream": True}),
        ("anthropic_messages", {"max_tokens": None}),
        ("anthropic_messages", {"max_tokens": True}),
        ("anthropic_messages", {"tools": [{"type": "web_search_20250305", "max_uses": "many"}]}),
        ("anthropic_messages", {"cache_control": "yes"}),
        ("anthropic_messages", {"thread": "continue"}),
        ("anthropic_messages", {"system": [1]}),
    ],
)
def test_a_field_that_decides_must_be_of_its_type(name: str, more: dict[str, Any]) -> None:
    status, error = refused(BY_NAME[name], spoken(name, more))

    assert 400 == status
    assert any(field in error["message"] for field in [*more, "content"])


def test_a_number_beyond_all_numbers_is_refused() -> None:
    for number in (b"1e999", b"-1e999", b"9" * 5_000):
        body = b'{"model":"m","messages":[],"max_tokens":' + number + b"}"
        assert 400 == refused(BY_NAME["openai_chat"], body)[0]


def test_two_wishes_for_usage_are_refused() -> None:
    options = b'{"include_usage":false,"include_usage":true}'
    body = spoken("openai_chat", {"stream": True})[:-1] + b',"stream_options":' + options + b"}"

    assert "G105" in refused(BY_NAME["openai_chat"], body)[1]["message"]


@given(
    name=NAMES, body=st.binary() | st.text().map(body_of) | st.lists(st.none() | st.integers(), max_size=3).map(body_of)
)
def test_no_bytes_are_a_traceback(name: str, body: bytes) -> None:
    try:
        BY_NAME[name].read(PATHS[name], {}, body)
    except BadAsk as bad:
        assert 400 == BY_NAME[name].refuse(bad.refusal)[0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["text", "image", "1h", "document"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(
        st.sampled_from(["type", "content", "source", "image_url", "url", "ttl", "max_uses"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
FIELDS = st.sampled_from([
    "messages", "input", "tools", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens", "metadata",
    "system", "cache_control", "service_tier", "prompt_cache_key", "prompt_cache_options", "fallbacks", "thread",
    "context_management", "mcp_servers", "prediction", "max_tool_calls", "speed",
])  # fmt: skip


@given(name=NAMES, more=st.dictionaries(FIELDS, JSON, max_size=4))
def test_no_value_of_a_field_is_a_traceback(name: str, more: dict[str, Any]) -> None:
    dialect = BY_NAME[name]
    edits = Edits(
        "n", 7, include_usage=True, vendor="deepseek", cache=("tools", "system", "last"), cache_ttl="1h", cache_key="k"
    )
    try:
        ask = dialect.read(PATHS[name], {}, spoken(name, more))
    except BadAsk:
        return
    edited, names = dialect.edited(ask, edits)
    before, after = json.loads(ask.body), json.loads(edited)

    assert "n" == after["model"]
    assert {name.split(".")[0] for name in names} >= {name for name in after if after[name] != before.get(name)}


def test_numbers_may_be_spelled_as_json_lets_them() -> None:
    body = b'{"model":"m","messages":[],"max_tokens":1e3,"n":2.0}'

    assert 2_000 == BY_NAME["openai_chat"].read("", {}, body).output_tokens_max


@pytest.mark.parametrize(
    ("name", "headers", "more", "session"),
    [
        ("openai_chat", {}, {}, ""),
        ("openai_chat", {}, {"prompt_cache_key": "k"}, "k"),
        ("openai_chat", {b"session-id": b"s"}, {"prompt_cache_key": None}, "s"),
        ("openai_responses", {b"session_id": b"s"}, {}, "s"),
        ("openai_responses", {b"session_id": b"s"}, {"prompt_cache_key": "k"}, "k"),
        ("anthropic_messages", {b"x-claude-code-session-id": b"c"}, {"metadata": {"user_id": "u"}}, "c"),
        ("anthropic_messages", {}, {"metadata": {"user_id": "u"}}, "u"),
        ("anthropic_messages", {}, {"metadata": None}, ""),
        ("anthropic_count_tokens", {}, {"metadata": {"user_id": None}}, ""),
    ],
)
def test_the_session_is_what_the_client_already_says(
    name: str, headers: dict[bytes, bytes], more: dict[str, Any], session: str
) -> None:
    assert session == BY_NAME[name].read("", headers, spoken(name, more)).session


def test_tier_and_region_are_read() -> None:
    chat = BY_NAME["openai_chat"].read("", {}, spoken("openai_chat", {"service_tier": "flex"}))
    claude = BY_NAME["anthropic_messages"]
    fast = claude.read("", {}, spoken("anthropic_messages", {"speed": "fast", "inference_geo": "us"}))

    assert ("flex", "") == (chat.tier, chat.region)
    assert ("fast_mode", "us") == (fast.tier, fast.region)


def test_a_count_of_tokens_writes_calls_and_makes_nothing() -> None:
    more = {"cache_control": {"type": "ephemeral"}, "tools": [{"type": "web_search_20250305"}]}
    ask = BY_NAME["anthropic_count_tokens"].read("", {}, spoken("anthropic_count_tokens", more))

    assert (0, 0, ()) == (ask.output_tokens_max, ask.server_tools, ask.cache_writes)
