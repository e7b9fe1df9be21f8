"""Edits: exactly those that are asked for, each named, everything else byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.ask import Ask, Edits
from offtake.gateway.dialects import BY_NAME
from tests.gateway.dialects.test_read import LEAST, NAMES, PATHS, every_dialect, spoken

NUMBERS = st.integers(1, 10**6)


def chat(body: bytes) -> Ask:
    return BY_NAME["openai_chat"].read("", {}, body)


@every_dialect
def test_without_an_edit_the_bytes_are_the_same_object(name: str) -> None:
    ask = BY_NAME[name].read(PATHS[name], {}, spoken(name))

    assert (ask.body, ()) == BY_NAME[name].edited(ask, Edits())
    assert ask.body is BY_NAME[name].edited(ask, Edits(model="m"))[0]


def test_unknown_fields_spaces_and_the_spelling_of_numbers_stay() -> None:
    body = b'{ "x_beta" : {"b":1.50, "a":1e2} ,\n"model":"m", "messages":[ ],\t"temperature":0.70 }'
    edited, names = BY_NAME["openai_chat"].edited(chat(body), Edits(model="vendor/m"))

    assert body.replace(b'"m"', b'"vendor/m"') == edited
    assert ("model",) == names


@given(
    name=NAMES, unknown=st.dictionaries(st.text().map("x_".__add__), st.integers() | st.text() | st.lists(st.text()))
)
def test_an_alias_changes_the_model_and_nothing_else(name: str, unknown: dict[str, Any]) -> None:
    value = {**unknown, **LEAST[name]}
    ask = BY_NAME[name].read(PATHS[name], {}, json.dumps(value, indent=1).encode())
    edited, _ = BY_NAME[name].edited(ask, Edits(model='über"m'))

    assert {**value, "model": 'über"m'} == json.loads(edited)


@pytest.mark.parametrize(
    ("options", "after"),
    [
        (b"", b'{"stream_options":{"include_usage":true},"model":"m","messages":[],"stream":true}'),
        (b"null", b'{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}'),
        (
            b'{"include_obfuscation":false}',
            b'{"model":"m","messages":[],"stream":true,"stream_options":'
            b'{"include_usage":true,"include_obfuscation":false}}',
        ),
        (
            b'{"include_usage":false}',
            b'{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}',
        ),
        (b"{ }", b'{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true }}'),
    ],
    ids=repr,
)  # fmt: skip
def test_usage_is_asked_for_in_streams(options: bytes, after: bytes) -> None:
    more = b',"stream_options":' + options if options else b""
    ask = chat(b'{"model":"m","messages":[],"stream":true' + more + b"}")

    assert not ask.wants_usage
    assert (after, ("stream_options",)) == BY_NAME["openai_chat"].edited(ask, Edits(include_usage=True))


def test_mistral_is_not_asked_for_the_usage_that_it_says_anyway() -> None:
    body = b'{"model":"m","messages":[],"stream":true}'

    assert (body, ()) == BY_NAME["openai_chat"].edited(chat(body), Edits(include_usage=True, vendor="mistral"))


def test_usage_is_not_asked_for_where_it_comes_anyway() -> None:
    for body in (
        b'{"model":"m","messages":[]}',
        b'{"model":"m","messages":[],"stream":true,"stream_options":{"include_usage":true}}',
    ):
        assert (body, ()) == BY_NAME["openai_chat"].edited(chat(body), Edits(include_usage=True))


@pytest.mark.parametrize(
    ("name", "written", "edits", "after"),
    [
        ("openai_chat", {}, Edits(output_tokens_max=50), {"max_completion_tokens": 50}),
        ("openai_chat", {}, Edits(output_tokens_max=50, vendor="mistral"), {"max_tokens": 50}),
        ("openai_chat", {"max_completion_tokens": 90}, Edits(vendor="openai"), {"max_completion_tokens": 90}),
        ("openai_chat", {"max_tokens": 90}, Edits(vendor="openai"), {"max_tokens": 90}),
        # A limit that the vendor overlooks is said again in its own word.
        (
            "openai_chat",
            {"max_completion_tokens": 90},
            Edits(vendor="deepseek"),
            {"max_completion_tokens": 90, "max_tokens": 90},
        ),
        (
            "openai_chat",
            {"max_completion_tokens": 90},
            Edits(vendor="deepseek", output_tokens_max=50),
            {"max_completion_tokens": 50, "max_tokens": 50},
        ),
        ("openai_chat", {"max_tokens": 90}, Edits(output_tokens_max=50), {"max_tokens": 50}),
        ("openai_chat", {"max_tokens": 40}, Edits(output_tokens_max=50), {"max_tokens": 40}),
        (
            "openai_chat",
            {"max_tokens": None},
            Edits(output_tokens_max=50),
            {"max_tokens": None, "max_completion_tokens": 50},
        ),
        ("openai_chat", {"max_tokens": 90, "n": 4}, Edits(output_tokens_max=50), {"max_tokens": 12, "n": 4}),
        ("openai_responses", {}, Edits(output_tokens_max=50), {"max_output_tokens": 50}),
        ("openai_responses", {"max_output_tokens": 90}, Edits(output_tokens_max=50), {"max_output_tokens": 50}),
        ("anthropic_messages", {"max_tokens": 128_000}, Edits(output_tokens_max=50), {"max_tokens": 50}),
        ("openai_responses", {}, Edits(cache_key="k"), {"prompt_cache_key": "k"}),
        ("openai_chat", {"prompt_cache_key": "mine"}, Edits(cache_key="k"), {"prompt_cache_key": "mine"}),
    ],
)
def test_limits_are_lowered_and_keys_added_in_the_clients_own_field(
    name: str, written: dict[str, Any], edits: Edits, after: dict[str, Any]
) -> None:
    ask = BY_NAME[name].read("", {}, spoken(name, written))
    edited, names = BY_NAME[name].edited(ask, edits)

    assert {**LEAST[name], **written, **after} == json.loads(edited)
    assert {field for field in after if after[field] != {**LEAST[name], **written}.get(field)} == set(names)


@given(st.none() | NUMBERS, st.none() | NUMBERS, st.integers(1, 5), NUMBERS)
def test_a_clamped_request_asks_for_no_more_than_it_may(
    limit: int | None, older: int | None, choices: int, clamp: int
) -> None:
    written = {"max_completion_tokens": limit, "max_tokens": older, "n": choices}
    edited, _ = BY_NAME["openai_chat"].edited(chat(spoken("openai_chat", written)), Edits(output_tokens_max=clamp))
    asked = chat(edited).output_tokens_max

    assert asked is not None
    assert asked <= clamp


@pytest.mark.parametrize(
    ("more", "cache", "after", "names"),
    [
        ({}, ("last",), {"cache_control": {"type": "ephemeral"}}, {"cache_control"}),
        (
            {"system": "Be brief."},
            ("system",),
            {"system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]},
            {"system.cache_control"},
        ),
        (
            {"system": [{"type": "text", "text": "a"}, {"type": "text", "text": "b}]"}]},
            ("system",),
            {"system": [{"type": "text", "text": "a"},
                        {"type": "text", "text": "b}]", "cache_control": {"type": "ephemeral"}}]},
            {"system.cache_control"},
        ),
        (
            {"tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}}}]},
            ("tools", "system"),
            {"tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}},
                        "cache_control": {"type": "ephemeral"}}]},
            {"tools.cache_control"},
        ),
        ({"tools": [], "system": ""}, ("tools", "system"), {}, set()),
        ({"tools": None, "system": []}, ("tools", "system"), {}, set()),
        (
            {"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
            ("last", "system"),
            {"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
            set(),
        ),
    ],
)  # fmt: skip
def test_cache_marks_go_where_they_are_told_unless_the_client_marks_itself(
    more: dict[str, Any], cache: tuple[str, ...], after: dict[str, Any], names: set[str]
) -> None:
    ask = BY_NAME["anthropic_messages"].read("", {}, spoken("anthropic_messages", more))
    edited, found = BY_NAME["anthropic_messages"].edited(ask, Edits(cache=cache))

    assert {**LEAST["anthropic_messages"], **more, **after} == json.loads(edited)
    assert names == set(found)


def test_a_mark_for_an_hour_says_so() -> None:
    ask = BY_NAME["anthropic_messages"].read("", {}, spoken("anthropic_messages"))
    edited, _ = BY_NAME["anthropic_messages"].edited(ask, Edits(cache=("last",), cache_ttl="1h"))

    assert {"type": "ephemeral", "ttl": "1h"} == json.loads(edited)["cache_control"]
