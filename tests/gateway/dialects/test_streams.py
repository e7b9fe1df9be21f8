"""Streams: whatever pieces they arrive in, the client gets the vendor's bytes and we get the usage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.ask import Refusal, Served
from offtake.gateway.dialects import BY_NAME
from offtake.gateway.dialects.sse import Events, data_of
from offtake.usage.record import OUTCOMES
from tests.gateway.dialects.test_read import NAMES, spoken

Value = dict[str, Any]
HEADERS = {b"x-request-id": b"req_o", b"request-id": b"req_a"}
STREAMED = ["openai_chat", "openai_responses", "anthropic_messages"]


def data(value: Any, name: str = "", end: str = "\n") -> bytes:
    head = f"event: {name}{end}" if name else ""
    return f"{head}data: {json.dumps(value)}{end}{end}".encode()


def chunk(finish: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [{"index": 0, "delta": {"content": 'a "usage": {} in text'}, "finish_reason": finish}]
    return {"id": "c", "model": "gpt-5.6", "choices": choices, "usage": None, "service_tier": "flex", **more}


USAGE = chunk(choices=[], usage={"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13})
CHAT = [data(chunk()), b": keep-alive\n\n", data(chunk()), data(chunk("stop")), data(USAGE), b"data: [DONE]\n\n"]

STARTED: dict[str, Any] = {
    "id": "r",
    "model": "gpt-5.6",
    "status": "in_progress",
    "service_tier": "auto",
    "usage": None,
}
DONE: Value = {**STARTED, "status": "completed", "service_tier": "default", "output": [],
        "usage": {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}}  # fmt: skip


def event(kind: str, **more: Any) -> bytes:
    return data({"type": kind, **more}, kind)


RESPONSES = [
    event("response.created", response=STARTED),
    event("response.in_progress", response=STARTED),
    event("response.output_text.delta", delta='"type":"error"'),
    event("response.output_text.done", text="x"),
    event("response.completed", response=DONE),
]

BEGUN: Value = {"input_tokens": 9, "cache_creation_input_tokens": 6, "cache_read_input_tokens": 5, "output_tokens": 1,
         "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 4},
         "service_tier": "standard", "inference_geo": "us"}  # fmt: skip
MESSAGES = [
    event("message_start", message={"id": "m", "type": "message", "model": "claude-a", "usage": BEGUN}),
    event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
    event("ping"),
    event("content_block_delta", index=0, delta={"type": "text_delta", "text": '"type":"message_delta"'}),
    event("content_block_stop", index=0),
    event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 40}),
    event("message_stop"),
]
STREAMS = {"openai_chat": CHAT, "openai_responses": RESPONSES, "anthropic_messages": MESSAGES}
FINAL = {
    "openai_chat": Served({"input_tokens": 9, "output_tokens": 4}, "ok", "flex", "", "gpt-5.6", "req_o", "stop"),
    "openai_responses": Served(
        {"input_tokens": 9, "output_tokens": 4}, "ok", "default", "", "gpt-5.6", "req_o", "completed"
    ),
    "anthropic_messages": Served(
        {
            "input_tokens": 9, "cache_read_tokens": 5, "cache_write_5m_tokens": 2, "cache_write_1h_tokens": 4,
            "output_tokens": 40,
        },
        "ok", "standard", "us", "claude-a", "req_a", "end_turn",
    ),
}  # fmt: skip


def run(name: str, pieces: Sequence[bytes], wants_usage: bool = True, **more: Any) -> tuple[bytes, Served]:
    """The bytes that the client got, and what is known at the end."""
    options = {"stream_options": {"include_usage": True}} if wants_usage and name == "openai_chat" else {}
    ask = BY_NAME[name].read("", {}, spoken(name, {"stream": name in STREAMED, **options, **more}))
    stream = BY_NAME[name].Stream(ask, HEADERS)
    passed = [stream.feed(piece) for piece in pieces]
    return b"".join((*passed, stream.end())), stream.served()


@st.composite
def cut(draw: st.DrawFn, whole: bytes) -> list[bytes]:
    """The stream in any pieces, some of a single byte, some empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    return [whole[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]


@given(name=st.sampled_from(STREAMED), draws=st.data(), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_pieces_give_the_same_bytes_and_the_same_usage(name: str, draws: st.DataObject, end: str) -> None:
    whole = b"".join(STREAMS[name]).replace(b"\n", end.encode())

    assert (whole, FINAL[name]) == run(name, draws.draw(cut(whole)))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", STREAMED)
def test_events_that_come_each_alone_give_the_same(name: str, end: str) -> None:
    events = [event.replace(b"\n", end.encode()) for event in STREAMS[name]]

    assert (b"".join(events), FINAL[name]) == run(name, events)
    if name == "openai_chat":
        assert (b"".join([*events[:4], *events[5:]]), FINAL[name]) == run(name, events, wants_usage=False)


ENDS_TEXT = '"}}], "error": {"message": "x"}, "more": [{"delta": {"content": "'
TEXTS = st.lists(
    st.sampled_from(
        ['"', "\\", "\n", "\r", "a", "é", "usage", '"usage":{', "finish_reason", "[DONE]", "error", "content", ":", "@"]
    ),
    max_size=6,
).map("".join)
SAID = st.one_of(
    TEXTS.map(lambda text: chunk(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}])),
    st.sampled_from([chunk("stop"), chunk(error={"message": "x"}), chunk(usage={"prompt_tokens": 9}), USAGE, "[DONE]"]),
)


