"""Input is never more than its bound: independent tokenizers, pixels, references, tools and marks."""

from __future__ import annotations

import base64
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.ask import UNLIMITED, Ask
from offtake.gateway.dialects import anthropic_messages, openai_chat, openai_embeddings, openai_responses
from offtake.gateway.dialects.bound import ANTHROPIC_IMAGE, OPENAI_IMAGE, OPENAI_IMAGE_ORIGINAL

PICTURE = base64.b64encode(bytes(range(256)) * 400).decode()
# All that NFKC lengthens most, beside what needs escapes.
TEXT = st.text(max_size=40) | st.text('ﷺ㍿㌀⑴½ﬃ🎵𝅘𝅥𝅮\\"\n\x00é漢', max_size=40)


def body_of(value: Any, ascii_only: bool = False) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=ascii_only).encode()


def chat(content: Any, **more: Any) -> Ask:
    return openai_chat.read("", {}, body_of({"model": "m", "messages": [{"role": "user", "content": content}], **more}))


def claude(content: Any, **more: Any) -> Ask:
    asked = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": content}], **more}
    return anthropic_messages.read("", {}, body_of(asked))


def responses(items: Any, **more: Any) -> Ask:
    return openai_responses.read("", {}, body_of({"model": "m", "input": items, **more}))


@given(TEXT, TEXT, st.booleans())
def test_a_tokenizer_of_single_bytes_after_nfkc_stays_within_the_bound(first: str, last: str, ascii_only: bool) -> None:
    """One token a byte is the worst that a byte-level BPE can do; every message costs four more, the request three."""
    tokens = sum(len(unicodedata.normalize("NFKC", text).encode()) + 4 for text in (first, last)) + 3
    messages = [{"role": "user", "content": first}, {"role": "user", "content": [{"type": "text", "text": last}]}]
    openai = openai_chat.read("", {}, body_of({"model": "m", "messages": messages}, ascii_only))
    asked = {"model": "m", "max_tokens": 1, "messages": messages}
    anthropic = anthropic_messages.read("", {}, body_of(asked, ascii_only))

    assert tokens <= (openai.input_tokens_max or 0)
    assert tokens <= (anthropic.input_tokens_max or 0)


def test_a_plain_text_is_bound_by_its_own_size() -> None:
    ask = chat("a" * 10_000)

    assert len(ask.body) + 64 == ask.input_tokens_max


def test_an_image_costs_its_pixels_and_not_its_base64() -> None:
    url = f"data:image/png;base64,{PICTURE}"
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}
    asks = {
        "chat": (chat([{"type": "image_url", "image_url": {"url": url}}]), OPENAI_IMAGE_ORIGINAL),
        "low": (chat([{"type": "image_url", "image_url": {"url": url, "detail": "low"}}]), OPENAI_IMAGE["low"]),
        "address alone": (chat([{"type": "image_url", "image_url": url}]), OPENAI_IMAGE_ORIGINAL),
        "messages": (claude([block]), ANTHROPIC_IMAGE),
        "tool result": (claude([{"type": "tool_result", "tool_use_id": "t", "content": [block]}]), ANTHROPIC_IMAGE),
        "responses": (
            responses([{"role": "user", "content": [{"type": "input_image", "image_url": url, "detail": "high"}]}]),
            OPENAI_IMAGE["high"],
        ),
        "output": (
            responses([{"type": "function_call_output", "call_id": "c", "output": [
                {"type": "input_image", "image_url": url}]}]),
            OPENAI_IMAGE_ORIGINAL,
        ),
        "screenshot": (
            responses([{"type": "computer_call_output", "output": {"type": "computer_screenshot", "image_url": url}}]),
            OPENAI_IMAGE_ORIGINAL,
        ),
    }  # fmt: skip

    for name, (ask, image) in asks.items():
        assert image < (ask.input_tokens_max or 0) < image + 500, name


def test_an_image_by_address_or_file_is_bound_by_its_pixels_too() -> None:
    chat_ask = chat([{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}])
    file = claude([{"type": "image", "source": {"type": "file", "file_id": "file_1"}}])

    assert OPENAI_IMAGE_ORIGINAL < (chat_ask.input_tokens_max or 0)
    assert ANTHROPIC_IMAGE < (file.input_tokens_max or 0)


def test_the_type_of_a_part_may_be_spelled_with_escapes() -> None:
    body = (
        b'{"model":"m","messages":[{"role":"user","content":'
        b'[{"\\u0074ype":"\\u0069mage_url","image\\u005furl":{"url":"https://a"}}]}]}'
    )

    assert OPENAI_IMAGE_ORIGINAL < (openai_chat.read("", {}, body).input_tokens_max or 0)


