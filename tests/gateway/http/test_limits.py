"""What the server grants nobody: size, number and time without end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from offtake.gateway.http import Request, Responder
from tests.gateway.http.peers import client, fast, on_both_loops, serving, until

pytestmark = on_both_loops
Run = Callable[..., Any]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST + b"Content-Length: 1001\r\n\r\n", 413),
        (POST + b"Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n", 413),
        (POST + b"Content-Length: 1000000\r\n\r\n" + b"x" * 1_000_000, 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1001, 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 300_000, 431),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 3000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 300_000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: b\r\n" * 3000 + b"\r\n", 431),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"\r\n" * 200_000, 431),
    ],
    ids=lambda value: repr(value[:70]) if isinstance(value, bytes) else None,
)
@pytest.mark.parametrize("step", [1_000_000, 999])
def test_what_is_too_large_is_refused_and_the_connection_closes(run: Run, sent: bytes, status: int, step: int) -> None:
    async def test() -> None:
        async with serving(body_bytes=1000) as (server, port), client(port) as peer:
            for start in range(0, len(sent), step):
                peer.send(sent[start : start + step])
                await asyncio.sleep(0)
            got, headers, _ = await peer.answer()
            assert (status, "close") == (got, headers["connection"])
            assert b"" == await peer.rest()
            peer.reset()
            await until(lambda: server.connections == 0)
            assert 0 == server.held.size_bytes

    fast(run, test())


def test_the_refusal_arrives_while_the_client_still_sends(run: Run) -> None:
    """Closing with bytes unread would reset the connection, and the client would see no answer."""

    async def test() -> None:
        async with serving(body_bytes=1000, linger_seconds=5) as (_, port), client(port) as peer:
            peer.send(POST + b"Content-Length: 20000000\r\n\r\n")
            for _ in range(200):
                peer.send(b"x" * 100_000)
                await peer.writer.drain()
            assert 413 == (await peer.answer())[0]

    fast(run, test())


@pytest.mark.parametrize("repeats", [False, True])
def test_the_bodies_of_all_clients_together_have_a_limit(run: Run, repeats: bool) -> None:
    async def slow(request: Request, responder: Responder) -> None:
        await asyncio.sleep(0.05)
        responder.send(200, {})

    async def test() -> None:
        body = b"Content-Length: 1000\r\n\r\n" + b"x" * 1000
        limited = serving(slow, bodies_bytes=2500)
        async with limited as (server, port), client(port) as one, client(port) as two, client(port) as three:
            for peer in (one, two, three) if repeats else ():
                peer.send(POST + b"Content-Length: 0\r\n\r\n")
                assert 200 == (await peer.answer())[0]
            one.send(POST + body)
            two.send(POST + body)
            await until(lambda: server.running == 2)
            three.send(POST + body)
            assert 503 == (await three.answer())[0]
            assert [200, 200] == [(await one.answer())[0], (await two.answer())[0]]
            assert 0 == server.held.size_bytes
            one.send(POST + body)
            assert 200 == (await one.answer())[0]

    fast(run, test())


def test_one_client_too_many_is_told_so(run: Run) -> None:
    async def test() -> None:
        async with serving(connections=1) as (server, port):
            async with client(port) as first, client(port) as second:
                first.send(GET)
                assert 200 == (await first.answer())[0]
                assert 503 == (await second.answer())[0]
            await until(lambda: server.connections == 0)
            async with client(port) as third:
                third.send(GET)
                assert 200 == (await third.answer())[0]

    fast(run, test())


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"", b""),
        (GET, b"HTTP/1.1 200 OK"),
        (b"GET / HT", b"HTTP/1.1 408 Request Timeout"),
        (GET[:-2], b"HTTP/1.1 408 Request Timeout"),
        (POST + b"Content-Length: 5\r\n\r\nab", b"HTTP/1.1 408 Request Timeout"),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"HTTP/1.1 408 Request Timeout"),
    ],
)
def test_a_client_that_stops_is_cut(run: Run, sent: bytes, expected: bytes) -> None:
    times: dict[str, Any] = {"idle_seconds": 0.1, "head_seconds": 0.1, "body_seconds": 0.1, "linger_seconds": 0.1}

    async def test() -> None:
        async with serving(**times) as (server, port), client(port) as peer:
            begun = asyncio.get_running_loop().time()
            peer.send(sent)
            whole = await peer.rest()
            assert expected == whole.partition(b"\r\n")[0]
            assert 0.1 <= asyncio.get_running_loop().time() - begun < 1
            await until(lambda: server.connections == 0)

    fast(run, test())


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nX: ", POST + b"Content-Length: 500\r\n\r\n"])
def test_a_client_that_trickles_is_cut(run: Run, start: bytes) -> None:
    async def test() -> None:
        times: dict[str, Any] = {"head_seconds": 0.1, "body_seconds": 0.1, "body_bytes_per_second": 1000}
        async with serving(**times) as (_, port), client(port) as peer:
            peer.send(start)
            answer = asyncio.create_task(peer.answer())
            for _ in range(400):
                if answer.done():
                    break
                peer.send(b"x")
                await asyncio.sleep(0.005)
            assert 408 == (await answer)[0]

    fast(run, test())


def test_a_long_handler_is_not_the_clients_fault(run: Run) -> None:
    async def slow(request: Request, responder: Responder) -> None:
        await asyncio.sleep(0.3)
        responder.send(200, {})

    async def test() -> None:
        times: dict[str, Any] = {
            "idle_seconds": 0.05,
            "head_seconds": 0.05,
            "body_seconds": 0.05,
            "write_seconds": 0.05,
        }
        async with serving(slow, **times) as (_, port), client(port) as peer:
            peer.send(GET)
            assert 200 == (await peer.answer())[0]

    fast(run, test())


@pytest.mark.parametrize("whole", [True, False])
def test_a_client_that_takes_nothing_is_cut(run: Run, whole: bool) -> None:
    async def big(request: Request, responder: Responder) -> None:
        if whole:
            responder.send(200, {}, b"x" * 30_000_000)
            return
        responder.start(200, {})
        for _ in range(300):
            responder.write(b"x" * 100_000)
            await responder.drain()
        responder.finish()

    async def test() -> None:
        async with serving(big, write_seconds=0.1) as (server, port):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(GET)
            await until(lambda: server.connections == 1)
            await until(lambda: server.connections == 0 and server.running == 0)
            writer.transport.abort()

    fast(run, test())


def test_a_slow_reader_who_takes_something_is_not_cut(run: Run) -> None:
    async def big(request: Request, responder: Responder) -> None:
        responder.send(200, {}, b"x" * 12_000_000)

    async def test() -> None:
        async with serving(big, write_seconds=0.4) as (_, port), client(port) as peer:
            peer.send(GET)
            got = 0
            while got < 12_000_000:
                got += len(await peer.reader.read(1_000_000))
                await asyncio.sleep(0.02)

    fast(run, test())


def test_a_client_that_comes_after_a_quiet_time_is_not_held_to_be_idle(run: Run) -> None:
    async def test() -> None:
        async with serving(idle_seconds=0.1) as (_, port):
            await asyncio.sleep(0.3)
            async with client(port) as peer:
                await asyncio.sleep(0.06)
                peer.send(GET)
                assert 200 == (await peer.answer())[0]

    fast(run, test())
