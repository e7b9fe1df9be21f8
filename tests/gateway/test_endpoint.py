"""What of a client's head goes to a vendor, the first time and again."""

from __future__ import annotations

import pytest

from offtake.gateway.http.request import Request
from offtake.gateway.http.request_reader import RequestReader
from offtake.gateway.http.upstream import Pool
from offtake.gateway.vendors.endpoint import AnthropicWire, Call, Endpoint, OpenAIWire, Wire

HEAD = (
    b"POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: us\r\nAuthorization: Bearer %b\r\nX-Beta: %b\r\n"
    b"Cookie: c\r\nOfftake-Usage: trailing\r\nContent-Length: %d\r\n\r\n%b"
)


def requests(*asked: tuple[bytes, bytes, bytes]) -> list[Request]:
    """Requests of one connection: the client's key, a header that passes, and the body."""
    found: list[Request] = []
    reader = RequestReader(found.append, lambda: None)
    for key, beta, body in asked:
        reader.feed(HEAD % (key, beta, len(body), body))
    return found


def head(endpoint: Endpoint, call: Call) -> bytes:
    block = call.block or endpoint.pool.block("POST", call.target, call.headers)
    return block.before + b"%d" % len(call.body) + block.after


def endpoint_of(wire: Wire) -> Endpoint:
    return Endpoint("v", {}, Pool("http://vendor.invalid/v1"), wire)


@pytest.mark.parametrize("wire", [OpenAIWire("sk", ["chat"]), OpenAIWire("sk", ["chat"], azure=True, api_version="1")])
def test_a_head_that_comes_again_goes_on_as_it_did_the_first_time(wire: Wire) -> None:
    asked = requests((b"k1", b"x", b"1"), (b"k1", b"x", b"22"), (b"k2", b"y", b"3"), (b"k1", b"x", b""))
    endpoint = endpoint_of(wire)
    heads = [
        head(endpoint, endpoint.call("openai_chat", "m", False, each.body, each, translated=False)) for each in asked
    ]
    alone = [
        head(endpoint, endpoint_of(wire).call("openai_chat", "m", False, each.body, each, translated=False))
        for each in asked
    ]
    assert alone == heads
    assert [b"x-beta: x" in each for each in heads] == [True, True, False, True]
    for each in heads:
        assert all(word not in each.lower() for word in (b"cookie", b"offtake", b"bearer k", b"host: us"))


def test_heads_are_remembered_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("offtake.gateway.vendors.endpoint.BLOCKS_MAX", 3)
    endpoint = endpoint_of(OpenAIWire("sk", ["chat"]))
    for number in range(10):
        [asked] = requests((b"k", b"%d" % number, b"1"))
        call = endpoint.call("openai_chat", "m", False, b"1", asked, translated=False)
        assert b"x-beta: %d\r\n" % number in head(endpoint, call)
    assert len(endpoint._blocks) <= 3


def test_a_translated_request_takes_few_headers_along() -> None:
    endpoint = endpoint_of(AnthropicWire("sk"))
    asked = requests((b"k", b"x", b"1"), (b"k", b"x", b"1"))
    for each in asked:
        sent = head(endpoint, endpoint.call("anthropic_messages", "m", False, b"1", each, translated=True))
        assert b"x-beta" not in sent
        assert b"?a=b" not in sent
    assert not endpoint._blocks