@pytest.mark.parametrize(
    "ask",
    [
        chat([{"type": "file", "file": {"file_id": "file-1"}}]),
        chat([{"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}}]),
        chat([{"type": "a_type_of_tomorrow"}]),
        chat("x", web_search_options={}),
        chat("x", extra_body={"google": {"cached_content": "c"}}),
        responses("x", previous_response_id="resp_1"),
        responses("x", conversation="conv_1"),
        responses("x", prompt={"id": "pmpt_1"}),
        responses([{"type": "item_reference", "id": "msg_1"}]),
        responses([{"type": "reasoning", "id": "rs_1", "summary": []}]),
        responses([{"type": "message", "role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]),
        responses("x", tools=[{"type": "web_search"}]),
        claude([{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBE"}}]),
        claude([{"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}]),
        claude([{"type": "document", "source": {"type": "file", "file_id": "file_1"}}]),
        claude([{"type": "tool_result", "content": [{"type": "document", "source": {"type": "file"}}]}]),
        claude([{"type": "container_upload", "file_id": "file_1"}]),
        claude([{"type": "a_type_of_tomorrow"}]),
        claude("x", tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]),
        claude("x", mcp_servers=[{"type": "url", "url": "https://example.com"}]),
        claude("x", thread={"type": "continue", "previous_message_id": "msg_1"}),
        claude("x", fallbacks=[{"model": "claude-b"}]),
        claude("x", context_management={"edits": [{"type": "compact_20260112"}]}),
    ],
    ids=lambda ask: ask.body.decode()[-60:],
)
def test_what_the_request_only_refers_to_has_no_bound(ask: Ask) -> None:
    assert None is ask.input_tokens_max


@pytest.mark.parametrize(
    "ask",
    [
        responses([{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}]),
        responses("x", previous_response_id=None, tools=[{"type": "function", "name": "f"}]),
        chat("x", tools=[{"type": "function", "function": {"name": "f"}}]),
        claude([{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}]),
        claude([{"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "words"}]}}]),
        claude("x", tools=[{"name": "f", "input_schema": {}}, {"type": "bash_20250124", "name": "bash"}]),
        claude("x", thread={"type": "create"}, fallbacks=None, mcp_servers=[]),
    ],
    ids=lambda ask: ask.body.decode()[-60:],
)
def test_what_the_request_holds_is_bound(ask: Ask) -> None:
    assert len(ask.body) < (ask.input_tokens_max or 0) < len(ask.body) + 4_000
    assert 0 == ask.server_tools


def test_a_tool_prompt_of_the_vendors_is_within_the_bound() -> None:
    """Anthropic's table: 346 tokens of instructions, 245 for bash, 700 for the text editor, 735 for computer use."""
    tools = ["bash_20250124", "text_editor_20250728", "computer_20251124"]
    ask = claude("x", tools=[{"type": kind, "name": "n"} for kind in tools])

    assert len(ask.body) + 346 + 245 + 700 + 735 <= (ask.input_tokens_max or 0)


def test_server_tools_are_counted_as_the_client_limits_them() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    advisor = {"type": "advisor_20260301", "name": "advisor", "model": "claude-b", "max_uses": 2}

    assert 3 == claude("x", tools=[{**search, "max_uses": 3}]).server_tools
    assert UNLIMITED == claude("x", tools=[search]).server_tools
    assert (2, ("claude-b",)) == ((ask := claude("x", tools=[advisor])).server_tools, ask.other_models)
    assert 4 == responses("x", tools=[{"type": "web_search"}], max_tool_calls=4).server_tools
    assert UNLIMITED == responses("x", tools=[{"type": "web_search"}]).server_tools
    assert 0 == responses("x", tools=[{"type": "function"}], max_tool_calls=4).server_tools


def test_cache_writes_are_those_that_the_marks_ask_for() -> None:
    hour = {"type": "ephemeral", "ttl": "1h"}
    mark = {"type": "ephemeral"}
    inside = [{"type": "tool_result", "content": [{"type": "text", "text": "t", "cache_control": hour}]}]

    assert () == claude("x").cache_writes
    assert ("5m",) == claude("x", cache_control=mark).cache_writes
    assert ("1h",) == claude("x", system=[{"type": "text", "text": "s", "cache_control": hour}]).cache_writes
    assert ("1h",) == claude(inside).cache_writes
    assert ("5m", "1h") == claude(inside, tools=[{"name": "f", "cache_control": mark}]).cache_writes
    assert ("5m",) == chat("x").cache_writes
    assert ("5m", "1h") == responses("x", prompt_cache_options={"ttl": "12h"}).cache_writes
    part = {"type": "text", "text": "t", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}
    assert ("5m", "1h") == chat([part]).cache_writes


def test_media_are_those_that_may_be_in_it() -> None:
    picture = [{"type": "image_url", "image_url": "https://a"}]

    assert () == chat('an "image" and "audio"').media == claude("x").media == responses("x").media
    assert ("image",) == chat(picture).media
    escaped = b'{"model":"m","messages":[{"content":[{"type":"\\u0069mage_url","image_url":"https://a"}]}]}'
    assert ("image",) == openai_chat.read("", {}, escaped).media
    assert ("audio",) == chat([{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]).media
    assert ("audio", "image") == chat("x", modalities=["text", "audio"]).media
    assert ("image",) == claude([{"type": "image", "source": {"type": "url", "url": "https://a"}}]).media
    assert ("audio", "image") == responses("x", previous_response_id="r").media


def test_output_is_bound_over_all_choices_and_predictions() -> None:
    assert None is chat("x").output_tokens_max
    assert 30 == chat("x", n=3, max_tokens=10).output_tokens_max
    assert 20 == chat("x", max_tokens=10, max_completion_tokens=20).output_tokens_max
    prediction = {"type": "content", "content": "p" * 100}
    assert 110 < (chat("x", max_tokens=10, prediction=prediction).output_tokens_max or 0)
    assert 77 == claude("x", fallbacks=[{"model": "b", "max_tokens": 77}]).output_tokens_max


@given(st.lists(st.integers(0, 200_000)), st.booleans())
def test_tokens_by_number_are_counted(tokens: list[int], nested: bool) -> None:
    ask = openai_embeddings.read("", {}, body_of({"model": "m", "input": [tokens] if nested else tokens}))

    assert len(tokens) <= (ask.input_tokens_max or 0)
    assert 0 == ask.output_tokens_max