@given(said=st.lists(SAID, max_size=12), compact=st.booleans(), plain=st.booleans())
def test_chunks_that_differ_in_their_text_are_read_as_any(said: list[Value | str], compact: bool, plain: bool) -> None:
    """Chunks like the one before are known by what stands around their text; pieces of an event never are."""
    dialect, separators = BY_NAME["openai_chat"], (",", ":") if compact else (", ", ": ")
    ask = dialect.read("", {}, spoken("openai_chat", {"stream": True}))
    whole, pieces = dialect.Stream(ask, HEADERS), dialect.Stream(ask, HEADERS)
    for each in said:
        text = each if isinstance(each, str) else json.dumps(each, separators=separators, ensure_ascii=plain)
        event = f"data: {text}\n\n".replace("@", ENDS_TEXT).encode()

        assert whole.feed(event) == pieces.feed(event[:3]) + pieces.feed(event[3:])
        assert (whole.complete, whole.served()) == (pieces.complete, pieces.served())


@pytest.mark.parametrize("name", STREAMED)
def test_a_stream_says_when_its_usage_is_final(name: str) -> None:
    dialect = BY_NAME[name]
    stream = dialect.Stream(dialect.read("", {}, spoken(name, {"stream": True})), HEADERS)
    complete = []
    for piece in STREAMS[name]:
        stream.feed(piece)
        complete.append(stream.complete)
        assert not stream.complete or FINAL[name] == stream.served()

    assert [False, True] == sorted(set(complete))
    assert complete == sorted(complete)


def test_usage_so_far_is_not_final_while_another_choice_speaks() -> None:
    """So sends xAI: the usage so far, with each chunk."""
    stream = BY_NAME["openai_chat"].Stream(
        BY_NAME["openai_chat"].read("", {}, spoken("openai_chat", {"stream": True, "n": 2})), HEADERS
    )
    usage = {"prompt_tokens": 9, "completion_tokens": 1}
    stream.feed(data(chunk("stop", usage=usage)))
    assert not stream.complete
    stream.feed(data(USAGE))
    assert stream.complete
    assert {"input_tokens": 9, "output_tokens": 4} == stream.served().quantities


def test_an_event_without_an_end_does_not_fill_the_memory() -> None:
    events = Events()
    cut_off = [found for _ in range(40) for found in events.feed(b"x" * 2**20)]

    assert [33 * 2**20] == [len(found) for found in cut_off]
    assert 7 * 2**20 == len(events.rest())


@pytest.mark.parametrize("name", STREAMED)
def test_single_bytes_give_the_same(name: str) -> None:
    whole = b"".join(STREAMS[name])

    assert (whole, FINAL[name]) == run(name, [whole[at : at + 1] for at in range(len(whole))])


