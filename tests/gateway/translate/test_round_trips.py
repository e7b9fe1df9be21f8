"""Nothing that both dialects can say is lost on the way to a vendor or back, and every body is what its SDK says."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from anthropic.types import Message
from anthropic.types.message_create_params import MessageCreateParams
from hypothesis import given, settings
from openai.types.chat import ChatCompletion
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.responses import Response
from openai.types.responses.response_create_params import ResponseCreateParams

from offtake.gateway.translate import Dialect, Wire, translate
from offtake.gateway.translate.exchange import _SPEECHES
from offtake.gateway.translate.fields import Dropped, encoded
from offtake.gateway.translate.meaning import Answer, Ending, Event, Failed, Request, Text, Turn, Usage
from offtake.gateway.translate.sse import EventParser
from tests.gateway.translate.meanings import answer_of, answers, events_of, requests, said, told, usages
from tests.gateway.translate.shapes import faults

DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
PAIRS = [(client, vendor) for client in DIALECTS for vendor in DIALECTS if client != vendor]
WIRE = Wire(anthropic_version="2023-06-01", cache_breakpoints=True)
REQUESTS: dict[Dialect, Any] = {
    "openai_chat": CompletionCreateParams,
    "openai_responses": ResponseCreateParams,
    "anthropic_messages": MessageCreateParams,
}
ANSWERS: dict[Dialect, Any] = {
    "openai_chat": ChatCompletion,
    "openai_responses": Response,
    "anthropic_messages": Message,
}
# Of the older API version, of compatible vendors, and the split of writes, which chat has no field of its own for.
EXTRA = frozenset({"temperature", "top_p", "top_k", "reasoning_content", "cache_write_tokens_details", "store"})

FEWER = settings(max_examples=min(50, settings().max_examples))  # for each dialect or pair
pairs = pytest.mark.parametrize(("client", "vendor"), PAIRS)


def written(dialect: Dialect, request: Request) -> bytes:
    return encoded(_SPEECHES[dialect].write_request(request, WIRE, Dropped()))


def read(dialect: Dialect, body: bytes) -> Request:
    return _SPEECHES[dialect].read_request(body, Dropped())


@pytest.mark.parametrize("dialect", DIALECTS)
@FEWER
@given(requests())
def test_a_request_is_read_as_it_was_written(dialect: Dialect, request: Request) -> None:
    body = written(dialect, request)

    assert [] == faults(msgspec.json.decode(body), REQUESTS[dialect], extra=EXTRA)
    assert said(request) == said(read(dialect, body))


@pairs
@FEWER
@given(requests())
def test_a_request_means_the_same_there_and_back(client: Dialect, vendor: Dialect, request: Request) -> None:
    there = translate(client, vendor, written(client, request), WIRE, 0)
    back = translate(vendor, client, there.body, WIRE, 0)

    assert [] == faults(msgspec.json.decode(there.body), REQUESTS[vendor], extra=EXTRA)
    assert said(request) == said(read(vendor, there.body)) == said(read(client, back.body))


@pairs
@FEWER
@given(answers())
def test_an_answer_tells_the_same(client: Dialect, vendor: Dialect, answer: Answer) -> None:
    asked = Request("m", {})
    exchange = translate(client, vendor, simple(client), WIRE, 0)
    status, body = exchange.answer(200, encoded(_SPEECHES[vendor].write_answer(answer, asked, 0)))
    back = _SPEECHES[client].read_answer(msgspec.json.decode(body))

    assert 200 == status
    assert [] == faults(msgspec.json.decode(body), ANSWERS[client], extra=EXTRA)
    assert not isinstance(back, Failed)
    assert told(answer) == told(back)


@pairs
@FEWER
@given(answers())
def test_a_stream_tells_the_same(client: Dialect, vendor: Dialect, answer: Answer) -> None:
    writer = _SPEECHES[vendor].write_stream(Request("m", {}, wants_usage=True), 0)
    sent = b"".join(writer.write(event) for event in events_of(answer))
    stream = translate(client, vendor, simple(client), WIRE, 0).stream()
    passed = stream.feed(sent) + stream.finish()

    assert told(answer) == told(answer_of(events_in(client, passed)))


@pytest.mark.parametrize("dialect", DIALECTS)
@FEWER
@given(usages)
def test_no_token_is_lost_or_made(dialect: Dialect, usage: Usage) -> None:
    answer = answer_of(events_of(Answer("i", "m", [], Ending("end", usage=usage))))
    body = _SPEECHES[dialect].write_answer(answer, Request("m", {}), 0)
    back = _SPEECHES[dialect].read_answer(body)

    assert isinstance(back, Answer)
    assert usage == back.ending.usage


def test_a_user_too_long_for_openai_is_told_apart_by_a_hash() -> None:
    users = ["a" * 64, "a" * 65, "a" * 66]
    turns = [Turn("user", [Text("x")])]
    bodies = [msgspec.json.decode(written("openai_chat", Request("m", {}, user=user, turns=turns))) for user in users]

    assert "a" * 64 == bodies[0]["safety_identifier"]
    assert 3 == len({body["safety_identifier"] for body in bodies})
    assert {64} == {len(body["safety_identifier"]) for body in bodies}


def simple(client: Dialect) -> bytes:
    """The smallest request of a dialect."""
    body: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    match client:
        case "openai_responses":
            body = {"model": "m", "input": "x"}
        case "anthropic_messages":
            body["max_tokens"] = 9
        case _:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
    return encoded(body)


def events_in(dialect: Dialect, stream: bytes) -> list[Event]:
    reader, parser = _SPEECHES[dialect].read_stream(), EventParser()
    return [event for one in parser.feed(stream) for event in reader.read(one)]
