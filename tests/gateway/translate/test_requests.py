"""Field by field: what becomes of it in the other dialect, what is dropped by name, what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from offtake.gateway.translate import (
    BadRequest,
    Dialect,
    Wire,
    anthropic_messages,
    openai_chat,
    openai_responses,
    translate,
    wire_of,
)

USER = [{"role": "user", "content": "x"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
PDF = "data:application/pdf;base64,JVBERg=="
PNG = "data:image/png;base64,QUJD"
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
OLD = Wire(anthropic_version="2023-06-01")
BUDGET = Wire(thinking="budget")
MARKS = Wire(cache_breakpoints=True)


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": USER, **fields}


def anthropic(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 9_000, "messages": USER, **fields}


def responses(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "input": "x", **fields}


def translated(client: Dialect, vendor: Dialect, body: dict[str, Any], wire: Wire | None = None) -> Any:
    exchange = translate(client, vendor, json.dumps(body).encode(), wire or Wire(), 0)
    return json.loads(exchange.body), exchange.dropped


TO_ANTHROPIC: list[tuple[dict[str, Any], dict[str, Any], list[str], Wire]] = [
    ({}, {"max_tokens": 32_000}, [], Wire()),
    ({}, {"max_tokens": 8_192}, [], Wire(output_tokens_max=8_192)),
    ({"max_tokens": 5}, {"max_tokens": 5}, [], Wire()),
    ({"max_completion_tokens": 6, "max_tokens": 5}, {"max_tokens": 6}, [], Wire()),
    ({"stop": "END"}, {"stop_sequences": ["END"]}, [], Wire()),
    ({"stop": ["A", "B"]}, {"stop_sequences": ["A", "B"]}, [], Wire()),
    ({"temperature": 0.3, "top_p": 0.9}, {}, ["temperature", "top_p"], Wire()),
    ({"temperature": 0.3, "top_p": 0.9}, {"temperature": 0.3, "top_p": 0.9}, [], OLD),
    ({"temperature": 1.7}, {"temperature": 1}, ["temperature"], OLD),
    ({"temperature": 1.7, "reasoning_effort": "low"}, {"thinking": {"type": "adaptive"}}, ["temperature"], OLD),
    ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}, [], Wire()),
    (
        {"reasoning_effort": "xhigh"},
        {"thinking": {"type": "adaptive"}, "output_config": {"effort": "xhigh"}},
        [],
        Wire(),
    ),
    ({"reasoning_effort": "minimal"}, {"output_config": {"effort": "low"}}, ["reasoning_effort"], Wire()),
    (
        {"reasoning_effort": "max"},
        {"output_config": {"effort": "high"}},
        ["reasoning_effort"],
        Wire(efforts=("low", "medium", "high")),
    ),
    ({"reasoning_effort": "high"}, {"thinking": {"type": "enabled", "budget_tokens": 16_000}}, [], BUDGET),
    ({"reasoning_effort": "low"}, {"thinking": {"type": "enabled", "budget_tokens": 2_048}}, [], BUDGET),
    ({"reasoning_effort": "low", "max_tokens": 900}, {"thinking": None}, ["reasoning_effort"], BUDGET),
    ({"reasoning_effort": "low"}, {"thinking": None}, ["reasoning_effort"], Wire(thinking="none")),
    (
        {"reasoning_effort": "low", "tools": [TOOL], "tool_choice": "required"},
        {"thinking": None, "tool_choice": {"type": "any"}},
        ["reasoning_effort"],
        Wire(),
    ),
    ({"tools": [TOOL]}, {"tools": [{"name": "f", "input_schema": TOOL["function"]["parameters"]}]}, [], Wire()),  # type: ignore[index]
    ({"tools": [TOOL], "tool_choice": "none"}, {"tool_choice": {"type": "none"}}, [], Wire()),
    ({"tools": [TOOL], "tool_choice": "auto"}, {"tool_choice": {"type": "auto"}}, [], Wire()),
    (
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tool_choice": {"type": "tool", "name": "f"}},
        [],
        Wire(),
    ),
    (
        {"tools": [TOOL], "parallel_tool_calls": False},
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        [],
        Wire(),
    ),
    ({"parallel_tool_calls": False}, {"tool_choice": None}, [], Wire()),
    (
        {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}},
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        ["response_format.name"],
        Wire(),
    ),
    ({"user": "ann"}, {"metadata": {"user_id": "ann"}}, [], Wire()),
    ({"user": "ann", "safety_identifier": "bob"}, {"metadata": {"user_id": "bob"}}, [], Wire()),
    ({"service_tier": "auto"}, {"service_tier": "auto"}, [], Wire()),
    ({"service_tier": "default"}, {"service_tier": "standard_only"}, [], Wire()),
    ({"service_tier": "priority"}, {"service_tier": "auto"}, [], Wire()),
    ({"service_tier": "flex"}, {"service_tier": None}, ["service_tier"], Wire()),
    ({"prompt_cache_key": "k", "verbosity": "low"}, {}, ["verbosity", "prompt_cache_key"], Wire()),
    (
        {"seed": 3, "store": True, "metadata": {"a": "b"}, "presence_penalty": 1, "made_up": 1},
        {},
        ["store", "metadata", "seed", "presence_penalty", "made_up"],
        Wire(),
    ),
    ({"store": False, "metadata": {}, "logit_bias": {}, "n": 1, "logprobs": False, "seed": None}, {}, [], Wire()),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected", "dropped", "wire"), TO_ANTHROPIC)
def test_chat_to_anthropic(fields: dict[str, Any], expected: dict[str, Any], dropped: list[str], wire: Wire) -> None:
    body, found = translated("openai_chat", "anthropic_messages", chat(**fields), wire)

    assert expected == {name: body.get(name) for name in expected}
    assert sorted(dropped) == sorted(found)


TO_CHAT: list[tuple[dict[str, Any], dict[str, Any], list[str], Wire]] = [
    ({}, {"max_completion_tokens": 9_000, "stream_options": None}, [], Wire()),
    ({}, {"max_tokens": 9_000, "max_completion_tokens": None}, [], Wire(own_fields=False)),
    ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}, [], Wire()),
    ({"stop_sequences": ["A"]}, {"stop": ["A"]}, [], Wire()),
    ({"temperature": 0.3, "top_k": 5}, {"temperature": 0.3}, ["top_k"], Wire()),
    ({"thinking": {"type": "disabled"}}, {"reasoning_effort": "none"}, [], Wire()),
    ({"thinking": {"type": "adaptive"}}, {"reasoning_effort": None}, [], Wire()),
    ({"thinking": {"type": "enabled", "budget_tokens": 2_000}}, {"reasoning_effort": "low"}, [], Wire()),
    ({"thinking": {"type": "enabled", "budget_tokens": 8_000}}, {"reasoning_effort": "medium"}, [], Wire()),
    ({"thinking": {"type": "enabled", "budget_tokens": 9_000}}, {"reasoning_effort": "high"}, [], Wire()),
    ({"output_config": {"effort": "max"}}, {"reasoning_effort": "max"}, [], Wire()),
    (
        {"output_config": {"effort": "max"}},
        {"reasoning_effort": None},
        ["output_config.effort"],
        Wire(efforts=()),
    ),
    (
        {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
            }
        },
        [],
        Wire(),
    ),
    (
        {"output_format": {"type": "json_schema", "schema": SCHEMA}},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
            }
        },
        [],
        Wire(),
    ),
    ({"metadata": {"user_id": "ann"}}, {"safety_identifier": "ann", "prompt_cache_key": None}, [], Wire()),
    (
        {"metadata": {"user_id": "ann"}, "cache_control": {"type": "ephemeral"}},
        {"safety_identifier": "ann", "prompt_cache_key": "ann"},
        ["cache_control"],
        Wire(),
    ),
    ({"metadata": {"user_id": "ann"}}, {"safety_identifier": None}, ["metadata.user_id"], Wire(own_fields=False)),
    ({"service_tier": "standard_only"}, {"service_tier": "default"}, [], Wire()),
    ({"service_tier": "auto", "speed": "standard"}, {"service_tier": None}, [], Wire()),
    ({"speed": "fast"}, {}, ["speed"], Wire()),
    ({"context_management": {"edits": []}, "diagnostics": {"x": 1}}, {}, ["context_management", "diagnostics"], Wire()),
    (
        {"system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
        {
            "messages": [
                {
                    "role": "system",
                    "content": [
                        {"type": "text", "text": "s", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}
                    ],
                },
                *USER,
            ]
        },
        [],
        MARKS,
    ),
]


@pytest.mark.parametrize(("fields", "expected", "dropped", "wire"), TO_CHAT)
def test_anthropic_to_chat(fields: dict[str, Any], expected: dict[str, Any], dropped: list[str], wire: Wire) -> None:
    body, found = translated("anthropic_messages", "openai_chat", anthropic(**fields), wire)

    assert expected == {name: body.get(name) for name in expected}
    assert sorted(dropped) == sorted(found)


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


REFUSED: list[tuple[Dialect, Dialect, dict[str, Any], str]] = [
    ("openai_chat", "anthropic_messages", chat(n=2), "n"),
    ("openai_chat", "anthropic_messages", chat(logprobs=True), "logprobs"),
    ("openai_chat", "anthropic_messages", chat(logit_bias={"5": 1}), "logit_bias"),
    ("openai_chat", "anthropic_messages", chat(modalities=["text", "audio"]), "modalities"),
    ("openai_chat", "anthropic_messages", chat(functions=[{"name": "f"}]), "functions"),
    (
        "openai_chat",
        "anthropic_messages",
        chat(web_search_options={"search_context_size": "low"}),
        "web_search_options",
    ),
    ("openai_chat", "anthropic_messages", chat(response_format={"type": "json_object"}), "response_format"),
    ("openai_chat", "anthropic_messages", chat(tools=[{"type": "custom", "custom": {"name": "f"}}]), "tools[0].type"),
    ("openai_chat", "anthropic_messages", chat(messages=[]), "messages"),
    (
        "openai_chat",
        "anthropic_messages",
        chat(messages=[*USER, {"role": "assistant", "content": "A"}]),
        "messages[-1]",
    ),
    ("openai_chat", "anthropic_messages", chat(messages=[{"role": "king", "content": "A"}]), "messages[0].role"),
    (
        "openai_chat",
        "anthropic_messages",
        chat(**user({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}})),
        "messages[0].content[0].type",
    ),
    (
        "openai_chat",
        "anthropic_messages",
        chat(**user({"type": "file", "file": {"file_id": "file-1"}})),
        "messages[0].content[0].file.file_id",
    ),
    (
        "openai_chat",
        "anthropic_messages",
        chat(**user({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AAAA"}})),
        "messages[0].content[0].image_url.url",
    ),
    ("anthropic_messages", "openai_chat", {"model": "m", "messages": USER}, "max_tokens"),
    ("anthropic_messages", "openai_chat", anthropic(inference_geo="us"), "inference_geo"),
    ("anthropic_messages", "openai_chat", anthropic(mcp_servers=[{"url": "x"}]), "mcp_servers"),
    ("anthropic_messages", "openai_chat", anthropic(container="c"), "container"),
    (
        "anthropic_messages",
        "openai_chat",
        anthropic(tools=[{"type": "web_search_20250305", "name": "web_search"}]),
        "tools[0].type",
    ),
    (
        "anthropic_messages",
        "openai_chat",
        anthropic(messages=[*USER, {"role": "assistant", "content": "The answer is ("}]),
        "messages[-1]",
    ),
    (
        "anthropic_messages",
        "openai_chat",
        anthropic(**user({"type": "document", "source": {"type": "url", "url": "https://e.com/a.pdf"}})),
        "messages[].content[].source",
    ),
    ("anthropic_messages", "openai_responses", anthropic(stop_sequences=["A"]), "stop_sequences"),
    ("openai_responses", "openai_chat", responses(previous_response_id="resp_1"), "previous_response_id"),
    ("openai_responses", "openai_chat", responses(conversation="conv_1"), "conversation"),
    ("openai_responses", "openai_chat", responses(background=True), "background"),
    ("openai_responses", "openai_chat", responses(tools=[{"type": "web_search"}]), "tools[0].type"),
    ("openai_responses", "openai_chat", responses(input=[{"type": "item_reference", "id": "x"}]), "input[0].id"),
    ("openai_responses", "openai_chat", responses(input=[{"type": "computer_call", "id": "x"}]), "input[0].type"),
]


@pytest.mark.parametrize(
    ("client", "vendor", "body", "field"), REFUSED, ids=[f"{case[0]}-{case[3]}" for case in REFUSED]
)
def test_what_changes_meaning_is_refused_by_name(client: Dialect, vendor: Dialect, body: Any, field: str) -> None:
    with pytest.raises(BadRequest) as raised:
        translated(client, vendor, body)

    assert field == raised.value.param
    assert field.rpartition(".")[2].partition("[")[0] in raised.value.message


def test_the_page_names_every_field_that_is_refused() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "translation.md").read_text()
    rooms = (openai_chat, openai_responses, anthropic_messages)
    named = {name for room in rooms for name in sys.modules[f"{room.__name__}.read_request"]._REFUSED}

    assert set() == {name for name in named if f"`{name}`" not in page}


def test_pictures_and_files_to_anthropic() -> None:
    parts = user(
        {"type": "image_url", "image_url": {"url": PNG, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://e.com/a.png"}},
        {"type": "file", "file": {"file_data": PDF, "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": "data:text/plain;charset=utf-8;base64,S8O2bG4=", "filename": "a.txt"}},
    )
    body, dropped = translated("openai_chat", "anthropic_messages", chat(**parts))

    assert ["messages[].content[].image_url.detail"] == dropped
    assert [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
        {"type": "image", "source": {"type": "url", "url": "https://e.com/a.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
            "title": "a.pdf",
        },
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Köln"}, "title": "a.txt"},
    ] == body["messages"][0]["content"]


def test_a_tools_picture_follows_in_the_users_own_message() -> None:
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}}
    messages = [
        *USER,
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "f", "input": {"big": 10**25}}]},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "And now?"},
                {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "ok"}, picture]},
            ],
        },
    ]
    body, _ = translated("anthropic_messages", "openai_chat", anthropic(messages=messages))

    assert '{"big":10000000000000000000000000}' == body["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert {"role": "tool", "tool_call_id": "t1", "content": "ok"} == body["messages"][2]
    assert ["text", "image_url", "text"] == [part["type"] for part in body["messages"][3]["content"]]


def test_system_turns_stay_where_anthropic_takes_them_and_else_join_the_prompt() -> None:
    late = {"role": "developer", "content": "Be brief."}
    answer = {"role": "assistant", "content": "y"}
    kept, none = translated("openai_chat", "anthropic_messages", chat(messages=[*USER, late, answer, *USER]))
    moved, named = translated("openai_chat", "anthropic_messages", chat(messages=[*USER, answer, late, *USER]))
    older, also = translated(
        "openai_chat", "anthropic_messages", chat(messages=[*USER, late, answer, *USER]), Wire(system_turns=False)
    )

    assert (["user", "system", "assistant", "user"], []) == ([turn["role"] for turn in kept["messages"]], none)
    for body, dropped in ((moved, named), (older, also)):
        assert [{"type": "text", "text": "Be brief."}] == body["system"]
        assert ["messages[].position"] == dropped


def test_system_turns_in_a_row_are_one_and_none_stands_between_two_of_the_users() -> None:
    late = [{"role": "system", "content": text} for text in ("A", "B")]
    body, dropped = translated("openai_chat", "anthropic_messages", chat(messages=[*USER, *late]))
    other, named = translated("openai_chat", "anthropic_messages", chat(messages=[*USER, *late, *USER]))

    assert (["A", "B"], []) == ([block["text"] for block in body["messages"][1]["content"]], dropped)
    assert (["A", "B"], ["messages[].position"]) == ([block["text"] for block in other["system"]], named)
    assert ["user", "user"] == [message["role"] for message in other["messages"]]


@pytest.mark.parametrize(
    ("vendor", "model", "fields"),
    [
        ("anthropic", "claude-opus-5-5", {"thinking": "always", "output_tokens_max": 128_000, "system_turns": True}),
        ("anthropic", "us.anthropic.claude-opus-4-7-v1:0", {"thinking": "adaptive", "sampling": False}),
        ("anthropic", "claude-haiku-4-5@20251001", {"thinking": "budget", "efforts": (), "output_tokens_max": 64_000}),
        ("anthropic", "claude-opus-4-5", {"thinking": "budget", "efforts": ("low", "medium", "high")}),
        ("anthropic", "claude-opus-4-1-20250805", {"output_tokens_max": 32_000}),
        ("anthropic", "claude-sonnet-4-20250514", {"output_tokens_max": 64_000, "thinking": "budget"}),
        ("anthropic", "claude-3-5-haiku-20241022", {"thinking": "none", "output_tokens_max": 8_192}),
        ("anthropic", "claude-sonnet-7", {"thinking": "adaptive", "output_tokens_max": 128_000}),
        ("openai", "gpt-4o-mini", {"efforts": (), "sampling": True}),
        ("openai", "o3", {"efforts": ("low", "medium", "high"), "sampling": False}),
        ("openai", "gpt-5-mini", {"efforts": ("minimal", "low", "medium", "high")}),
        ("openai", "gpt-5.1", {"efforts": ("none", "low", "medium", "high")}),
        ("openai", "gpt-5.4", {"efforts": ("none", "low", "medium", "high", "xhigh")}),
        ("openai", "gpt-6.1-terra", {"efforts": ("none", "low", "medium", "high", "xhigh", "max"), "own_fields": True}),
        ("mistral", "mistral-large-latest", {"efforts": (), "own_fields": False, "sampling": True}),
    ],
)
def test_what_models_take(vendor: str, model: str, fields: dict[str, Any]) -> None:
    wire = wire_of(vendor, model)

    assert fields == {name: getattr(wire, name) for name in fields}


def test_clouds_take_no_system_turns_and_the_older_version_takes_a_temperature() -> None:
    assert not wire_of("anthropic", "us.anthropic.claude-opus-5-5-v1:0", "bedrock").system_turns
    for model, expected in (("claude-sonnet-4-6", {"temperature": 0.2}), ("claude-sonnet-5-5", {})):
        wire = wire_of("anthropic", model, anthropic_version="2023-06-01")
        body, _ = translated("openai_chat", "anthropic_messages", chat(temperature=0.2), wire)
        assert expected == {name: value for name, value in body.items() if name == "temperature"}


def test_a_model_that_always_thinks_is_not_told_to_stop() -> None:
    body, dropped = translated(
        "openai_chat", "anthropic_messages", chat(reasoning_effort="none"), wire_of("anthropic", "claude-opus-5-5")
    )

    assert ({"type": "adaptive"}, {"effort": "low"}) == (body["thinking"], body["output_config"])
    assert ["reasoning_effort"] == dropped


def test_a_reasoning_model_of_openais_gets_no_temperature() -> None:
    body, dropped = translated(
        "anthropic_messages", "openai_chat", anthropic(temperature=0.2), wire_of("openai", "gpt-5.6")
    )

    assert ("temperature" in body, dropped) == (False, ["temperature"])


def test_results_of_tools_come_first_in_the_users_turn() -> None:
    items = [
        {"role": "user", "content": "x"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"role": "user", "content": "Hurry."},
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
    ]
    body, _ = translated("openai_responses", "anthropic_messages", responses(input=items))

    assert ["user", "assistant", "user"] == [message["role"] for message in body["messages"]]
    assert ["tool_result", "text"] == [block["type"] for block in body["messages"][2]["content"]]


def test_a_spent_contract_is_a_spent_quota_to_openais_clients() -> None:
    exchange = translate("openai_chat", "anthropic_messages", json.dumps(chat()).encode(), Wire(), 0)
    details = {"error_code": "contract_spend_limit_reached"}
    error = {"type": "error", "error": {"type": "billing_error", "message": "No.", "details": details}}
    status, body = exchange.answer(402, json.dumps(error).encode())

    assert (429, "insufficient_quota") == (status, json.loads(body)["error"]["code"])


def test_writes_without_a_split_are_kept_for_a_short_while() -> None:
    usage = {"input_tokens": 3, "output_tokens": 2, "cache_creation_input_tokens": 7, "cache_read_input_tokens": None}
    message = {"id": "m", "model": "m", "content": [], "stop_reason": "end_turn", "usage": usage}
    exchange = translate("openai_chat", "anthropic_messages", json.dumps(chat()).encode(), Wire(), 0)
    read = json.loads(exchange.answer(200, json.dumps(message).encode())[1])["usage"]

    assert (10, 7) == (read["prompt_tokens"], read["prompt_tokens_details"]["cache_write_tokens"])
    assert {"ttl_30m_tokens": 7, "ttl_12h_tokens": 0} == read["prompt_tokens_details"]["cache_write_tokens_details"]


def test_tool_call_ids_fit_anthropics_alphabet_and_stay_apart() -> None:
    calls = [
        {"id": id_, "type": "function", "function": {"name": "f", "arguments": ""}} for id_ in ("a:1", "a.1", "a_1")
    ]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "ok"} for call in calls]
    messages = [*USER, {"role": "assistant", "tool_calls": calls}, *results]
    body, _ = translated("openai_chat", "anthropic_messages", chat(messages=messages))
    used = [block["id"] for block in body["messages"][1]["content"]]

    assert 3 == len(set(used))
    assert all(id_.replace("_", "").isalnum() for id_ in used)
    assert used == [block["tool_use_id"] for block in body["messages"][2]["content"]]


def test_allowed_tools_are_the_only_ones() -> None:
    other = {"type": "function", "function": {"name": "g"}}
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [other]}}
    body, _ = translated("openai_chat", "anthropic_messages", chat(tools=[TOOL, other], tool_choice=allowed))

    assert ["g"] == [tool["name"] for tool in body["tools"]]
    assert {"type": "any"} == body["tool_choice"]


def test_thinking_goes_home_to_its_maker_only() -> None:
    ours = {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "t"}]}
    items = [
        {"role": "user", "content": "x"},
        {**ours, "encrypted_content": "anthropic:sig"},
        {**ours, "encrypted_content": "anthropic_redacted:zzz"},
        {**ours, "encrypted_content": "gAAAA"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "ok"},
    ]
    body, dropped = translated("openai_responses", "anthropic_messages", responses(input=items))

    assert [
        {"type": "thinking", "thinking": "t", "signature": "sig"},
        {"type": "redacted_thinking", "data": "zzz"},
    ] == body["messages"][1]["content"][:2]
    assert "tool_use" == body["messages"][1]["content"][2]["type"]
    assert ["input[].reasoning"] == dropped


def test_compatible_vendors_get_the_thoughts_back_and_plain_texts() -> None:
    thought = {"type": "thinking", "thinking": "t", "signature": ""}
    call = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "c", "content": "ok"}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": [thought, call]},
        {"role": "user", "content": [result]},
    ]
    body, dropped = translated(
        "anthropic_messages", "openai_chat", anthropic(messages=messages), Wire(own_fields=False)
    )

    assert ("a\n\nb", "t") == (body["messages"][0]["content"], body["messages"][1]["reasoning_content"])
    assert [] == dropped


@pytest.mark.parametrize(
    ("finish", "refusal", "stop"),
    [
        ("stop", None, "end_turn"),
        ("length", None, "max_tokens"),
        ("content_filter", None, "refusal"),
        ("stop", "I cannot.", "refusal"),
        ("model_length", None, "model_context_window_exceeded"),
    ],
)
def test_how_an_answer_of_chat_ended(finish: str, refusal: str | None, stop: str) -> None:
    exchange = translate("anthropic_messages", "openai_chat", json.dumps(anthropic()).encode(), Wire(), 0)
    message = {"role": "assistant", "content": None, "refusal": refusal}
    answer = {"id": "c", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": finish}]}
    status, body = exchange.answer(200, json.dumps(answer).encode())
    read = json.loads(body)

    assert (200, stop) == (status, read["stop_reason"])
    assert refusal == (read["stop_details"] or {}).get("explanation")
    assert {"input_tokens": 0, "output_tokens": 0}.items() <= read["usage"].items()


@pytest.mark.parametrize(
    ("stop", "finish", "status"),
    [
        ("end_turn", "stop", "completed"),
        ("stop_sequence", "stop", "completed"),
        ("max_tokens", "length", "incomplete"),
        ("model_context_window_exceeded", "length", "incomplete"),
        ("refusal", "content_filter", "incomplete"),
    ],
)
def test_how_a_message_ended(stop: str, finish: str, status: str) -> None:
    usage = {"input_tokens": 3, "output_tokens": 2}
    message = {"id": "m", "model": "m", "content": [], "stop_reason": stop, "usage": usage}
    sent = json.dumps(message).encode()
    as_chat = translate("openai_chat", "anthropic_messages", json.dumps(chat()).encode(), Wire(), 0)
    as_response = translate("openai_responses", "anthropic_messages", json.dumps(responses()).encode(), Wire(), 0)

    assert finish == json.loads(as_chat.answer(200, sent)[1])["choices"][0]["finish_reason"]
    assert status == json.loads(as_response.answer(200, sent)[1])["status"]
