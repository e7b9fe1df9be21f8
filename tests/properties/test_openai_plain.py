"""What the short reading of chat completions reads, the full reading reads too; where it is unsure it reads nothing."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, target
from hypothesis import strategies as st

from offtake.gateway.ask import Edits
from offtake.gateway.dialects import openai_chat, openai_plain
from offtake.gateway.dialects.openai_plain import SILENT, WHOLE, with_usage
from offtake.usage.usage_objects import context_of

WORDS = st.sampled_from(
    ["", "hello", "größer", "漢字", "\ufdfa", "ﷺ" * 3, "😀", "a\u0301", 'say "no"', "line\nline", "\\u0041"]
)
COUNTS: st.SearchStrategy[Any] = st.one_of(
    st.integers(0, 4_096),
    st.sampled_from(
        [None, 0, -1, 1.5, 10.0, True, False, "12", 10**8, 10**9, 10**12, 2**31, 2**63, 2**64, 10**30, [], {}]
    ),
)
AMOUNTS = st.integers(0, 50) | st.integers(0, 10**9)
LITERALS = st.sampled_from(
    ["1e3", "1E2", "1.0", "-0", "0", "00", "007", "+1", " 5", "12345678901", "null", "true", "NaN", '"9"']
)
"""Numbers as only a text of one's own writes them."""


def members(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional)


