"""What a pool makes of vendors that answer, and of those that do not."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import Callable
from typing import Any

import pytest

from offtake.gateway.http import (
    BrokenError,
    NotSentError,
    Pool,
    TimedOutError,
    Timeouts,
    UpstreamError,
    listening_socket,
)
from tests.gateway.http.peers import fast, on_both_loops, pool_of, request_of, until

pytestmark = on_both_loops
Run = Callable[..., Any]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def says(*answers: bytes) -> Callable[[Reader, Writer], Any]:
    """A vendor that gives these answers on each connection, in turn, and then waits."""

    async def script(reader: Reader, writer: Writer) -> None:
        for answer in answers:
            await request_of(reader)
            writer.write(answer)
            await writer.drain()
        await reader.read()

    return script


def test_a_request_goes_out_framed_by_us_and_its_answer_comes_back(run: Run) -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def script(reader: Reader, writer: Writer) -> None:
        seen.append(await request_of(reader))
        writer.write(b"HTTP/1.1 529 Overloaded\r\nContent-Length: 2\r\nX-A:  b \r\nX-A: c\r\nSet-Cookie: d\r\n\r\nno")

    async def test() -> None:
        async with pool_of(script, path="/v1/") as pool:
            given = {b"x-b": b"1", b"host": b"evil", b"transfer-encoding": b"chunked", b"accept-encoding": b"gzip"}
            answer = await pool.request("POST", "/messages?a=b", given, b"hello")
            assert (529, b"b, c", b"no") == (answer.status, answer.headers[b"x-a"], await answer.whole(100))
            assert b"set-cookie" not in answer.headers
            [(head, body)] = seen
            request_line, host, *lines = head.split(b"\r\n")
            assert (b"POST /v1/messages?a=b HTTP/1.1", b"hello") == (request_line, body)
            assert host.startswith(b"host: 127.0.0.1:")
            assert [b"accept-encoding: identity", b"content-length: 5", b"x-b: 1", b"", b""] == lines

    fast(run, test())


def test_a_connection_is_reused_after_a_whole_answer(run: Run) -> None:
    async def test() -> None:
        async with pool_of(says(OK, b"HTTP/1.1 204 No\r\n\r\n", OK)) as pool:
            for expected in (b"ok", b"", b"ok"):
                answer = await pool.request("POST", "/", {}, b"x" * 100_000)
                assert expected == await answer.whole(100)
                assert 1 == pool.connections

    fast(run, test())


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: u\r\n\r\n", b"abc"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 200 OK\r\nUpgrade: h2,h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08", b"\x1f\x8b\x08"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b""),
    ],
)
@pytest.mark.parametrize("pieces", [1, 3, 1000])
def test_answers_are_read_however_they_are_framed_and_cut(run: Run, answer: bytes, body: bytes, pieces: int) -> None:
    async def script(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        step = -(-len(answer) // pieces)
        for start in range(0, len(answer), step):
            writer.write(answer[start : start + step])
            await asyncio.sleep(0)
        await reader.read()

    async def test() -> None:
        async with pool_of(script) as pool:
            assert body == await (await pool.request("POST", "/", {})).whole(100)

    fast(run, test())


def test_an_answer_may_end_with_its_connection(run: Run) -> None:
    async def script(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    async def test() -> None:
        async with pool_of(script) as pool:
            for _ in range(2):
                assert b"all of it" == await (await pool.request("GET", "/", {})).whole(100)
            await until(lambda: pool.connections == 0)

    fast(run, test())


def test_an_answer_to_head_has_no_body_whatever_its_length(run: Run) -> None:
    async def test() -> None:
        async with pool_of(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as pool:
            answer = await pool.request("HEAD", "/", {})
            assert (b"5", b"") == (answer.headers[b"content-length"], await answer.whole(100))

    fast(run, test())


@pytest.mark.parametrize(
    ("sent", "came"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n", b"abc"),
    ],
)
def test_an_answer_that_ends_too_soon_is_broken_after_what_came(run: Run, sent: bytes, came: bytes) -> None:
    async def script(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        writer.write(sent)

    async def test() -> None:
        async with pool_of(script) as pool:
            answer = await pool.request("POST", "/", {})
            await asyncio.sleep(0.02)
            assert came == await answer.read()
            with pytest.raises(BrokenError):
                await answer.read()

    fast(run, test())


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000,
    ],
    ids=lambda sent: repr(sent[:60]),
)
def test_no_answer_after_the_request_was_read_is_broken(run: Run, sent: bytes) -> None:
    async def script(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        writer.write(sent)

    async def test() -> None:
        async with pool_of(script) as pool:
            with pytest.raises(BrokenError) as caught:
                await pool.request("POST", "/", {})
            assert caught.value.dispatched
            await until(lambda: pool.connections == 0)

    fast(run, test())


def test_where_nobody_listens_nothing_is_sent(run: Run) -> None:
    async def test() -> None:
        listening = listening_socket("127.0.0.1", 0)
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.close()
        for where in (address, "http://no-such-host.invalid"):
            with pytest.raises(NotSentError) as caught:
                await Pool(where).request("POST", "/", {})
            assert not caught.value.dispatched

    fast(run, test())


def test_a_connection_that_died_while_idle_is_replaced_without_a_word(run: Run) -> None:
    async def once(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        writer.write(OK)

    async def test() -> None:
        async with pool_of(once) as pool:
            for _ in range(20):
                assert b"ok" == await (await pool.request("POST", "/", {})).whole(9)

    fast(run, test())


def test_idle_connections_close_after_a_while(run: Run) -> None:
    async def test() -> None:
        async with pool_of(says(OK, OK), idle_seconds=0.05) as pool:
            await (await pool.request("GET", "/", {})).whole(9)
            assert 1 == pool.connections
            await until(lambda: pool.connections == 0)
            assert b"ok" == await (await pool.request("GET", "/", {})).whole(9)

    fast(run, test())


def test_bytes_that_nobody_asked_for_are_no_answer_to_the_next_request(run: Run) -> None:
    async def test() -> None:
        poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
        async with pool_of(says(OK + poison)) as pool:
            for _ in range(3):
                assert b"ok" == await (await pool.request("GET", "/", {})).whole(9)

    fast(run, test())


def test_requests_wait_for_one_of_so_many_connections(run: Run) -> None:
    open_now = most = 0

    async def script(reader: Reader, writer: Writer) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        with contextlib.suppress(asyncio.IncompleteReadError):
            for turn in range(7):
                await request_of(reader)
                await asyncio.sleep(0.001)
                writer.write(OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) if turn == 6 else OK)
        open_now -= 1

    async def one(pool: Pool) -> None:
        assert b"ok" == await (await pool.request("POST", "/", {}, b"x")).whole(9)

    async def test() -> None:
        async with pool_of(script, connections_max=5) as pool:
            await asyncio.gather(*(one(pool) for _ in range(200)))
        assert most <= 6  # the vendor may see one close after it sees its successor open

    fast(run, test())


@pytest.mark.parametrize(
    ("script", "timeouts", "dispatched"),
    [
        (says(), Timeouts(first_byte_seconds=0.05), True),
        (says(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2"), Timeouts(first_byte_seconds=0.05), True),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), Timeouts(between_bytes_seconds=0.05), True),
        (says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"), Timeouts(total_seconds=0.05), True),
    ],
)
def test_patience_ends(run: Run, script: Any, timeouts: Timeouts, dispatched: bool) -> None:
    async def test() -> None:
        async with pool_of(script, timeouts=timeouts) as pool:
            begun = asyncio.get_running_loop().time()
            with pytest.raises(TimedOutError) as caught:
                await (await pool.request("POST", "/", {})).whole(9)
            assert dispatched == caught.value.dispatched
            assert 0.05 <= asyncio.get_running_loop().time() - begun < 1
            await until(lambda: pool.connections == 0)

    fast(run, test())


def test_waiting_for_a_free_connection_ends_too(run: Run) -> None:
    async def test() -> None:
        async with pool_of(says(), connections_max=1) as pool:
            first = asyncio.create_task(pool.request("POST", "/", {}))
            await until(lambda: pool.connections == 1)
            with pytest.raises(TimedOutError) as caught:
                await pool.request("POST", "/", {}, timeouts=Timeouts(connect_seconds=0.05))
            assert not caught.value.dispatched
            await pool.close()
            with pytest.raises(BrokenError):
                await first

    fast(run, test())


@pytest.mark.parametrize("moment", ["head", "body"])
def test_cancelling_closes_the_connection_so_that_the_vendor_sees_it(run: Run, moment: str) -> None:
    seen: list[bytes] = []

    async def script(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        if moment == "body":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        with contextlib.suppress(ConnectionError):
            await reader.read()
        seen.append(b"closed")

    async def test() -> None:
        async with pool_of(script) as pool:

            async def whole() -> bytes:
                return await (await pool.request("POST", "/", {})).whole(9)

            task = asyncio.create_task(whole())
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await until(lambda: seen == [b"closed"] and pool.connections == 0)

    fast(run, test())


def test_a_vendor_waits_for_a_slow_reader_of_its_answer(run: Run) -> None:
    sent = 0

    async def script(reader: Reader, writer: Writer) -> None:
        nonlocal sent
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n")
        while sent < 64_000_000:
            writer.write(b"x" * 64_000)
            sent += 64_000
            await writer.drain()
        await reader.read()

    async def test() -> None:
        async with pool_of(script, timeouts=Timeouts(between_bytes_seconds=0.05)) as pool:
            answer = await pool.request("GET", "/", {})
            await asyncio.sleep(0.2)
            assert sent < 20_000_000
            assert 64_000_000 == len(await answer.whole(64_000_000))

    fast(run, test())


EVENTS = [b"data: %d\n\n" % number for number in range(6)]


async def events(reader: Reader, writer: Writer) -> None:
    """Streams in chunks, each written alone."""
    while True:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for event in EVENTS:
            writer.write(b"%x\r\n%b\r\n" % (len(event), event))
            await asyncio.sleep(0.002)
        writer.write(b"0\r\n\r\n")


def test_an_answer_is_poured_as_it_comes_until_its_end(run: Run) -> None:
    came: list[bytes] = []

    def take(piece: bytes) -> bool:
        came.append(piece)
        return False

    async def test() -> None:
        async with pool_of(events) as pool:
            for _ in range(2):
                answer = await pool.request("POST", "/", {})
                assert not await answer.pour(take)
                assert b"".join(came) == b"".join(EVENTS)
                assert len(came) > 1
                came.clear()
                assert 1 == pool.connections

    fast(run, test())


def test_what_pours_may_stop_and_go_on(run: Run) -> None:
    came: list[bytes] = []

    def take(piece: bytes) -> bool:
        came.append(piece)
        return len(came) in (1, 3)

    async def test() -> None:
        async with pool_of(events) as pool:
            answer = await pool.request("POST", "/", {})
            stops = 0
            while await answer.pour(take):
                stops += 1
                before = list(came)
                await asyncio.sleep(0.01)
                assert before == came
            assert b"".join(came) == b"".join(EVENTS)
            assert stops >= 1

    fast(run, test())


def test_who_pours_and_fails_is_told_and_the_connection_closes(run: Run) -> None:
    def take(piece: bytes) -> bool:
        raise LookupError(piece)

    async def test() -> None:
        async with pool_of(events) as pool:
            answer = await pool.request("POST", "/", {})
            with pytest.raises(LookupError):
                await answer.pour(take)
            answer.close()
            await until(lambda: pool.connections == 0)

    fast(run, test())


@pytest.mark.parametrize("stops", [False, True])
def test_what_came_before_a_vendor_broke_off_is_poured(run: Run, stops: bool) -> None:
    came: list[bytes] = []

    async def breaks(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        await asyncio.sleep(0.01)
        writer.write(b"1\r\nb\r\nxyz")

    def take(piece: bytes) -> bool:
        came.append(piece)
        return stops

    async def test() -> None:
        async with pool_of(breaks) as pool:
            answer = await pool.request("POST", "/", {})
            with pytest.raises(BrokenError):
                while await answer.pour(take):
                    await asyncio.sleep(0.02)
            assert b"ab" == b"".join(came)

    fast(run, test())


def test_an_answer_that_nobody_reads_does_not_stay_for_ever(run: Run) -> None:
    async def test() -> None:
        async with pool_of(
            says(b"HTTP/1.1 200 OK\r\nContent-Length: 64000000\r\n\r\n" + b"x" * 1_000_000),
            timeouts=Timeouts(unread_seconds=0.05),
        ) as pool:
            answer = await pool.request("GET", "/", {})
            await until(lambda: pool.connections == 0)
            with pytest.raises(TimedOutError, match="nobody read on"):
                await answer.whole(64_000_000)

    fast(run, test())


def test_an_answer_longer_than_the_reader_wants_is_given_up(run: Run) -> None:
    async def test() -> None:
        async with pool_of(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000)) as pool:
            with pytest.raises(BrokenError, match="more than 100 bytes"):
                await (await pool.request("GET", "/", {})).whole(100)

    fast(run, test())


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/\u00e9"])
def test_a_target_cannot_carry_a_second_request(run: Run, target: str) -> None:
    async def test() -> None:
        with pytest.raises(ValueError, match=r"space|CR|ascii"):
            await Pool("http://127.0.0.1:1").request("GET", target, {})

    fast(run, test())


def test_every_error_says_whether_the_vendor_may_have_worked(run: Run) -> None:
    assert [True, False] == [BrokenError("x").dispatched, NotSentError("x").dispatched]
    assert all(issubclass(error, UpstreamError) for error in (BrokenError, NotSentError, TimedOutError))
