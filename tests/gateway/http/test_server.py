"""What clients get from the server, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from offtake.gateway.http import Request, Responder
from tests.gateway.http.peers import client, echo, fast, on_both_loops, serving, until

pytestmark = on_both_loops
Run = Callable[..., Any]
GET = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"


def test_a_connection_serves_one_request_after_another(run: Run) -> None:
    async def test() -> None:
        async with serving() as (_, port), client(port) as peer:
            for _ in range(3):
                peer.send(GET)
                status, headers, body = await peer.answer()
                assert (200, b"GET /a?b=c 0 ") == (status, body)
                assert "GMT" in headers["date"]
                assert "connection" not in headers

    fast(run, test())


def test_requests_sent_ahead_are_answered_in_order(run: Run) -> None:
    async def slow_first(request: Request, responder: Responder) -> None:
        await asyncio.sleep(0.05 if request.path == "/0" else 0)
        await echo(request, responder)

    async def test() -> None:
        async with serving(slow_first) as (_, port), client(port) as peer:
            peer.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(5)))
            assert [f"GET /{n}? 0 ".encode() for n in range(5)] == [(await peer.answer())[2] for _ in range(5)]
            peer.send(GET)
            assert 200 == (await peer.answer())[0]

    fast(run, test())


def test_requests_sent_ahead_to_a_handler_that_answers_at_once_are_answered_as_others(run: Run) -> None:
    post = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"

    def at_once(request: Request, responder: Responder) -> None:
        responder.answer(200, b"", request.body)

    async def test() -> None:
        async with serving(at_once) as (server, port), client(port) as peer:
            peer.send(b"".join(post % length + b"x" * length for length in range(50)) + b"rubbish\r\n\r\n")
            for length in range(50):
                assert (200, b"x" * length) == (await peer.answer())[::2]
            assert 400 == (await peer.answer())[0]
            assert b"" == await peer.rest()
            assert 0 == server.held.size_bytes

    fast(run, test())


def test_more_requests_ahead_than_allowed_close_the_connection_after_those_answered(run: Run) -> None:
    async def test() -> None:
        async with serving(pipelined=3) as (_, port), client(port) as peer:
            peer.send(GET * 50)
            whole = await peer.rest()
            assert 4 == whole.count(b"HTTP/1.1 200 OK")
            assert 1 == whole.count(b"connection: close")

    fast(run, test())


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(run: Run) -> None:
    async def test() -> None:
        async with serving() as (_, port), client(port) as peer:
            peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            assert b"HTTP/1.1 100 Continue\r\n\r\n" == await peer.reader.readuntil(b"\r\n\r\n")
            peer.send(b"abc")
            assert b"POST /? 3 abc" == (await peer.answer())[2]

    fast(run, test())


def test_leave_to_send_waits_for_the_answer_before(run: Run) -> None:
    async def slow(request: Request, responder: Responder) -> None:
        await asyncio.sleep(0.02)
        await echo(request, responder)

    async def test() -> None:
        async with serving(slow) as (_, port), client(port) as peer:
            peer.send(GET + b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            assert b"GET /a?b=c 0 " == (await peer.answer())[2]
            assert b"HTTP/1.1 100 Continue\r\n\r\n" == await peer.reader.readuntil(b"\r\n\r\n")
            peer.send(b"abc")
            assert b"POST /? 3 abc" == (await peer.answer())[2]

    fast(run, test())


@pytest.mark.parametrize(
    ("request_head", "closes"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\n\r\n", True),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
    ],
)
def test_the_client_decides_whether_the_connection_stays(run: Run, request_head: bytes, closes: bool) -> None:
    async def test() -> None:
        async with serving() as (_, port), client(port) as peer:
            peer.send(request_head)
            _, headers, body = await peer.answer()
            assert b"GET /? 0 " == body
            assert ("close" if closes else "keep-alive") == headers["connection"]
            if closes:
                assert b"" == await peer.rest()

    fast(run, test())


async def three_chunks(request: Request, responder: Responder) -> None:
    responder.start(200, {b"content-type": b"text/event-stream"})
    for piece in (b"a", b"b" * 100_000, b"c"):
        responder.write(piece)
        await responder.drain()
    responder.finish()


def test_a_stream_comes_in_chunks_and_the_connection_stays(run: Run) -> None:
    async def test() -> None:
        async with serving(three_chunks) as (_, port), client(port) as peer:
            for _ in range(2):
                peer.send(GET)
                status, headers, body = await peer.answer()
                assert (200, "chunked", 100_002) == (status, headers["transfer-encoding"], len(body))

    fast(run, test())


def test_a_stream_to_an_old_client_ends_with_the_connection(run: Run) -> None:
    async def test() -> None:
        async with serving(three_chunks) as (_, port), client(port) as peer:
            peer.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            head, _, body = (await peer.rest()).partition(b"\r\n\r\n")
            assert b"transfer-encoding" not in head
            assert b"connection: close" in head
            assert b"a" + b"b" * 100_000 + b"c" == body

    fast(run, test())


@pytest.mark.parametrize("handle", [echo, three_chunks])
def test_an_answer_to_head_has_no_body(run: Run, handle: Any) -> None:
    async def test() -> None:
        async with serving(handle) as (_, port), client(port) as peer:
            peer.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            await peer.reader.readuntil(b"\r\n\r\n")
            peer.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await peer.rest()).startswith(b"HTTP/1.1 200 OK\r\n")

    fast(run, test())


def test_a_client_that_offers_another_protocol_is_answered_in_this_one(run: Run) -> None:
    """Java's HttpClient offers h2c with each first request, its body behind it."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"

    async def test() -> None:
        async with serving() as (_, port), client(port) as peer:
            peer.send(b"POST / HTTP/1.1\r\nHost: x\r\n" + offer + b"Content-Length: 3\r\n\r\nabc" + GET)
            assert b"POST /? 3 abc" == (await peer.answer())[2]
            assert b"GET /a?b=c 0 " == (await peer.answer())[2]
            peer.send(b"POST / HTTP/1.1\r\nHost: x\r\n" + offer + b"Transfer-Encoding: chunked\r\n\r\n1\r\na")
            await asyncio.sleep(0.01)
            peer.send(b"\r\n2\r\nbc\r\n0\r\n\r\n" + GET)
            assert b"POST /? 3 abc" == (await peer.answer())[2]
            assert b"GET /a?b=c 0 " == (await peer.answer())[2]

    fast(run, test())


