"""Whether a mark pays: the planner's break-evens on what a worker has seen, and a hold that covers the write."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from offtake.gateway.admit.hold import hold_of, shape_of
from offtake.gateway.ask import Ask
from offtake.gateway.cache.caching import EPOCH, MICROSECOND, Caching, Marked
from offtake.gateway.dialects import anthropic_messages
from offtake.operations.serve_config import CacheSettings
from tests.gateway import deals

SYSTEM = "You are terse. " * 3_000
MINUTE = 60_000_000
OUTLET = deals.outlet()


def caching(**settings: object) -> Caching:
    return Caching([CacheSettings.model_validate({"workload": "support-*", **settings})], bytes(32))


def asked(*texts: str, system: str = SYSTEM) -> Ask:
    turns = [{"role": "user" if n % 2 == 0 else "assistant", "content": text} for n, text in enumerate(texts)]
    body = {"model": deals.OPUS, "max_tokens": 10, "system": system, "messages": turns}
    return anthropic_messages.read("", {}, json.dumps(body).encode())


def sent(cached: Caching, ask: Ask, at: int, workload: str = "support-eu") -> Marked:
    instant = deals.AT + timedelta(microseconds=at)
    marked = cached.marked(workload, anthropic_messages, ask, OUTLET, deals.OPUS, instant)
    if marked.prefixes is not None:
        kept = marked.ask.cache_writes[0] if "cache_control" in marked.edits else ""
        cached.served(workload, OUTLET, deals.OPUS, marked.prefixes, (instant - EPOCH) // MICROSECOND, kept)
    return marked


def test_questions_each_minute_are_kept_for_five_minutes() -> None:
    cached = caching()
    marks = [sent(cached, asked(f"q{minute}"), minute * MINUTE) for minute in range(6)]
    assert () == marks[0].edits == marks[1].edits
    assert ("system.cache_control",) == marks[-1].edits
    assert ("5m",) == marks[-1].ask.cache_writes


def test_questions_each_quarter_of_an_hour_are_kept_for_an_hour() -> None:
    cached = caching()
    marks = [sent(cached, asked(f"q{n}"), n * 15 * MINUTE) for n in range(8)]
    assert ("1h",) == marks[-1].ask.cache_writes
    short = caching(ttl="5m")
    assert () == [sent(short, asked(f"q{n}"), n * 15 * MINUTE) for n in range(8)][-1].edits


def test_conversations_that_go_on_are_marked_at_their_end() -> None:
    cached = caching(where=["last"])
    found = []
    for talk in range(3):
        texts = [f"talk {talk}"]
        for turn in range(4):
            found.append("cache_control" in sent(cached, asked(*texts), (talk * 4 + turn) * MINUTE).edits)
            texts += ["answer", f"turn {turn}"]
    # No fourth turn was ever continued; it is marked all the same, to read what the third has left.
    assert [False] * 4 + [True] * 8 == found


@pytest.mark.parametrize(("workload", "where", "system"), [
    ("search", ["system"], SYSTEM), ("support-eu", [], SYSTEM), ("support-eu", ["system"], "short")
])  # fmt: skip
def test_nothing_is_marked_that_was_not_asked_for_or_is_too_short(workload: str, where: list[str], system: str) -> None:
    cached = caching(where=where)
    marks = [sent(cached, asked(f"q{n}", system=system), n * MINUTE, workload) for n in range(6)]
    assert all(not mark.edits for mark in marks)
    assert (workload == "search") == (marks[-1].prefixes is None)


def test_who_marks_is_left_alone() -> None:
    cached = caching()
    own = asked("q").body[:-1] + b', "cache_control": {"type": "ephemeral"}}'
    for n in range(6):
        ask = anthropic_messages.read("", {}, own)
        assert ask is sent(cached, ask, n * MINUTE).ask


def test_the_hold_of_a_marked_request_is_that_of_one_marked_by_its_client() -> None:
    cached = caching(where=["system"])
    marked = [sent(cached, asked("the same"), n * MINUTE) for n in range(6)][-1].ask
    again = anthropic_messages.read("", {}, marked.body)
    holds = [
        hold_of(ask, OUTLET.bounds.ceiling(shape_of(ask, OUTLET, deals.OPUS, deals.key()), deals.AT)).pico
        for ask in (asked("the same"), marked, again)
    ]
    assert holds[0] * 6 // 5 < holds[1] == holds[2]