TEXT = members({"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": WORDS}, {"name": WORDS})
ODD_MESSAGE = st.one_of(
    members({"role": WORDS, "content": st.none() | st.integers()}, {}),
    members({"role": WORDS}, {"audio": st.just({"id": "a"}), "tool_calls": st.just([]), "refusal": st.none()}),
    st.just({"role": "user", "content": [{"type": "text", "text": "hello"}]}),
    st.just({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://e.x/a.png"}}]}),
    st.just({"role": "user", "content": "x", "audio": {"id": "a"}}),
    st.sampled_from([None, "text", 3, []]),
)
MESSAGES: st.SearchStrategy[Any] = (
    st.lists(TEXT, max_size=4) | st.lists(TEXT | ODD_MESSAGE, max_size=4) | st.sampled_from([None, "text", {}])
)
ORDINARY = {
    "max_tokens": st.integers(0, 4_096) | COUNTS,
    "max_completion_tokens": st.integers(0, 4_096) | COUNTS,
    "temperature": st.sampled_from([0, 0.5, 1e-3, None]),
    "top_p": st.just(0.9),
    "seed": st.integers(),
    "stop": st.sampled_from([None, "end", ["a", "b"]]),
    "user": WORDS,
    "stream": st.booleans() | st.sampled_from([None, 0, "false"]),
    "stream_options": st.just({"include_usage": True}) | st.sampled_from([None, {}, {"include_usage": False}]),
}
ODD: dict[str, Any] = {
    "n": COUNTS,
    "tools": st.sampled_from([[], [{"type": "function", "function": {"name": "f"}}], [{"type": "web_search"}], None]),
    "response_format": st.just({"type": "json_object"}),
    "service_tier": st.sampled_from(["auto", "flex", "", None]),
    "prompt_cache_key": WORDS,
    "store": st.sampled_from([True, False, None]),
    "prediction": st.just({"type": "content", "content": "abc"}),
    "modalities": st.just(["text", "audio"]),
    "web_search_options": st.just({}),
    "cached_content": st.just("c"),
    "someday": st.none(),
}
MODELS = st.sampled_from(["gpt-5.4", "gpt-5.4-mini", "modèle", "a\tb"]) | st.sampled_from(["", None, 5])


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """A request's body: mostly ordinary, in any spelling, and now and then with a member twice or a broken end."""
    odd = ODD if draw(st.integers(0, 3)) == 0 else {}
    fields = draw(members({"model": MODELS, "messages": MESSAGES}, ORDINARY | odd))
    names = draw(st.permutations(sorted(fields)))
    twice = draw(st.sampled_from([*names, None, None, None])) if draw(st.integers(0, 3)) == 0 else None
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:")]))
    ascii_only = draw(st.booleans())
    written = [(name, json.dumps(fields[name], ensure_ascii=ascii_only, separators=(comma, colon))) for name in names]
    if draw(st.integers(0, 4)) == 0:
        written = [(name, draw(LITERALS) if name.startswith("max_") else text) for name, text in written]
    if twice is not None:
        written.append((twice, json.dumps(fields[twice])))
    name_of = json.dumps if draw(st.integers(0, 5)) else escaped
    body = "{" + comma.join(f"{name_of(name)}{colon}{text}" for name, text in written) + "}"
    end = draw(st.sampled_from(["", "", "", "", "\n", " ", "x", "}"]))
    return (body + end).encode(errors="surrogatepass")


def escaped(name: str) -> str:
    return '"' + "".join(f"\\u{ord(letter):04x}" for letter in name[:1]) + name[1:] + '"'


@given(bodies())
@example(b'{"model":"m","messages":[{"role":"user","content":"\\ufdfa"}],"max_tokens":7}')
@example(b'{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}')
@example(b'{"model":"m","messages":[],"max_tokens":3,"max_tokens":4}')
@example(b'{"model":"m","messages":[],"max_tokens":007}')
@example(b'{"model":"m","messages":[],"max_tokens":-0}')
@example(b'{"model":"m","messages":[],"user":"\xff"}')
def test_a_plain_request_is_read_as_in_full(body: bytes) -> None:
    plain = openai_plain.asked(body)
    target(float(plain is not None))
    if plain is None:
        return
    model, kind, input_tokens_max, output_tokens_max = plain
    try:
        name = json.loads(model)
    except ValueError:
        name = None
    if not isinstance(name, str) or not name:
        return  # no request with it has been served, so that no routine has this model
    ask = openai_chat.read("/v1/chat/completions", {}, body)

    assert (name, input_tokens_max, output_tokens_max) == (
        ask.model, ask.input_tokens_max, ask.output_tokens_max,
    )  # fmt: skip
    assert (kind != WHOLE, 1, (), 0, "", "", False, "") == (
        ask.stream, ask.choices, ask.media, ask.server_tools, ask.tier, ask.session, ask.stores, ask.region,
    )  # fmt: skip
    assert ("5m",) == ask.cache_writes
    assert ((), kind != SILENT, body) == (ask.other_models, ask.wants_usage, ask.body)
    if kind == SILENT:
        edits = Edits(include_usage=True, vendor="openai")
        assert openai_chat.edited(ask, edits) == (with_usage(body), ("stream_options",))


def test_ordinary_requests_are_plain() -> None:
    message = {"role": "user", "content": "größer?"}
    for limit in ({}, {"max_tokens": 5}, {"max_completion_tokens": 5}, {"max_tokens": 5, "max_completion_tokens": 9}):
        body = json.dumps({"model": "m", "messages": [message], "stream": False, "temperature": 0} | limit).encode()
        plain = openai_plain.asked(body)

        assert plain is not None
        assert max(limit.values(), default=None) == plain[3]


DETAILS_IN = members(
    {},
    {"cached_tokens": AMOUNTS, "audio_tokens": st.just(0) | COUNTS, "text_tokens": COUNTS}
    | {"image_tokens": st.just(0), "cache_write_tokens": st.just(0) | COUNTS}
    | {"cached_tokens_details": st.sampled_from([None, {}, {"audio_tokens": 2}])},
)
DETAILS_OUT = members({}, {"reasoning_tokens": AMOUNTS, "audio_tokens": st.just(0) | COUNTS, "image_tokens": COUNTS})
PLAIN_USAGE = members(
    {"prompt_tokens": AMOUNTS, "completion_tokens": AMOUNTS},
    {"total_tokens": AMOUNTS | COUNTS, "prompt_tokens_details": st.none() | DETAILS_IN}
    | {"completion_tokens_details": st.none() | DETAILS_OUT},
)
ANY_USAGE = members(
    {},
    {"prompt_tokens": COUNTS, "completion_tokens": COUNTS, "total_tokens": COUNTS}
    | {"prompt_tokens_details": st.just({"cached_tokens": -1}) | COUNTS | DETAILS_IN}
    | {"completion_tokens_details": st.just({"reasoning_tokens": "3"}) | COUNTS | DETAILS_OUT}
    | {"prompt_cache_hit_tokens": COUNTS, "cost": st.just(0.1)},
)
ENDS = st.sampled_from(["stop", "length", "tool_calls", "function_call", "eos", "STOP"]) | st.sampled_from(
    ["content_filter", "error", "", None, 5, "insufficient_system_resource", "unknown"]
)
CHOICE = members({"finish_reason": ENDS}, {"index": st.just(0), "message": st.just({"content": "x"})})
ANSWERS = members(
    {
        "model": st.sampled_from(["gpt-5.4", "gpt-5.4-2026-03-01"]) | st.sampled_from(["", None, 4]),
        "choices": st.lists(CHOICE, min_size=1, max_size=1) | st.lists(CHOICE, max_size=2) | st.none(),
        "usage": PLAIN_USAGE | ANY_USAGE | st.none(),
    },
    {
        "id": st.just("chatcmpl-1"),
        "service_tier": st.sampled_from(["default", "", None, "priority", "flex", "sometimes", 3]),
        "error": st.sampled_from([None, {"type": "server_error"}, {}, "no", False]),
    },
)


@given(ANSWERS, st.sampled_from([b"", b" ", b"\n", b"x", b'"']), st.sampled_from([(",", ":"), (", ", ": ")]))
@example(
    {"model": "m", "choices": [{"finish_reason": ""}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}},
    b"",
    (",", ":"),
)
@example(
    {"model": "m", "choices": [{"finish_reason": "stop"}], "usage": {"prompt_tokens": 1.0, "completion_tokens": 1}},
    b"",
    (",", ":"),
)
@example(
    {"model": "m", "choices": [{"finish_reason": "stop"}], "usage": {"prompt_tokens": 0, "completion_tokens": 0}},
    b"",
    (",", ":"),
)
def test_a_plain_answer_is_read_as_in_full(answer: dict[str, Any], end: bytes, marks: tuple[str, str]) -> None:
    body = json.dumps(answer, separators=marks).encode() + end
    told = openai_plain.told(body)
    target(float(told is not None))
    if told is None:
        return
    served = openai_chat.served(200, {}, body)

    model, tier, quantities, context = told
    assert (quantities, model, tier, "ok") == (
        served.quantities, served.model, served.tier, served.outcome,
    )  # fmt: skip
    assert context_of(quantities) == context
    assert list(quantities) == list(served.quantities or {})  # the journal's bytes are the same too
    assert ("", (), {}) == (served.region, served.others, served.at_least)


def test_ordinary_answers_are_plain() -> None:
    usage = {
        "prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 3, "audio_tokens": 0, "accepted_prediction_tokens": 0},
    }  # fmt: skip
    choice = {"index": 0, "message": {"role": "assistant", "content": "x", "refusal": None}, "finish_reason": "stop"}
    body = json.dumps({"id": "c", "model": "m", "choices": [choice], "usage": usage, "service_tier": "default"})
    told = openai_plain.told(body.encode())

    assert told is not None
    used = {"input_tokens": 4, "cache_read_tokens": 8, "output_tokens": 5, "reasoning_tokens": 3}
    assert ("m", "default", used, 12) == told