def test_a_handler_goes_on_when_its_client_leaves_and_is_told(run: Run) -> None:
    seen: list[Any] = []

    async def long(request: Request, responder: Responder) -> None:
        responder.on_gone = lambda: seen.append("told")
        responder.start(200, {})
        responder.write(b"a")
        await until(lambda: bool(seen))
        assert responder.gone
        responder.write(b"b")
        await responder.drain()
        responder.finish()
        seen.append("done")

    async def test() -> None:
        async with serving(long) as (server, port):
            async with client(port) as peer:
                peer.send(GET)
                await peer.reader.readuntil(b"a\r\n")
                peer.reset()
            await until(lambda: len(seen) == 2)
            assert ["told", "done"] == seen
            await until(lambda: not server.running and not server.connections)
            assert 0 == server.held.size_bytes

    fast(run, test())


def test_a_client_that_closes_only_its_side_gets_its_answers(run: Run) -> None:
    async def slow(request: Request, responder: Responder) -> None:
        await asyncio.sleep(0.02)
        await echo(request, responder)

    async def test() -> None:
        async with serving(slow) as (_, port), client(port) as peer:
            peer.send(GET + GET)
            peer.writer.write_eof()
            assert 2 == (await peer.rest()).count(b"GET /a?b=c 0 ")

    fast(run, test())


def test_a_handler_that_fails_answers_500_or_cuts_its_stream(run: Run) -> None:
    async def fails(request: Request, responder: Responder) -> None:
        if request.path == "/stream":
            responder.start(200, {})
            responder.write(b"a")
        raise LookupError("nobody catches this")

    async def test() -> None:
        failures: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context["exception"]))
        async with serving(fails) as (_, port), client(port) as peer:
            peer.send(GET)
            assert 500 == (await peer.answer())[0]
            peer.send(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await peer.rest()).endswith(b"\r\n\r\n1\r\na\r\n")
            assert [LookupError, LookupError] == [type(failure) for failure in failures]

    fast(run, test())


@pytest.mark.parametrize("value", [b"a\r\nSet-Cookie: b", b"a\nb", b"a\rb", b"a\0b"])
def test_a_header_that_starts_a_line_of_its_own_is_never_written(run: Run, value: bytes) -> None:
    async def splits(request: Request, responder: Responder) -> None:
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            responder.send(200, {b"x": value}, b"")
        responder.send(200, {b"content-length": b"7", b"transfer-encoding": b"chunked"}, b"abc")

    async def test() -> None:
        async with serving(splits) as (_, port), client(port) as peer:
            peer.send(GET)
            status, headers, body = await peer.answer()
            assert (200, b"abc") == (status, body)
            assert {"content-length", "date"} == headers.keys()

    fast(run, test())


