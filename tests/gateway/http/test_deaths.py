"""Sockets that die at each moment: what the other side then knows, and that nothing stays behind."""

from __future__ import annotations

import asyncio
import socket
import struct
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Callable
from typing import Any

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from offtake.gateway.http import BrokenError, Pool, Request, Responder, UpstreamError
from tests.gateway.http.peers import client, fast, on_both_loops, pool_of, request_of, serving, until

Run = Callable[..., Any]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
EXCHANGE = (
    b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    b"POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    b"GET /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n"
)


def reset(writer: Writer) -> None:
    """Close so that the peer sees a reset."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def streams(request: Request, responder: Responder) -> None:
    responder.start(200, {})
    for _ in range(3):
        await asyncio.sleep(0)
        responder.write(request.body or b"x")
        await responder.drain()
    responder.finish()


@settings(max_examples=100)
@given(st.integers(0, len(EXCHANGE)), st.booleans(), st.integers(0, 3), st.integers(0, len(EXCHANGE)))
def test_a_client_that_dies_at_any_moment_leaves_nothing_behind(sent: int, hard: bool, turns: int, pause: int) -> None:
    async def test() -> None:
        failures: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        async with serving(streams) as (server, port):
            async with client(port) as peer:
                peer.send(EXCHANGE[: min(pause, sent)])
                await asyncio.sleep(0.0005)
                peer.send(EXCHANGE[min(pause, sent) : sent])
                for _ in range(turns):
                    await asyncio.sleep(0.0002)
                if hard:
                    reset(peer.writer)
            await until(lambda: not server.connections and not server.running)
            assert 0 == server.held.size_bytes
            assert [] == failures

    fast(uvloop.run, test())


@settings(max_examples=100)
@given(st.sampled_from([OK, CHUNKED]), st.data(), st.booleans(), st.booleans())
def test_a_vendor_that_dies_at_any_moment_is_broken_or_whole_never_cut_short_in_silence(
    answer: bytes, data: st.DataObject, hard: bool, used_before: bool
) -> None:
    said = data.draw(st.integers(0, len(answer)))
    whole = {OK: b"ok", CHUNKED: b"abc"}[answer]

    async def script(reader: Reader, writer: Writer) -> None:
        if used_before:
            await request_of(reader)
            writer.write(OK)
        await request_of(reader)
        writer.write(answer[:said])
        await writer.drain()
        await asyncio.sleep(0.001)
        if hard:
            reset(writer)

    async def test() -> None:
        async with pool_of(script) as pool:
            if used_before:
                assert b"ok" == await (await pool.request("POST", "/", {}, b"x")).whole(9)
            came = b""
            try:
                reply = await pool.request("POST", "/", {}, b"x")
                while piece := await reply.read():
                    came += piece
            except BrokenError:
                assert said < len(answer)
                assert whole.startswith(came)
            else:
                assert (len(answer), whole) == (said, came)
            await until(lambda: pool.connections == 0)

    fast(uvloop.run, test())


@on_both_loops
@pytest.mark.parametrize("idle_seconds", [0.0, 0.1])
def test_a_request_that_came_after_the_vendor_had_closed_is_sent_again(run: Run, idle_seconds: float) -> None:
    """The vendor closes without a word after each answer, at the very moment of the next request."""
    served = 0

    async def script(reader: Reader, writer: Writer) -> None:
        nonlocal served
        await request_of(reader)
        served += 1
        writer.write(OK)
        await writer.drain()

    async def test() -> None:
        async with pool_of(script) as pool:
            for number in range(1, 12):
                assert b"ok" == await (await pool.request("POST", "/", {}, b"pay")).whole(9)
                assert number == served
                await asyncio.sleep(idle_seconds)

    fast(run, test())


@on_both_loops
@pytest.mark.parametrize("reads_first", [True, False])
def test_a_request_that_the_vendors_kernel_had_taken_is_not_sent_again(run: Run, reads_first: bool) -> None:
    served = 0

    async def script(reader: Reader, writer: Writer) -> None:
        nonlocal served
        await request_of(reader)
        writer.write(OK)
        if reads_first:
            await request_of(reader)
        else:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)
        served += 1

    async def test() -> None:
        async with pool_of(script) as pool:
            await (await pool.request("POST", "/", {}, b"pay")).whole(9)
            with pytest.raises(BrokenError) as caught:
                await pool.request("POST", "/", {}, b"pay")
            assert caught.value.dispatched
            await until(lambda: served == 1)

    fast(run, test())


@on_both_loops
def test_a_reset_proves_nothing(run: Run) -> None:
    async def script(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        writer.write(OK)
        await request_of(reader)
        reset(writer)

    async def test() -> None:
        async with pool_of(script) as pool:
            await (await pool.request("POST", "/", {}, b"pay")).whole(9)
            with pytest.raises(BrokenError):
                await pool.request("POST", "/", {}, b"pay")

    fast(run, test())


def test_no_request_is_answered_twice_or_with_anothers_answer_while_connections_die() -> None:
    """200 requests over few connections whose vendor closes and resets at random: each answer is its own."""
    turn = 0
    served: list[bytes] = []

    async def script(reader: Reader, writer: Writer) -> None:
        nonlocal turn
        while True:
            _, body = await request_of(reader)
            served.append(body)
            turn += 1
            if turn % 7 == 3:
                reset(writer)
                return
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            if turn % 5 == 2:
                return

    async def one(pool: Pool, name: bytes) -> str:
        try:
            assert name == await (await pool.request("POST", "/", {}, name)).whole(99)
        except UpstreamError as error:
            return "broken" if error.dispatched else "not sent"
        return "whole"

    async def test() -> None:
        async with pool_of(script, connections_max=4) as pool:
            names = [b"request-%d" % number for number in range(200)]
            outcomes = await asyncio.gather(*(one(pool, name) for name in names))
            assert len(served) == len(set(served))
            assert {name for name, outcome in zip(names, outcomes, strict=True) if outcome != "not sent"} >= set(served)
            assert outcomes.count("whole") > 100

    fast(uvloop.run, test())
