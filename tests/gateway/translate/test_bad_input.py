"""Whatever a client or a vendor sends: a 400, the vendor's failure or an answer, and never a traceback."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.gateway.translate import BadRequest, Dialect, Wire, refused, translate
from offtake.gateway.translate.fields import encoded
from tests.gateway.translate import vendors
from tests.gateway.translate.meanings import requests
from tests.gateway.translate.test_round_trips import PAIRS, simple, written

DIALECTS: tuple[Dialect, ...] = get_args(Dialect)
pairs = pytest.mark.parametrize(("client", "vendor"), PAIRS)
FEWER = settings(max_examples=min(50, settings().max_examples))  # for each of six pairs
leaves = st.one_of(st.none(), st.booleans(), st.integers(-3, 2**70), st.floats(allow_nan=False), st.text(max_size=5))
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container and key of a JSON value."""
    found: list[tuple[Any, Any]] = []
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        found += [(value, key), *places(value[key])]
    return found


def spoiled(value: Any, data: st.DataObject) -> Any:
    """A value with one or two places replaced by anything, or gone."""
    for _ in range(data.draw(st.integers(1, 2))):
        if not (found := places(value)):
            break
        container, key = data.draw(st.sampled_from(found))
        if isinstance(container, dict) and data.draw(st.booleans()):
            del container[key]
        else:
            container[key] = data.draw(values)
    return value


@pairs
@FEWER
@given(requests(), st.data())
def test_a_spoiled_request_is_refused_or_translated(
    client: Dialect, vendor: Dialect, request: Any, data: st.DataObject
) -> None:
    body = spoiled(json.loads(written(client, request)), data)
    try:
        exchange = translate(client, vendor, json.dumps(body).encode(), Wire(), 0)
    except BadRequest as error:
        status, answer = refused(client, error)
        assert 400 == status
        assert "error" in json.loads(answer)
    else:
        assert json.loads(exchange.body)["model"] == body["model"]


@pairs
@FEWER
@given(st.booleans(), st.data())
def test_a_spoiled_answer_is_the_vendors_failure(
    client: Dialect, vendor: Dialect, first: bool, data: st.DataObject
) -> None:
    request = {"model": "m"} if first else {"model": "m", "seen": {"type": "function_call_output"}}
    answer = spoiled(json.loads(json.dumps(vendors.whole(vendor, request))), data)
    exchange = translate(client, vendor, simple(client), Wire(), 0)

    for status in (200, 400, 429, 500):
        given_back, body = exchange.answer(status, json.dumps(answer).encode())
        assert 200 <= given_back < 600
        assert isinstance(json.loads(body), dict)


@pairs
@FEWER
@given(st.data())
def test_a_spoiled_stream_ends_in_an_error_or_an_end(client: Dialect, vendor: Dialect, data: st.DataObject) -> None:
    stream = vendors.stream(vendor, {"model": "m"})
    events = stream.split(b"\n\n")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(events) - 1))
        name, mark, said = events[place].partition(b"data: ")
        match data.draw(st.integers(0, 3)):
            case 0:
                del events[place]
            case 1:
                events.insert(place, events[data.draw(st.integers(0, len(events) - 1))])
            case 2 if said.startswith(b"{"):
                events[place] = name + mark + encoded(spoiled(msgspec.json.decode(said), data))
            case _:
                events[place] = name + mark + data.draw(st.binary(max_size=9))
    translated = translate(client, vendor, simple(client), Wire(), 0).stream()
    out = translated.feed(b"\n\n".join(events)) + translated.finish()

    assert out
    assert b"" == translated.feed(stream) + translated.finish()


DEEP = (b"[" * 100_000, b'{"a":' * 100_000)
NOT_OBJECTS = (b"", b"{", b"null", b"[]", b"3", b'"x"', b"{}", b"\xff\xfe", b'{"model":1e999}')


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize("body", [*NOT_OBJECTS, *DEEP])
def test_no_body_is_a_traceback(client: Dialect, body: bytes) -> None:
    with pytest.raises(BadRequest) as raised:
        translate(client, "openai_chat" if client != "openai_chat" else "anthropic_messages", body, Wire(), 0)

    assert 400 == refused(client, raised.value)[0]


@pytest.mark.parametrize("client", DIALECTS)
@pytest.mark.parametrize(
    "body", [b"", b"<html>502 Bad Gateway</html>", b"null", b"[" * 100_000, b"{}", b'{"error": "no"}']
)
@pytest.mark.parametrize("status", [200, 400, 404, 418, 429, 500, 502, 503, 504, 529, 599])
def test_no_answer_is_a_traceback(client: Dialect, body: bytes, status: int) -> None:
    vendor: Dialect = "openai_chat" if client != "openai_chat" else "anthropic_messages"
    given_back, answer = translate(client, vendor, simple(client), Wire(), 0).answer(status, body)

    assert given_back >= 400
    assert json.loads(answer)["error"]["message"] or body == b"{}"