def test_a_client_that_takes_nothing_holds_the_handler_back(run: Run) -> None:
    written = 0

    async def flood(request: Request, responder: Responder) -> None:
        nonlocal written
        responder.start(200, {})
        while written < 64_000_000:
            responder.write(b"x" * 64_000)
            written += 64_000
            await responder.drain()
        responder.finish()

    async def test() -> None:
        async with serving(flood) as (_, port):
            async with client(port) as peer:
                peer.send(GET)
                await peer.reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(0.1)
                assert written < 20_000_000
                peer.reset()
            await until(lambda: written == 64_000_000)

    fast(run, test())


def test_who_takes_no_answers_is_asked_for_no_more_requests(run: Run) -> None:
    handled = 0

    async def big(request: Request, responder: Responder) -> None:
        nonlocal handled
        handled += 1
        responder.send(200, {}, b"x" * 1_000_000)

    async def test() -> None:
        async with serving(big, pipelined=1000) as (_, port), client(port) as peer:
            for _ in range(100):
                peer.send(GET)
                await asyncio.sleep(0.001)
            assert handled < 50
            for _ in range(100):
                assert 1_000_000 == len((await peer.answer())[2])

    fast(run, test())


def test_a_server_that_stops_finishes_what_runs_and_takes_no_more(run: Run) -> None:
    async def slow(request: Request, responder: Responder) -> None:
        await asyncio.sleep(0.1)
        await echo(request, responder)

    async def test() -> None:
        async with serving(slow) as (server, port), client(port) as busy, client(port) as idle:
            busy.send(GET)
            await until(lambda: server.running == 1 and server.connections == 2)
            stopping = asyncio.create_task(server.stop(5.0))
            assert b"" == await idle.rest()
            _, headers, body = await busy.answer()
            assert ("close", b"GET /a?b=c 0 ") == (headers["connection"], body)
            await stopping
            with pytest.raises(OSError, match=r"refused|Connect call failed"):
                await asyncio.open_connection("127.0.0.1", port)

    fast(run, test())


def test_a_server_that_stops_waits_for_what_is_served_without_a_coroutine(run: Run) -> None:
    """Even where its client has left: what the vendor does for it is still to be written down."""
    waiting: list[Responder] = []

    async def test() -> None:
        async with (
            serving(lambda _, responder: waiting.append(responder), aside=lambda: len(waiting)) as (server, port),
            client(port) as peer, client(port) as leaves,
        ):  # fmt: skip
            peer.send(GET)
            leaves.send(GET)
            await until(lambda: server.running == 2)
            leaves.reset()
            await until(lambda: waiting[1].gone)
            stopping = asyncio.create_task(server.stop(5.0))
            await asyncio.sleep(0.05)
            waiting.pop(0).answer(200, b"", b"done")
            assert b"done" == (await peer.answer())[2]
            await asyncio.sleep(0.05)
            assert not stopping.done()
            waiting.pop().answer(200, b"", b"for nobody")
            await stopping

    fast(run, test())


@pytest.mark.parametrize("ending", ["stop", "half-close"])
def test_a_stream_that_had_begun_before_the_end_is_the_last_answer(run: Run, ending: str) -> None:
    go_on: list[bool] = []

    async def stream(request: Request, responder: Responder) -> None:
        responder.start(200, {})
        responder.write(b"a")
        await until(lambda: bool(go_on))
        responder.write(b"b")
        responder.finish()

    async def test() -> None:
        async with serving(stream) as (server, port), client(port) as peer:
            peer.send(GET)
            await peer.reader.readuntil(b"1\r\na\r\n")
            if ending == "stop":
                stopping = asyncio.create_task(server.stop(60.0))
            else:
                peer.writer.write_eof()
                stopping = asyncio.create_task(asyncio.sleep(0))
            await asyncio.sleep(0.02)
            go_on.append(True)
            begun = asyncio.get_running_loop().time()
            assert b"1\r\nb\r\n0\r\n\r\n" == await peer.rest()
            await stopping
            assert asyncio.get_running_loop().time() - begun < 1

    fast(run, test())


def test_a_server_that_may_not_wait_cancels_what_runs(run: Run) -> None:
    async def for_ever(request: Request, responder: Responder) -> None:
        await asyncio.Event().wait()

    async def test() -> None:
        async with serving(for_ever) as (server, port), client(port) as peer:
            peer.send(GET)
            await until(lambda: server.running == 1)
            await server.stop(0.0)
            assert (0, 0) == (server.running, server.connections)

    fast(run, test())


def test_small_answers_leave_at_once(run: Run) -> None:
    nodelay: list[int] = []

    async def looks(request: Request, responder: Responder) -> None:
        assert responder._connection is not None
        peer = responder._connection.transport.get_extra_info("socket")
        nodelay.append(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        await echo(request, responder)

    async def test() -> None:
        async with serving(looks) as (_, port), client(port) as peer:
            peer.send(GET)
            await peer.answer()

    fast(run, test())
    assert [1] == nodelay
