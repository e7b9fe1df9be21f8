"""Requests are read alike however they arrive, and as another parser (h11) reads them; the malformed are refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.http.limits import Limits, RefusedError
from offtake.gateway.http.request import Request
from offtake.gateway.http.request_reader import RequestReader

Read = tuple[str, str, str, dict[bytes, bytes], bytes]
HOST = b"Host: x\r\n"


def read(pieces: list[bytes], *, repeats: bool = True) -> tuple[list[Read], int | None]:
    """What our reader makes of some pieces: requests, and the status of a refusal."""
    requests: list[Request] = []
    reader = RequestReader(requests.append, lambda: None, "", Limits(body_bytes=2000))
    if not repeats:
        reader._chances = 0  # llhttp reads each head
    refused = None
    for piece in pieces:
        try:
            reader.feed(piece)
        except RefusedError as error:
            refused = error.status
            break
    return [(r.method, r.path, r.query, r.headers, r.body) for r in requests], refused


def read_by_h11(data: bytes) -> tuple[list[Read], bool]:
    """What h11 makes of the same bytes: requests, and whether it refuses what follows."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=100_000)
    connection.receive_data(data)
    requests: list[Read] = []
    head: Any = None
    body = b""
    try:
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return requests, False
            if isinstance(event, h11.Request):
                head, body = event, b""
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                path, _, query = head.target.decode().partition("?")
                headers: dict[bytes, bytes] = {}
                for name, value in head.headers:
                    headers[name] = headers[name] + b", " + value if name in headers else value
                requests.append((head.method.decode(), path, query, headers, body))
                connection.send(h11.Response(status_code=200, headers=[]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.MUST_CLOSE:
                    return requests, False
                connection.start_next_cycle()
    except h11.RemoteProtocolError:
        return requests, True


def cut(data: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(bounds) if start < end]


TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_!#$%&'*+.^`|~", min_size=1, max_size=12)
VALUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)
RESERVED = {"host", "connection", "content-length", "transfer-encoding", "upgrade", "expect", "cookie"}
RESERVED |= {"proxy-connection", "authorization", "x-api-key", "content-type"}


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A valid request."""
    method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]))
    path = draw(st.text("abcXYZ019-._~/%:@!$&'()*+,;=", max_size=20))
    query = draw(st.none() | st.text("abcXYZ019-._~/?%:@!$&'()*+,;=", max_size=20))
    names = draw(st.lists(TOKEN.filter(lambda name: name.lower() not in RESERVED), max_size=6))
    pad = st.sampled_from(["", " ", "\t", "  "])
    lines = [f"{name}:{draw(pad)}{draw(VALUE)}{draw(pad)}\r\n" for name in names]
    body = draw(st.binary(max_size=300))
    framing, sent = "", b""
    match draw(st.sampled_from(["none", "length", "chunked"])):
        case "length":
            framing, sent = f"Content-Length: {len(body)}\r\n", body
        case "chunked":
            framing = "Transfer-Encoding: chunked\r\n"
            pieces = cut(body, draw(st.lists(st.integers(0, 300), max_size=4)))
            extension = draw(st.sampled_from([b"", b";a=b", b';a="b c"']))
            sent = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
            sent += b"0\r\n" + draw(st.sampled_from([b"", b"trailer: 1\r\n"])) + b"\r\n"
    lines.insert(draw(st.integers(0, len(lines))), framing)
    target = "/" + path + ("" if query is None else "?" + query)
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\n{''.join(lines)}\r\n".encode() + sent


@given(st.lists(requests(), min_size=1, max_size=3), st.lists(st.integers(0, 5000), max_size=12))
def test_valid_requests_are_read_alike_however_they_arrive_and_as_h11_reads_them(
    sent: list[bytes], places: list[int]
) -> None:
    data = b"".join(sent)

    whole, refused = read([data])

    assert (len(sent), None) == (len(whole), refused)
    assert (whole, None) == read(cut(data, places))
    assert (whole, False) == read_by_h11(data)


MUTATIONS = [
    b"\r",
    b"\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"\x0b",
    b"\xff",
    b"Content-Length: 3\r\n",
    b"0",
    b"-",
    b"\r\n",
    b";",
]
MUTATIONS += [b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b" chunked", b"HTTP/1.0", b"\r\n "]


@given(
    requests(),
    st.lists(st.tuples(st.integers(0, 600), st.sampled_from(MUTATIONS), st.integers(0, 2)), min_size=1, max_size=3),
    st.lists(st.integers(0, 600), max_size=6),
)
def test_broken_requests_mean_nothing_else_to_us_than_to_h11(
    data: bytes, mutations: list[tuple[int, bytes, int]], places: list[int]
) -> None:
    """Smuggling lives where two parsers see different requests: what both accept, both see alike."""
    for place, inserted, removed in mutations:
        at = place % (len(data) + 1)
        data = data[:at] + inserted + data[at + removed :]

    ours, refused = read([data])
    theirs, _ = read_by_h11(data)

    both = min(len(ours), len(theirs))
    assert theirs[:both] == ours[:both]
    assert (ours, refused) == read(cut(data, places))


@st.composite
def conversations(draw: st.DrawFn) -> bytes:
    """Requests of one client: the same head, or nearly, with bodies of its length, or nearly."""
    names = draw(st.lists(TOKEN.filter(lambda name: name.lower() not in RESERVED), max_size=4))
    lines = [b"%b: %b\r\n" % (name.encode(), draw(VALUE).encode()) for name in names]
    place = draw(st.integers(0, len(lines)))
    said = b""
    for body in draw(st.lists(st.binary(max_size=3000), min_size=2, max_size=5)):
        length = draw(st.sampled_from([b"%d", b"%d", b"%d", b"0%d", b"%d ", b"+%d", b"%dx", b"1%d", b"9999999999%d"]))
        framing = draw(st.sampled_from([b"Content-Length: "] * 5 + [b"content-length:", b"X: "])) + length % len(body)
        head = [b"POST /v1 HTTP/1.1\r\n", HOST, *lines[:place], framing + b"\r\n", *lines[place:], b"\r\n"]
        said += draw(st.sampled_from([b""] * 5 + [b"\r\n", b"\r"])) + b"".join(head) + body
    return said


@given(
    conversations(),
    st.lists(st.tuples(st.integers(0, 9000), st.sampled_from(MUTATIONS), st.integers(0, 2)), max_size=2),
    st.lists(st.integers(0, 9000), max_size=6),
)
def test_a_head_that_comes_again_is_read_as_if_it_had_not(
    data: bytes, mutations: list[tuple[int, bytes, int]], places: list[int]
) -> None:
    for place, inserted, removed in mutations:
        at = place % (len(data) + 1)
        data = data[:at] + inserted + data[at + removed :]

    plainly = read([data], repeats=False)

    assert plainly == read([data])
    assert plainly == read(cut(data, places))


def test_a_body_that_trickles_in_behind_a_repeated_head_is_whole_and_costs_little_more_than_its_bytes() -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n"
    body = b"0123456789" * 150
    requests: list[Request] = []
    reader = RequestReader(requests.append, lambda: None)
    reader.feed(head % 1 + b"x")
    for piece in (head % len(body), *(body[place : place + 2] for place in range(0, len(body), 2))):
        reader.feed(piece)
        assert len(reader._body) <= 3
    assert [b"x", body] == [request.body for request in requests]
    assert reader._repeated is not None and reader._repeated._request.body == b""
    assert reader._request is None
    assert requests[0].alike == requests[1].alike != b""
    assert b"%d" % len(body) == requests[1].headers[b"content-length"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"POST / HTTP/1.1\r\n" + HOST + framing + b"\r\n3\r\nabc\r\n0\r\n\r\n", status)
        for framing, status in [
            (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", 400),
            (b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", 400),
            (b"Content-Length: 3\r\nContent-Length: 3\r\n", 400),
            (b"Content-Length: 3\r\nContent-Length: 4\r\n", 400),
            (b"Content-Length: 3, 3\r\n", 400),
            (b"Content-Length: +3\r\n", 400),
            (b"Content-Length: -3\r\n", 400),
            (b"Content-Length: 0x3\r\n", 400),
            (b"Content-Length: 3 3\r\n", 400),
            (b"Content-Length:\r\n", 400),
            (b"Content-Length: 99999999999999999999999\r\n", 400),
            (b"Content-Length : 3\r\n", 400),
            (b"Transfer-Encoding : chunked\r\n", 400),
            (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
            (b"Transfer-Encoding: chunked, identity\r\n", 400),
            (b"Transfer-Encoding: identity\r\n", 501),
            (b"Transfer-Encoding: xchunked\r\n", 501),
            (b"Transfer-Encoding: gzip, chunked\r\n", 501),
            (b"Transfer-Encoding:\x0bchunked\r\n", 400),
            (b"Transfer-Encoding: chun\r\n ked\r\n", 400),
            (b"X: a\r\n b\r\n", 400),
            (b" X: a\r\n", 400),
            (b"X\r\n", 400),
            (b": a\r\n", 400),
            (b"X y: a\r\n", 400),
            (b"X: a\0b\r\n", 400),
            (b"X: a\rb\r\n", 400),
            (b"X: a\nY: b\r\n", 400),
            (b"Host: y\r\n", 400),
            (b"Authorization: a\r\nAuthorization: b\r\n", 400),
            (b"Expect: something\r\n", 417),
        ]
    ],
)
def test_a_request_that_two_parsers_could_read_differently_is_refused(data: bytes, status: int) -> None:
    assert ([], status) == read([data])
    assert ([], status) == read([data[place : place + 1] for place in range(len(data))])


@pytest.mark.parametrize(
    "chunks",
    [
        b"0x1\r\na\r\n0\r\n\r\n",
        b"1 \r\na\r\n0\r\n\r\n",
        b"+1\r\na\r\n0\r\n\r\n",
        b"-1\r\na\r\n0\r\n\r\n",
        b"\r\na\r\n0\r\n\r\n",
        b"g\r\na\r\n0\r\n\r\n",
        b"1\na\n0\n\n",
        b"1\r\nab\r\n0\r\n\r\n",
        b"1\r\na0\r\n\r\n",
        b"ffffffffffffffff1\r\na\r\n",
        b"1;\n\r\na\r\n0\r\n\r\n",
    ],
)
def test_a_chunk_that_is_not_one_is_refused(chunks: bytes) -> None:
    data = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks
    assert ([], 400) == read([data])


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"GET / HTTP/0.9\r\n" + HOST + b"\r\n", 505),
        (b"GET /\r\n\r\n", 505),
        (b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n", 400),
        (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET a HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET ftp://x/ HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"CONNECT x:1 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ],
)
def test_a_start_that_is_none_is_refused(data: bytes, status: int) -> None:
    assert ([], status) == read([data])


def test_an_address_in_the_request_line_is_its_path() -> None:
    data = b"GET http://y:1/a/b?c=d HTTP/1.1\r\n" + HOST + b"\r\nOPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n"
    assert [("/a/b", "c=d"), ("*", "")] == [(path, query) for _, path, query, _, _ in read([data])[0]]


def test_a_request_in_a_traceback_or_a_log_shows_neither_key_nor_body() -> None:
    requests: list[Request] = []
    RequestReader(requests.append, lambda: None).feed(
        b"POST /v1?token=query HTTP/1.1\r\n" + HOST + b"Authorization: key\r\nContent-Length: 4\r\n\r\nbody"
    )
    assert "[POST /v1]" == repr(requests)


def test_what_follows_the_last_request_is_not_read() -> None:
    data = b"GET / HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\nrubbish"
    requests, refused = read([data])
    assert (1, None) == (len(requests), refused)
