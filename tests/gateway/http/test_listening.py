"""Who does not wait for an answer is told of it: once, whatever it is, and over a connection that had been idle."""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader as Reader
from asyncio import StreamWriter as Writer
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from offtake.gateway.http import BrokenError, NotSentError, Pool, TimedOutError, Timeouts, UpstreamError
from offtake.gateway.http.answer import AHEAD_BYTES, Answer
from tests.gateway.http.peers import fast, on_both_loops, pool_of, request_of, until

pytestmark = on_both_loops
Run = Callable[..., Any]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Heard:
    """A listener that notes what it is told. `takes`: what it does with pieces, if it wants them."""

    takes: Callable[[bytes], bool] | None = None
    answer: Answer | None = None
    error: UpstreamError | None = None
    came: int = 0
    pieces: list[bytes] = field(default_factory=list)

    def answered(self, answer: Answer) -> None:
        assert self.answer is None
        self.answer = answer
        answer.then(self.come, self.take if self.takes else None)

    def failed(self, error: UpstreamError) -> None:
        assert self.error is None
        self.error = error

    def come(self) -> None:
        self.came += 1

    def take(self, piece: bytes) -> bool:
        assert self.takes is not None
        self.pieces.append(piece)
        return self.takes(piece)

    @property
    def is_told(self) -> bool:
        return self.came > 0 or self.error is not None