@given(draws=st.data(), end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_only_the_usage_that_was_not_asked_for_is_taken_out(draws: st.DataObject, end: str) -> None:
    whole, without = (b"".join(events).replace(b"\n", end.encode()) for events in (CHAT, [*CHAT[:4], *CHAT[5:]]))

    assert (without, FINAL["openai_chat"]) == run("openai_chat", draws.draw(cut(whole)), wants_usage=False)


def test_usage_beside_the_last_words_is_left_where_it_is() -> None:
    """DeepSeek and others send usage with the last choice; taking the chunk out would take its words."""
    last = data(chunk("stop", usage={"prompt_tokens": 9, "completion_tokens": 4}))

    assert (last, FINAL["openai_chat"]) == run("openai_chat", [last], wants_usage=False)


@given(draws=st.data())
def test_data_over_several_lines_is_one_event(draws: st.DataObject) -> None:
    lines = json.dumps(USAGE, indent=1).splitlines()
    whole = CHAT[0] + CHAT[3] + "".join(f"data: {line}\n" for line in lines).encode() + b"\n"

    assert (whole, FINAL["openai_chat"]) == run("openai_chat", draws.draw(cut(whole)))


def test_a_stream_without_a_blank_line_at_its_end_is_read() -> None:
    for name in STREAMED:
        whole = b"".join(STREAMS[name][:-1] if name == "openai_chat" else STREAMS[name]).rstrip(b"\n")

        assert (whole, FINAL[name]) == run(name, [whole])


@pytest.mark.parametrize("name", STREAMED)
@pytest.mark.parametrize("missing", [1, 2, 3, 4])
def test_a_cut_stream_is_unknown_until_the_vendor_has_said_all(name: str, missing: int) -> None:
    events = STREAMS[name][:-missing]
    passed, served = run(name, events)
    said_all = {"openai_chat": 1, "openai_responses": 0, "anthropic_messages": 1}[name]

    assert b"".join(events) == passed
    assert (missing <= said_all) == (served.quantities is not None)


def test_what_a_cut_stream_has_said_is_a_floor() -> None:
    _, served = run("anthropic_messages", MESSAGES[:4])
    floor = {
        "input_tokens": 9, "cache_read_tokens": 5, "cache_write_5m_tokens": 2, "cache_write_1h_tokens": 4,
        "output_tokens": 1,
    }  # fmt: skip

    assert (None, floor, "vendor_truncation") == (served.quantities, served.at_least, served.outcome)
    assert ("claude-a", "standard", "us") == (served.model, served.tier, served.region)


def test_who_cut_the_stream_is_the_outcome() -> None:
    for name in STREAMED:
        dialect = BY_NAME[name]
        stream = dialect.Stream(dialect.read("", {}, spoken(name, {"stream": True})), HEADERS)
        stream.feed(STREAMS[name][0])

        assert "client_cancel" == stream.served("client_cancel").outcome


def test_totals_that_grow_while_a_stream_runs_are_the_last_ones() -> None:
    grown = {"input_tokens": 90, "cache_creation_input_tokens": 16, "output_tokens": 40}
    events = [MESSAGES[0], event("message_delta", delta={"stop_reason": "end_turn"}, usage=grown)]
    _, served = run("anthropic_messages", events, cache_control={"type": "ephemeral", "ttl": "1h"})

    assert {
        "input_tokens": 90, "cache_read_tokens": 5, "cache_write_5m_tokens": 2, "cache_write_1h_tokens": 14,
        "output_tokens": 40,
    } == served.quantities  # fmt: skip


@pytest.mark.parametrize(
    ("name", "error", "outcome", "finish"),
    [
        ("openai_chat", data({"error": {"type": "server_error"}}), "http_5xx", "server_error"),
        ("openai_chat", data({"error": {"code": "rate_limit_exceeded"}}), "client_error", "rate_limit_exceeded"),
        ("openai_chat", data({"error": "out of memory"}), "http_5xx", "error"),
        ("openai_responses", event("error", code="server_error", message="m"), "http_5xx", "server_error"),
        ("openai_responses", event("error", error={"type": "timeout_error"}), "timeout", "timeout_error"),
        (
            "openai_responses",
            event("response.failed", response={**STARTED, "status": "failed", "error": {"code": "server_error"}}),
            "http_5xx",
            "server_error",
        ),
        ("anthropic_messages", event("error", error={"type": "overloaded_error"}), "http_5xx", "overloaded_error"),
        ("anthropic_messages", event("error", error={"type": "a_new_word"}), "http_5xx", "a_new_word"),
    ],
)
def test_an_error_in_the_middle_is_the_outcome(name: str, error: bytes, outcome: str, finish: str) -> None:
    passed, served = run(name, [STREAMS[name][0], error])

    assert passed.endswith(error)
    assert (None, outcome, finish) == (served.quantities, served.outcome, served.finish)


@pytest.mark.parametrize("name", STREAMED)
def test_our_own_error_in_a_stream_is_read_as_an_error(name: str) -> None:
    refusal = Refusal("upstream", "G901", "the vendor broke off")
    _, served = run(name, [STREAMS[name][0], BY_NAME[name].stream_error(refusal)])

    assert (None, "http_5xx") == (served.quantities, served.outcome)


PIECES = [
    b"data: {", b'"usage":{', b'"error":', b"\n\n", b"data: []\n\n", b"event: error\n",
    b'data: {"type":"message_start","message":{}}\n\n', b'data: {"type":"message_delta","usage":[]}\n\n',
    b'data: {"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":"x"}}\n\n',
]  # fmt: skip


@given(name=NAMES, pieces=st.lists(st.binary() | st.sampled_from(PIECES)))
def test_no_bytes_of_a_vendor_are_a_traceback_or_lost(name: str, pieces: list[bytes]) -> None:
    passed, served = run(name, pieces)

    assert b"".join(pieces) == passed
    assert served.outcome in OUTCOMES


@given(draws=st.data(), events=st.lists(st.tuples(
    st.sampled_from(["data: a\n", "data:b\n", ": c\n", "event: e\ndata: f\n", "data: g\ndata: h\n", "\n", ""]),
    st.sampled_from(["\n", "\r\n", "\r"]))))  # fmt: skip
def test_events_are_cut_alike_in_any_pieces(draws: st.DataObject, events: list[tuple[str, str]]) -> None:
    whole = b"".join((text + "\n").replace("\n", end).encode() for text, end in events)
    pieces, single, at_once = Events(), Events(), Events()
    in_pieces = [found for piece in draws.draw(cut(whole)) for found in pieces.feed(piece)]
    in_bytes = [found for at in range(len(whole)) for found in single.feed(whole[at : at + 1])]
    in_one = at_once.feed(whole)

    assert [*map(data_of, in_one)] == [*map(data_of, in_pieces)] == [*map(data_of, in_bytes)]
    assert whole == b"".join(in_pieces) + pieces.rest()
