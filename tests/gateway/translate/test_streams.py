"""Streams: the same bytes however the vendor's were cut, each event what the SDK says, faults as errors."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any, get_args

import msgspec
import pytest
from anthropic.types import RawMessageStreamEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent

from offtake.gateway.translate import Dialect, Wire, translate
from offtake.gateway.translate.sse import EventParser, ServerEvent
from tests.gateway.translate import vendors
from tests.gateway.translate.shapes import faults
from tests.gateway.translate.test_round_trips import EXTRA, PAIRS, simple

EVENTS: dict[Dialect, Any] = {
    "openai_chat": ChatCompletionChunk,
    "openai_responses": ResponseStreamEvent,
    "anthropic_messages": RawMessageStreamEvent,
}
DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
# Where a stream says how the answer stopped.
LAST: dict[Dialect, bytes] = {
    "anthropic_messages": b"event: message_delta",
    "openai_chat": b'"tool_calls"}]',
    "openai_responses": b"event: response.completed",
}
FEWER = settings(max_examples=min(50, settings().max_examples))  # for each of six pairs
pairs = pytest.mark.parametrize(("client", "vendor"), PAIRS)


def passed(client: Dialect, vendor: Dialect, *pieces: bytes) -> bytes:
    stream = translate(client, vendor, simple(client), Wire(), 0).stream()
    return b"".join(stream.feed(piece) for piece in pieces) + stream.finish()


def events_in(stream: bytes) -> list[Any]:
    events = [event for event in EventParser().feed(stream) if not event.comment and event.data != b"[DONE]"]
    return [msgspec.json.decode(event.data) for event in events]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({place % (len(stream) + 1) for place in places} | {0, len(stream)})
    return [stream[start:end] for start, end in pairwise(marks)]


@pairs
@FEWER
@given(st.lists(st.integers(0, 10**6), max_size=40), st.booleans(), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_any_cut_gives_the_same_bytes(
    client: Dialect, vendor: Dialect, places: list[int], first: bool, line_end: bytes
) -> None:
    stream = {
        "anthropic_messages": vendors.anthropic_stream,
        "openai_chat": vendors.chat_stream,
        "openai_responses": vendors.responses_stream,
    }[vendor]("m", first)
    whole = passed(client, vendor, stream)

    assert whole == passed(client, vendor, *cut(stream.replace(b"\n", line_end), places))


@pairs
def test_every_event_is_what_the_sdk_says(client: Dialect, vendor: Dialect) -> None:
    stream = passed(client, vendor, vendors.stream(vendor, {"model": "m"}))
    extra = EXTRA | {"cache_creation"}  # the split of writes, told at the end where the vendor tells it then
    events = [event for event in events_in(stream) if event.get("type") != "ping"]
    wrong = [fault for event in events for fault in faults(event, EVENTS[client], extra=extra)]

    assert [] == wrong


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_simulated_vendors_say_what_their_sdks_say(dialect: Dialect) -> None:
    stream = vendors.stream(dialect, {"model": "m"})

    events = [event for event in events_in(stream) if event.get("type") != "ping"]
    found = [fault for event in events for fault in faults(event, EVENTS[dialect], extra=EXTRA)]

    assert [] == found


@pairs
@FEWER
@given(st.integers(0, 10**6))
def test_a_stream_that_breaks_off_ends_with_an_error(client: Dialect, vendor: Dialect, place: int) -> None:
    stream = vendors.stream(vendor, {"model": "m"})
    end = stream.rindex(LAST[vendor])
    out = passed(client, vendor, stream[: place % end])

    assert is_error(events_in(out)[-1])


def is_error(event: dict[str, Any]) -> bool:
    return "error" in event or event.get("type") in ("error", "response.failed")


@pytest.mark.parametrize(
    ("vendor", "sent"),
    [
        ("openai_chat", {"error": {"message": "No.", "type": "server_error", "code": "overloaded"}}),
        ("anthropic_messages", {"type": "error", "error": {"type": "overloaded_error", "message": "No."}}),
        ("openai_responses", {"type": "error", "code": "server_is_overloaded", "message": "No.", "param": None}),
    ],
)
@pytest.mark.parametrize("client", DIALECTS)
def test_an_error_in_a_stream_is_the_dialects_own(client: Dialect, vendor: Dialect, sent: dict[str, Any]) -> None:
    if client == vendor:
        return
    start = vendors.stream(vendor, {"model": "m"})[:1200].rpartition(b"\n\n")[0] + b"\n\n"
    out = passed(client, vendor, start + b"data: " + json.dumps(sent).encode() + b"\n\n", b"data: ignored\n\n")
    last = events_in(out)[-1]

    match client:
        case "anthropic_messages":
            assert ("overloaded_error", "No.") == (last["error"]["type"], last["error"]["message"])
        case "openai_chat":
            assert "No." == last["error"]["message"]
        case _:
            assert ("response.failed", "No.") == (last["type"], last["response"]["error"]["message"])


def chunk(*calls: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"tool_calls": list(calls)} if calls else {}, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode() + b"\n\n"


def call(index: int | None, arguments: str, id_: str | None = None) -> dict[str, Any]:
    begun = {"id": id_, "type": "function"} if id_ else {}
    place = {} if index is None else {"index": index}
    return {**place, **begun, "function": {"arguments": arguments, **({"name": f"tool_{id_}"} if id_ else {})}}


END = chunk(finish="stop") + b"data: [DONE]\n\n"
SIDE_BY_SIDE = chunk(call(0, '{"a":', "x"), call(1, '{"b":', "y")) + chunk(call(0, "1}"), call(1, "2}")) + END
ALL_NUMBERED_0 = chunk(call(0, '{"a":1}', "x")) + chunk(call(0, '{"b":2}', "y")) + END
IN_PIECES_NUMBERED_0 = (
    chunk(call(0, '{"a":', "x")) + chunk(call(0, "1}")) + chunk(call(0, '{"b":', "y")) + chunk(call(0, "2}")) + END
)
WITHOUT_NUMBERS = chunk(call(None, '{"a":', "x")) + chunk(call(None, "1}")) + chunk(call(None, '{"b":2}', "y")) + END


@pytest.mark.parametrize("stream", [SIDE_BY_SIDE, ALL_NUMBERED_0, IN_PIECES_NUMBERED_0, WITHOUT_NUMBERS])
def test_calls_of_tools_in_every_vendors_manner(stream: bytes) -> None:
    events = events_in(passed("anthropic_messages", "openai_chat", stream))
    arguments: dict[int, str] = {}
    for event in events:
        if event["type"] == "content_block_delta":
            arguments[event["index"]] = arguments.get(event["index"], "") + event["delta"]["partial_json"]

    assert ['{"a":1}', '{"b":2}'] == [arguments[index] for index in sorted(arguments)]
    assert ["tool_x", "tool_y"] == [event["content_block"]["name"] for event in events if "content_block" in event]
    assert "tool_use" == events[-2]["delta"]["stop_reason"]


def test_parts_that_a_vendor_leaves_open_end_before_the_answer() -> None:
    events = vendors.anthropic_stream("m", True).split(b"\n\n")
    left_open = b"\n\n".join(event for event in events if b"content_block_stop" not in event)
    done = events_in(passed("openai_responses", "anthropic_messages", left_open))[-1]["response"]

    assert ["reasoning", "message", "function_call", "function_call"] == [item["type"] for item in done["output"]]


def test_a_free_form_tools_text_comes_back_as_text() -> None:
    tools = [{"type": "custom", "name": "patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}]
    body = json.dumps({"model": "m", "input": "x", "tools": tools}).encode()
    exchange = translate("openai_responses", "openai_chat", body, Wire(), 0)
    stream = exchange.stream()
    call_ = {"index": 0, "id": "c", "type": "function", "function": {"name": "patch", "arguments": '{"input": "*** B'}}
    out = stream.feed(chunk(call_) + chunk(call(0, 'egin\\n"}')) + END)
    done = events_in(out)[-1]["response"]["output"][0]

    assert ["tools[].format"] == exchange.dropped
    assert ("custom_tool_call", "*** Begin\n") == (done["type"], done["input"])


def test_a_namespaces_tool_is_called_by_both_names_and_comes_back_in_its_namespace() -> None:
    inner = {"type": "function", "name": "spawn", "parameters": {"type": "object", "properties": {}}, "strict": False}
    tools = [{"type": "namespace", "name": "agents", "description": "Agents.", "tools": [inner]}]
    earlier = {"type": "function_call", "namespace": "agents", "name": "spawn", "call_id": "c0", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c0", "output": "ok"}
    body = {"model": "m", "input": [{"role": "user", "content": "x"}, earlier, output], "tools": tools}
    exchange = translate("openai_responses", "openai_chat", json.dumps(body).encode(), Wire(), 0)
    sent = json.loads(exchange.body)
    call_ = {"index": 0, "id": "c", "type": "function", "function": {"name": "agents__spawn", "arguments": "{}"}}
    out = exchange.stream().feed(chunk(call_) + END)
    done = events_in(out)[-1]["response"]["output"][0]

    assert ["tools[].description"] == exchange.dropped
    assert "agents__spawn" == sent["tools"][0]["function"]["name"]
    assert "agents__spawn" == sent["messages"][1]["tool_calls"][0]["function"]["name"]
    assert ("agents", "spawn", "{}") == (done["namespace"], done["name"], done["arguments"])


def test_reasoning_that_shows_nothing_is_no_part_and_summaries_stand_apart() -> None:
    def event(kind: str, **fields: Any) -> bytes:
        return b"data: " + json.dumps({"type": f"response.{kind}", **fields}).encode() + b"\n\n"

    hidden = {"id": "rs_1", "type": "reasoning", "summary": []}
    shown = {"id": "rs_2", "type": "reasoning", "summary": [], "encrypted_content": "E"}
    stream = (
        event("created", response={"id": "r", "model": "m"})
        + event("output_item.added", output_index=0, item=hidden)
        + event("output_item.done", output_index=0, item=hidden)
        + b"".join(
            event("reasoning_summary_text.delta", output_index=1, summary_index=index, delta=delta)
            for index, delta in ((0, "a"), (0, "b"), (1, "c"))
        )
        + event("output_item.done", output_index=1, item=shown)
        + event("completed", response={"id": "r"})
    )
    out = events_in(passed("anthropic_messages", "openai_responses", stream))
    deltas = [event["delta"] for event in out if event["type"] == "content_block_delta"]

    assert "ab\n\nc" == "".join(delta.get("thinking", "") for delta in deltas)
    assert {"type": "signature_delta", "signature": "openai:rs_2:E"} == deltas[-1]
    assert 1 == sum(event["type"] == "content_block_start" for event in out)


def test_events_are_parsed_as_the_standard_says() -> None:
    stream = (
        b'\xef\xbb\xbfevent: x\r\ndata: {"a"\r\ndata:: 1}\r\n\r\n: hello\rdata\r\rid: 3\n\nevent: lost\n\ndata: z\n\n'
    )
    parser = EventParser()
    events = list(parser.feed(stream))

    assert [
        ServerEvent("x", b'{"a"\n: 1}'),
        ServerEvent("", b"", comment=True),
        ServerEvent("", b"z"),
    ] == events
