"""Odd requests get the vendor's own error, never a failure of the sandbox."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.sandbox.app import App, place_of
from offtake.sandbox.script import Script
from offtake.sandbox.work import Sandbox

FUNCTION = {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}}
MARKED = {"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
BODIES: dict[str, dict[str, Any]] = {
    "/openai/v1/chat/completions": {
        "model": "gpt-5.4",
        "messages": [
            {"role": "user", "content": [MARKED]},
            {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f"}}]},
        ],
        "tools": [{"type": "function", "function": FUNCTION}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "stop": ["x"],
        "stream": False,
        "stream_options": {"include_usage": True},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
        "prompt_cache_options": {"ttl": "30m", "mode": "explicit"},
        "max_completion_tokens": 9,
        "n": 1,
        "service_tier": "auto",
    },
    "/openai/v1/responses": {
        "model": "gpt-5.6",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "x"}]},
            {"type": "reasoning", "summary": []},
        ],
        "tools": [{"type": "function", **FUNCTION}, {"type": "web_search"}],
        "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}},
        "reasoning": {"effort": "low"},
        "previous_response_id": None,
    },
    "/openai/v1/embeddings": {
        "model": "text-embedding-3-small",
        "input": ["x"],
        "encoding_format": "base64",
        "dimensions": 8,
    },
    "/anthropic/v1/messages": {
        "model": "claude-opus-4-7",
        "max_tokens": 2000,
        "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image", "source": {"type": "url"}}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": [{"type": "text"}]}]},
        ],
        "tools": [{"name": "f", "input_schema": SCHEMA}, {"type": "web_search_20250305", "name": "web_search"}],
        "tool_choice": {"type": "tool", "name": "f"},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "stop_sequences": ["x"],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        "cache_control": {"type": "ephemeral"},
        "metadata": {"user_id": "u"},
        "inference_geo": "us",
    },
}  # fmt: skip
SANDBOX = App(Sandbox(None, Script(), time.time))
RUNNERS: list[asyncio.Runner] = []
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@pytest.fixture(scope="module", autouse=True)
def runner() -> Iterator[None]:
    with asyncio.Runner() as one:
        RUNNERS.append(one)
        yield
        RUNNERS.clear()


def ask(path: str, body: bytes, headers: dict[str, str] | None = None, method: str = "POST") -> tuple[int, bytes]:
    """The status and the body that the application gives, in this thread and without a socket."""
    sent: list[MutableMapping[str, Any]] = []
    given = {"authorization": "Bearer k", "anthropic-version": "2023-06-01"} if headers is None else headers
    if path.startswith("/openai"):
        given = {name: value for name, value in given.items() if name != "anthropic-version"}

    bodies = [body]

    async def receive() -> MutableMapping[str, Any]:
        if not bodies:
            await asyncio.Event().wait()  # the client stays
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": raw, "query_string": b""}
    RUNNERS[0].run(SANDBOX(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


@pytest.mark.parametrize("path", BODIES)
def test_the_whole_body_is_served(path: str) -> None:
    status, body = ask(path, json.dumps(BODIES[path]).encode())

    assert 200 == status, body


@pytest.mark.parametrize("path", BODIES)
@given(data=st.data())
def test_a_wrong_value_anywhere_is_served_or_refused(path: str, data: st.DataObject) -> None:
    body = json.loads(json.dumps(BODIES[path]))
    place = data.draw(st.sampled_from(places(body)[1:]))
    value = data.draw(JSON)
    inside = body
    for key in place[:-1]:
        inside = inside[key]
    inside[place[-1]] = value

    status, answered = ask(path, json.dumps(body).encode())

    assert status in (200, 400, 403, 404), answered


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/openai/v1/chat/completions", b"", 400),
        ("/openai/v1/chat/completions", b"{", 400),
        ("/openai/v1/chat/completions", b"[]", 400),
        ("/openai/v1/chat/completions", b"\xff\xfe", 400),
        ("/openai/v1/chat/completions", b'{"model": 5}', 400),
        (
            "/openai/v1/chat/completions",
            b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "\\ud800"}]}',
            400,
        ),
        ("/openai/v1/chat/completions", b'{"model": "\\ud800"}', 400),
        ("/openai/v1/chat/completions", b"[" * 100_000, 400),
        ("/openai/v1/nothing", b"{}", 404),
        ("/anthropic/v1/messages", b'{"model": "claude-opus-4-7"}', 400),
        ("/openai/v1/chat/completions", b" " * 64_000_001, 413),
        ("/openai/v1/files", b"x", 400),
        ("/openai/v1/batches", b"{}", 400),
    ],
)
def test_what_cannot_be_read_is_refused(path: str, body: bytes, status: int) -> None:
    given, said = ask(path, body)

    assert status == given
    assert "error" in json.loads(said)


def test_a_key_and_a_version_are_needed() -> None:
    body = json.dumps(BODIES["/anthropic/v1/messages"]).encode()

    assert 401 == ask("/anthropic/v1/messages", body, {"anthropic-version": "2023-06-01"})[0]
    assert 400 == ask("/anthropic/v1/messages", body, {"x-api-key": "k"})[0]
    assert 400 == ask("/anthropic/v1/messages", body, {"x-api-key": "k", "anthropic-version": "2030-01-01"})[0]
    assert 405 == ask("/openai/v1/chat/completions", b"", method="GET")[0]


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/v1/messages", {}, ("anthropic", "global", "messages")),
        ("/v1/models", {"anthropic-version": "x"}, ("anthropic", "global", "models")),
        ("/v1/models/gpt-5.4", {}, ("openai", "global", "models/gpt-5.4")),
        ("/openai/eu/v1/responses", {}, ("openai", "eu", "responses")),
        ("/chat/completions", {}, ("openai", "global", "chat/completions")),
        ("/google/v1beta/openai/chat/completions", {}, ("google", "global", "chat/completions")),
        ("/", {}, ("openai", "global", "")),
    ],
)
def test_a_path_tells_the_vendor(path: str, headers: dict[str, str], expected: tuple[str, str, str]) -> None:
    assert expected == place_of(path, headers)
