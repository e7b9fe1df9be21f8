"""A vendor's stream on its way to a client, from callback to callback: whole, held back by who is slow, drained."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from offtake.gateway.http import BrokenError, Pool, Request, Responder, Server
from tests.gateway.http.peers import client, fast, on_both_loops, pool_of, request_of, serving, until

pytestmark = on_both_loops
Run = Callable[..., Any]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
PIECE = b"x" * 64_000


@dataclass
class Passing:
    """A server that passes the stream of a vendor on, and what it has seen of it."""

    pool: Pool
    server: Server
    port: int
    passed_bytes: int = 0
    broken: int = 0


@asynccontextmanager
async def passing(script: Callable[[Reader, Writer], Any]) -> AsyncIterator[Passing]:
    async def handle(request: Request, responder: Responder) -> None:
        answer = await seen.pool.request("POST", "/", {})

        def take(chunk: bytes) -> bool:
            seen.passed_bytes += len(chunk)
            return not responder.gone and responder.write(chunk)

        responder.start(answer.status, {})
        try:
            while await answer.pour(take):
                await responder.drain()
        except BrokenError:
            seen.broken += 1
            responder.cut()
            return
        responder.finish()

    async with pool_of(script) as pool, serving(handle) as (server, port):
        seen = Passing(pool, server, port)
        yield seen


def flood(pieces: int, sent: list[int]) -> Callable[[Reader, Writer], Any]:
    """A vendor that streams as fast as it is taken, request after request."""

    async def script(reader: Reader, writer: Writer) -> None:
        while True:
            await request_of(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(pieces):
                writer.write(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
                sent[0] += len(PIECE)
                await writer.drain()
            writer.write(b"0\r\n\r\n")

    return script


def test_a_stream_arrives_as_it_was_sent_and_both_connections_stay(run: Run) -> None:
    events = [b"data: %d %b\n\n" % (number, b"y" * (number * 37 % 900)) for number in range(60)]

    async def script(reader: Reader, writer: Writer) -> None:
        while True:
            await request_of(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for number, event in enumerate(events):
                writer.write(b"%x\r\n%b\r\n" % (len(event), event))
                await asyncio.sleep(0.001 if number % 7 == 0 else 0)
            writer.write(b"0\r\n\r\n")

    async def test() -> None:
        async with passing(script) as seen, client(seen.port) as peer:
            for _ in range(3):
                peer.send(GET)
                status, _, body = await peer.answer()
                assert (200, b"".join(events)) == (status, body)
                assert 1 == seen.pool.connections

    fast(run, test())


def test_a_client_that_takes_nothing_holds_the_vendor_back_and_still_gets_all(run: Run) -> None:
    sent = [0]

    async def test() -> None:
        async with passing(flood(600, sent)) as seen, client(seen.port) as peer:
            peer.send(GET)
            await peer.reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.3)
            assert sent[0] < 25_000_000
            assert seen.passed_bytes < 15_000_000
            got = 0
            while size := int(await peer.reader.readuntil(b"\r\n"), 16):
                got += len(await peer.reader.readexactly(size + 2)) - 2
            assert 600 * len(PIECE) == got == seen.passed_bytes

    fast(run, test())


def test_a_client_that_leaves_does_not_end_the_vendors_stream(run: Run) -> None:
    sent = [0]

    async def test() -> None:
        async with passing(flood(300, sent)) as seen:
            async with client(seen.port) as peer:
                peer.send(GET)
                await peer.reader.readuntil(b"\r\n\r\n")
                peer.reset()
            await until(lambda: not seen.server.running and seen.passed_bytes == 300 * len(PIECE))
            async with client(seen.port) as peer:
                peer.send(GET)
                _, _, body = await peer.answer()
                assert 300 * len(PIECE) == len(body)
                assert 1 == seen.pool.connections

    fast(run, test())


def test_a_vendor_that_breaks_off_cuts_the_stream_after_what_came(run: Run) -> None:
    async def script(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        await asyncio.sleep(0.02)

    async def test() -> None:
        async with passing(script) as seen, client(seen.port) as peer:
            peer.send(GET)
            whole = await peer.rest()
            assert whole.endswith(b"\r\n\r\n3\r\nabc\r\n")
            assert 1 == seen.broken

    fast(run, test())
