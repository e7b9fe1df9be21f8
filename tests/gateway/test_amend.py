"""What is written into a request before it is weighed: the calls of a vendor's own tools, and zero retention."""

from __future__ import annotations

import json
from typing import Any

import pytest

from offtake.gateway.amend import amended
from offtake.gateway.ask import UNLIMITED, Ask, Edits
from offtake.gateway.dialects import BY_NAME
from offtake.gateway.outlet import KeyRules

SEARCH = {"type": "web_search"}
FUNCTION = {"type": "function", "name": "f", "parameters": {}}


def read(dialect: str, **fields: Any) -> Ask:
    return BY_NAME[dialect].read("", {}, json.dumps({"model": "m", **fields}).encode())


def limited(ask: Ask, most: int | None) -> Ask:
    return amended(BY_NAME[ask.dialect], ask, KeyRules("k", tool_calls_max=most), {})


def responses(**fields: Any) -> Ask:
    return read("openai_responses", input="hello", **fields)


def messages(*tools: dict[str, Any]) -> Ask:
    return read("anthropic_messages", messages=[{"role": "user", "content": "hi"}], max_tokens=9, tools=list(tools))


@pytest.mark.parametrize("own", [{}, {"max_tool_calls": None}, {"max_tool_calls": 50}])
def test_a_response_without_a_limit_of_its_own_gets_the_keys(own: dict[str, Any]) -> None:
    ask = responses(tools=[SEARCH, FUNCTION], **own)
    found = limited(ask, 4)

    assert (4, 4, ("max_tool_calls",)) == (found.server_tools, json.loads(found.body)["max_tool_calls"], found.edited)
    assert json.loads(ask.body) | {"max_tool_calls": 4} == json.loads(found.body)


@pytest.mark.parametrize(
    ("ask", "most"),
    [
        (responses(tools=[SEARCH]), None),
        (responses(tools=[FUNCTION]), 4),
        (responses(tools=[SEARCH], max_tool_calls=2), 4),
        (messages({"type": "web_search_20250305", "name": "web_search", "max_uses": 3}), 4),
        (messages({"name": "mine", "input_schema": {}}), 0),
    ],
)
def test_what_needs_nothing_is_untouched(ask: Ask, most: int | None) -> None:
    assert limited(ask, most) is ask


def test_anthropics_searches_share_the_keys_limit() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    found = limited(
        messages(
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 100},
            {"type": "web_fetch_20250910", "name": "web_fetch", **mark}, {"name": "mine", "input_schema": {}},
        ), 5,
    )  # fmt: skip

    tools = json.loads(found.body)["tools"]
    assert [2, 2, None] == [tool.get("max_uses") for tool in tools]
    assert mark.items() <= tools[1].items()
    assert (4, ("tools.max_uses",)) == (found.server_tools, found.edited)


def test_what_no_word_limits_stays_unlimited() -> None:
    servers = [{"type": "url", "url": "https://example.com", "name": "s"}]
    hello = [{"role": "user", "content": "hi"}]
    for ask in (
        messages({"type": "code_execution_20250825", "name": "code_execution"}),
        read("anthropic_messages", messages=hello, max_tokens=9, tools=None, mcp_servers=servers),
        read("openai_chat", messages=hello, web_search_options={}),
    ):
        assert limited(ask, 4) is ask and UNLIMITED <= ask.server_tools


def test_two_searches_may_each_be_used_once_at_least() -> None:
    kinds = ("web_search_20250305", "web_fetch_20250910")
    found = limited(messages(*({"type": kind, "name": kind[:9]} for kind in kinds)), 1)

    assert [1, 1] == [tool["max_uses"] for tool in json.loads(found.body)["tools"]]


def test_zero_retention_says_what_openai_would_store_unasked() -> None:
    dialect = BY_NAME["openai_responses"]
    for ask, written in ((responses(), ("store",)), (responses(store=None), ("store",)), (responses(store=False), ())):
        body, names = dialect.edited(ask, Edits(keeps_nothing=True))

        assert (False, written) == (json.loads(body)["store"], names)
    assert responses().body == dialect.edited(responses(), Edits())[0]
