"""Prompts as chains of keyed hashes, and what comes again of them."""

from __future__ import annotations

import json
from typing import Any

from offtake.gateway.ask import Ask
from offtake.gateway.cache.prefixes import BLOCKS_MAX, Prefixes, key_of, prefixes_of
from offtake.gateway.cache.reads import Reads
from offtake.gateway.dialects import anthropic_messages, openai_chat, openai_responses

KEY = key_of(bytes(32))
SYSTEM = "You are terse. " * 100
MINUTE = 60_000_000


def messages(*texts: str, **more: Any) -> Ask:
    turns = [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(texts)]
    body = {"model": "claude-opus-4-7", "max_tokens": 10, "messages": turns, "system": SYSTEM, **more}
    return anthropic_messages.read("", {}, json.dumps(body).encode())


def ids(prefixes: Prefixes) -> list[str]:
    return [block.id for block in prefixes.blocks]


def test_a_prompt_that_goes_on_begins_with_the_same_ids() -> None:
    one, more = prefixes_of(messages("a"), KEY), prefixes_of(messages("a", "b", "c"), KEY)
    assert ids(one) == ids(more)[:2]
    assert {"system": 1, "last": 4} == more.places
    assert set(ids(more)[2:]).isdisjoint(ids(prefixes_of(messages("x", "b", "c"), KEY)))


def test_ids_mean_nothing_without_the_key() -> None:
    assert set(ids(prefixes_of(messages("a"), KEY))).isdisjoint(ids(prefixes_of(messages("a"), key_of(b"1" * 32))))


def test_cache_marks_are_no_part_of_a_prompt() -> None:
    mark = {"type": "ephemeral"}
    system = [{"type": "text", "text": SYSTEM}]
    marked = [{"type": "text", "text": SYSTEM, "cache_control": mark}]
    one = anthropic_messages.read("", {}, _body(system))
    two = anthropic_messages.read("", {}, _body(marked))
    assert ids(prefixes_of(one, KEY)) == ids(prefixes_of(two, KEY))


def _body(system: list[Any]) -> bytes:
    body = {"model": "m", "max_tokens": 1, "system": system, "messages": [{"role": "user", "content": "a"}]}
    return json.dumps(body, separators=(",", ":")).encode()


def test_the_places_of_openai_dialects() -> None:
    turns = [
        {"role": "system", "content": "s"},
        {"role": "developer", "content": "d"},
        {"role": "user", "content": "u"},
    ]
    tools = [{"type": "function", "function": {"name": "f"}}]
    chat = openai_chat.read("", {}, json.dumps({"model": "m", "tools": tools, "messages": turns}).encode())
    assert {"tools": 1, "system": 3, "last": 4} == prefixes_of(chat, KEY).places
    body = {"model": "m", "instructions": "s", "input": "hello", "tools": None}
    assert {"system": 1, "last": 2} == prefixes_of(openai_responses.read("", {}, json.dumps(body).encode()), KEY).places


def test_a_prompt_of_very_many_messages_ends_without_an_id() -> None:
    found = prefixes_of(messages(*("a" for _ in range(BLOCKS_MAX + 9))), KEY)
    assert BLOCKS_MAX + 1 == len(found.blocks)
    assert "" == found.blocks[-1].id
    assert "last" not in found.places


def test_a_system_prompt_that_comes_again_is_read() -> None:
    reads = Reads()
    for minute in range(4):
        reads.see("support", "s", prefixes_of(messages(f"question {minute}"), KEY), minute * MINUTE)
    asked = prefixes_of(messages("another"), KEY)
    assert reads.expected("support", "s", asked, "system", "5m") > 1.1111
    assert 0 == reads.expected("support", "s", asked, "last", "5m")  # no conversation went on
    assert 0 == reads.expected("other", "s", asked, "system", "5m")


def test_a_system_prompt_that_comes_each_ten_minutes_is_read_only_for_an_hour() -> None:
    reads = Reads()
    asked = prefixes_of(messages("a"), KEY)
    for number in range(12):
        reads.see("support", "s", prefixes_of(messages(f"{number}"), KEY), number * 10 * MINUTE)
    assert 0 == reads.expected("support", "s", asked, "system", "5m")
    assert reads.expected("support", "s", asked, "system", "1h") > 1.1111


def test_the_end_of_a_conversation_is_judged_by_its_turn() -> None:
    reads = Reads()
    for talk in range(20):
        reads.see("chat", "s", prefixes_of(messages(f"only {talk}"), KEY), talk)
    for talk in range(3):
        texts = [f"long {talk}"]
        for turn in range(5):
            reads.see("chat", "s", prefixes_of(messages(*texts), KEY), turn * MINUTE)
            texts += ["answer", f"more {turn}"]
    first = prefixes_of(messages("new"), KEY)
    assert reads.expected("chat", "s", first, "last", "5m") < 1  # 12 reads of 23 first turns
    second = prefixes_of(messages("long 0", "answer", "more 0"), KEY)
    assert 3 == reads.expected("chat", "s", second, "last", "5m")
