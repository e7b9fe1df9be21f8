"""Vendors' answers are read alike however they arrive, and as another parser (h11) reads them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offtake.gateway.http.answer import BrokenError
from offtake.gateway.http.link import Link
from offtake.gateway.http.upstream import Block, Pool, Timeouts, Waiting
from tests.gateway.http.test_reading import MUTATIONS, TOKEN, VALUE, cut

Read = tuple[int, dict[bytes, bytes], bytes] | None


class Wire:
    """A transport that goes nowhere."""

    def __init__(self) -> None:
        self.closed = False

    def write(self, data: bytes) -> None:
        pass

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def is_reading(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> None:
        return None


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def read(loop: asyncio.Runner, pieces: list[bytes], method: str) -> Read:
    """The answer that our link makes of some pieces and an end; None where it is broken."""

    async def run() -> Read:
        pool = Pool("http://vendor.invalid")
        link = Link(pool, asyncio.get_running_loop())
        wire = Wire()
        link.connection_made(cast(Any, wire))
        waiting = Waiting(asyncio.get_running_loop().create_future())
        link.send(Block(method, b"", b""), b"", Timeouts(), waiting)
        for piece in pieces:
            if not wire.closed:
                link.data_received(piece)
        if not wire.closed:
            link.eof_received()
        link.connection_lost(None)
        try:
            answer = await waiting.future
            return answer.status, answer.headers, await answer.whole(10_000)
        except BrokenError:
            return None

    return loop.run(run())


def read_by_h11(data: bytes, method: str) -> Read:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    head: Any = None
    body = b""
    try:
        connection.receive_data(data)
        ended = False
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if ended:
                    return None
                ended = True
                connection.receive_data(b"")
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                headers: dict[bytes, bytes] = {}
                for name, value in head.headers:
                    headers[name] = headers[name] + b", " + value if name in headers else value
                return head.status_code, headers, body
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None


RESERVED = {"connection", "content-length", "transfer-encoding", "upgrade", "set-cookie", "cookie"}


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """A valid answer, perhaps after others of one line."""
    early = draw(st.lists(st.sampled_from(["100 Continue\r\n", "103 Early Hints\r\nLink: </a>\r\n"]), max_size=2))
    status = draw(st.sampled_from(["200 OK", "404 Not Found", "529 ", "204 No Content", "304 Not Modified"]))
    names = draw(st.lists(TOKEN.filter(lambda name: name.lower() not in RESERVED), max_size=5))
    lines = [f"{name}: {draw(VALUE)}\r\n" for name in names]
    body = b"" if status[:3] in ("204", "304") else draw(st.binary(max_size=300))
    framing, sent = "", body
    match draw(st.sampled_from(["length", "chunked", "close"])):
        case "length" if not status.startswith("204"):
            framing = f"Content-Length: {len(body)}\r\n"
        case "chunked" if status[:3] not in ("204", "304"):
            framing = "Transfer-Encoding: chunked\r\n"
            pieces = cut(body, draw(st.lists(st.integers(0, 300), max_size=4)))
            sent = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
            sent += b"0\r\n" + draw(st.sampled_from([b"", b"trailer: 1\r\n"])) + b"\r\n"
    lines.insert(draw(st.integers(0, len(lines))), framing)
    heads = "".join(f"HTTP/1.1 {line}\r\n" for line in early) + f"HTTP/1.1 {status}\r\n{''.join(lines)}\r\n"
    return heads.encode() + sent


METHODS = st.sampled_from(["GET", "POST", "HEAD"])


@given(answers(), METHODS, st.lists(st.integers(0, 1000), max_size=8))
def test_valid_answers_are_read_alike_however_they_arrive_and_as_h11_reads_them(
    loop: asyncio.Runner, data: bytes, method: str, places: list[int]
) -> None:
    whole = read(loop, [data], method)

    assert whole is not None
    assert whole == read(loop, cut(data, places), method)
    assert whole == read_by_h11(data, method)


@given(
    answers(),
    st.lists(st.tuples(st.integers(0, 600), st.sampled_from(MUTATIONS), st.integers(0, 2)), min_size=1, max_size=3),
    st.lists(st.integers(0, 600), max_size=6),
)
def test_broken_answers_mean_nothing_else_to_us_than_to_h11(
    loop: asyncio.Runner, data: bytes, mutations: list[tuple[int, bytes, int]], places: list[int]
) -> None:
    for place, inserted, removed in mutations:
        at = place % (len(data) + 1)
        data = data[:at] + inserted + data[at + removed :]

    ours, theirs = read(loop, [data], "POST"), read_by_h11(data, "POST")

    assert ours == read(loop, cut(data, places), "POST")
    if ours is not None and theirs is not None:
        assert (theirs[0], theirs[2]) == (ours[0], ours[2])


@given(answers(), st.integers(0, 1000))
def test_an_answer_without_its_end_is_broken(loop: asyncio.Runner, data: bytes, place: int) -> None:
    """But for one that ends with its connection, which nobody can tell from a shorter one."""
    short = data[: place % len(data)]

    got, theirs = read(loop, [short], "POST"), read_by_h11(short, "POST")

    assert theirs == got