@contextlib.asynccontextmanager
async def warm(then: Callable[[Reader, Writer], Any], **options: Any) -> AsyncIterator[Pool]:
    """A pool with an idle connection, on which the vendor will do `then`."""

    async def script(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        writer.write(OK)
        await then(reader, writer)

    async with pool_of(script, **options) as pool:
        assert b"ok" == await (await pool.request("POST", "/", {})).whole(10)
        yield pool


def send(pool: Pool, heard: Heard) -> bool:
    return pool.send_at_once(pool.block("POST", "/", {}), b"hello", heard)


def says(*pieces: bytes, close: bool = False) -> Callable[[Reader, Writer], Any]:
    async def then(reader: Reader, writer: Writer) -> None:
        await request_of(reader)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        if not close:
            await reader.read()

    return then


def test_without_an_idle_connection_nothing_is_sent(run: Run) -> None:
    async def test() -> None:
        async with pool_of(says(OK)) as pool:
            heard = Heard()
            assert not send(pool, heard)
            await asyncio.sleep(0.02)
            assert (None, None, 0, 0) == (heard.answer, heard.error, heard.came, pool.connections)

    fast(run, test())


@pytest.mark.parametrize(
    ("pieces", "body"),
    [
        ((OK,), b"ok"),
        ((OK[:9], OK[9:30], OK[30:]), b"ok"),
        ((CHUNKED, b"2\r\nab\r\n", b"1\r\nc\r\n0\r\n", b"\r\n"), b"abc"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n", OK), b"ok"),
        ((b"HTTP/1.1 204 No\r\n\r\n",), b""),
        ((OK + b"rubbish",), b"ok"),
    ],
    ids=str,
)
def test_a_whole_answer_is_told_once_it_is_there(run: Run, pieces: tuple[bytes, ...], body: bytes) -> None:
    async def test() -> None:
        async with warm(says(*pieces)) as pool:
            heard = Heard()
            assert send(pool, heard)
            await until(lambda: heard.is_told)
            await asyncio.sleep(0.02)
            assert heard.answer is not None
            assert (1, None, body) == (heard.came, heard.error, heard.answer.arrived(3))

    fast(run, test())


def test_an_answer_that_ends_with_its_connection_is_told(run: Run) -> None:
    async def test() -> None:
        async with warm(says(b"HTTP/1.1 200 OK\r\n\r\nall", b" of it", close=True)) as pool:
            heard = Heard()
            assert send(pool, heard)
            await until(lambda: heard.is_told)
            assert heard.answer is not None
            assert b"all of it" == heard.answer.arrived(100)

    fast(run, test())


def test_the_next_request_may_be_sent_when_an_answer_is_told(run: Run) -> None:
    async def both(reader: Reader, writer: Writer) -> None:
        for _ in range(2):
            await request_of(reader)
            writer.write(OK)
        await reader.read()

    async def test() -> None:
        async with warm(both) as pool:
            second = Heard()

            class First(Heard):
                def come(self) -> None:
                    super().come()
                    assert send(pool, second)

            assert send(pool, First())
            await until(lambda: second.is_told)
            assert (1, 1) == (second.came, pool.connections)

    fast(run, test())


def test_an_answer_larger_than_what_is_read_ahead_is_told_early_and_read_by_who_waits(run: Run) -> None:
    size = 3 * AHEAD_BYTES
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size

    async def test() -> None:
        async with warm(says(head + b"x" * size)) as pool:
            heard = Heard()
            assert send(pool, heard)
            await until(lambda: heard.is_told)
            assert heard.answer is not None
            assert heard.answer.arrived(10 * size) is None
            assert b"x" * size == await heard.answer.whole(10 * size)
            assert 1 == heard.came

    fast(run, test())


def test_pieces_are_handed_on_until_who_takes_them_has_enough(run: Run) -> None:
    async def test() -> None:
        chunks = (b"1\r\na\r\n", b"1\r\nb\r\n", b"1\r\nc\r\n", b"0\r\n\r\n")
        async with warm(says(CHUNKED, *chunks)) as pool:
            heard = Heard(takes=lambda piece: piece == b"b")
            assert send(pool, heard)
            await until(lambda: heard.is_told)
            assert heard.answer is not None
            assert ([b"a", b"b"], 1, b"c") == (heard.pieces, heard.came, await heard.answer.whole(10))

    fast(run, test())


def test_who_fails_to_take_a_piece_is_told_that_the_answer_is_over(run: Run) -> None:
    def fails(piece: bytes) -> bool:
        raise ZeroDivisionError

    async def test() -> None:
        async with warm(says(CHUNKED, b"1\r\na\r\n", b"1\r\nb\r\n")) as pool:
            heard = Heard(takes=fails)
            assert send(pool, heard)
            await until(lambda: heard.is_told)
            assert heard.answer is not None
            with pytest.raises(ZeroDivisionError):
                await heard.answer.whole(10)
            assert (1, [b"a"]) == (heard.came, heard.pieces)
            await until(lambda: not pool.connections)

    fast(run, test())


@pytest.mark.parametrize("pieces", [(OK[:-1],), (CHUNKED, b"2\r\na")], ids=str)
def test_an_answer_that_breaks_off_is_told(run: Run, pieces: tuple[bytes, ...]) -> None:
    async def test() -> None:
        async with warm(says(*pieces, close=True)) as pool:
            heard = Heard()
            assert send(pool, heard)
            await until(lambda: heard.is_told)
            assert heard.answer is not None
            assert (1, None, None) == (heard.came, heard.error, heard.answer.arrived(100))
            with pytest.raises(BrokenError):
                await heard.answer.whole(100)

    fast(run, test())


@pytest.mark.parametrize(
    ("then", "timeouts", "error"),
    [
        (says(close=True), Timeouts(), BrokenError),
        (says(b"nonsense\r\n\r\n"), Timeouts(), BrokenError),
        (says(), Timeouts(first_byte_seconds=0.05), TimedOutError),
    ],
    ids=["closed", "no HTTP", "too late"],
)
def test_no_answer_is_told_too(run: Run, then: Any, timeouts: Timeouts, error: type[UpstreamError]) -> None:
    async def test() -> None:
        async with warm(then, timeouts=timeouts) as pool:
            heard = Heard()
            assert send(pool, heard)
            await until(lambda: heard.is_told)
            assert isinstance(heard.error, error)
            assert not isinstance(heard.error, NotSentError)
            assert (0, 0) == (heard.came, pool.connections)

    fast(run, test())


def test_a_connection_that_was_closed_while_idle_is_no_reason_to_send(run: Run) -> None:
    async def hang_up(reader: Reader, writer: Writer) -> None:
        return

    async def test() -> None:
        async with warm(hang_up) as pool:
            await until(lambda: not pool.connections)
            assert not send(pool, Heard())

    fast(run, test())
