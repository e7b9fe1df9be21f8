"""One kept-alive connection to a vendor: one request at a time, its answer, and what became of it when it breaks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, cast

import httptools

from offtake.gateway.http.acceptance import acknowledged_bytes, has_news
from offtake.gateway.http.answer import Answer, BrokenError, NotSentError, TimedOutError, UpstreamError
from offtake.gateway.http.head import BODILESS, joined
from offtake.gateway.http.limits import KIB

if TYPE_CHECKING:
    from offtake.gateway.http.upstream import Block, Pool, Timeouts

HEAD_BYTES = 256 * KIB
# Below this size one copy is cheaper than a second buffer for the kernel.
JOIN_BYTES = 16 * KIB
# A vendor's cookies are for one client, and we are many.
DROPPED = frozenset((b"set-cookie", b"set-cookie2"))


class Listener(Protocol):
    """Who sent a request, and is told what came of it; one of the two, once."""

    def answered(self, answer: Answer) -> None:
        """The head of the answer is there. Told in the midst of reading, so that it must not raise."""
        ...

    def failed(self, error: UpstreamError) -> None:
        """No answer comes."""
        ...


class Link(asyncio.Protocol):
    """Made by a pool, which gets it back once an answer is whole and the connection good for another."""

    __slots__ = (
        *("_answer", "_answered", "_before_bytes", "_deadline", "_eof", "_headers", "_loop", "_method", "_parser"),
        *(
            "_listener",
            "_never_accepted",
            "_pool",
            "_quiet_bytes",
            "_reusable",
            "_sent_bytes",
            "_timeouts",
            "_until_close",
            "_until",
        ),
        *("idle_since", "reused", "transport"),
    )

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop) -> None:
        self._pool = pool
        self._loop = loop
        self._parser: Any = httptools.HttpResponseParser(
            self
        )  # None once the connection is gone, lest they hold each other
        self._listener: Listener | None = None  # until the head of the answer is there
        self._answer: Answer | None = None
        self._sent_bytes: int | None = None  # what the vendor will have acknowledged before the request that is next
        self._before_bytes: int | None = None  # the same, before the request that is out
        self._eof = self._never_accepted = False
        self._headers: dict[bytes, bytes] = {}
        self._quiet_bytes = 0
        self.idle_since = 0.0
        self.reused = False

    # What the pool calls.

    def alive(self, now: float) -> bool:
        """Whether a request can be sent. Looks closely at a link that has been idle for a tick or longer."""
        if self.transport.is_closing():
            return False
        if now > self.idle_since and has_news(self.transport):
            self.transport.abort()
            return False
        return True

    def send(self, block: Block, body: bytes, timeouts: Timeouts, listener: Listener) -> None:
        """Write a request on a link that is `alive`; `listener` is told of its answer as soon as the head is there."""
        self._method, before, after = block
        head = b"%b%d%b" % (before, len(body), after) if after else before
        self._timeouts = timeouts
        self._answered = False  # a byte of the answer has come
        self._reusable = self._until_close = False
        self._until = self._pool.ticker.next + timeouts.total_seconds
        self._deadline = self._pool.ticker.next + timeouts.first_byte_seconds
        self._listener = listener
        if self._pool.secure:  # TLS sends bytes of its own, so that only the kernel can count
            self._sent_bytes = acknowledged_bytes(self.transport)
        self._before_bytes = self._sent_bytes
        if self._sent_bytes is not None:
            self._sent_bytes += len(head) + len(body)
        if not body:
            self.transport.write(head)
        elif len(body) < JOIN_BYTES:
            self.transport.write(head + body)
        else:
            self.transport.writelines((head, body))

    def leave(self, listener: Listener) -> None:
        """Nobody waits for this answer any more."""
        if self._listener is listener:
            self.drop()

    def drop(self) -> None:
        """Close at once: nobody wants the rest."""
        self._answer = self._listener = None
        self.transport.abort()

    def resume(self) -> None:
        """Read on, after the reader of the answer has caught up."""
        if not self.transport.is_closing() and not self.transport.is_reading():
            self._deadline = self._pool.ticker.next + self._timeouts.between_bytes_seconds
            self.transport.resume_reading()

    def tick(self, now: float) -> None:
        """Give up what takes too long."""
        if self._listener is None and self._answer is None:
            if now - self.idle_since > self._pool.idle_seconds:
                self.transport.abort()
        elif now > self._until:
            self._give_up(TimedOutError("the answer as a whole took too long", dispatched=True))
        elif now > self._deadline:
            reading = self.transport.is_reading()
            what = "no answer began" if self._answer is None else "the answer stopped" if reading else "nobody read on"
            self._give_up(TimedOutError(what, dispatched=True))

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's have no such base
        self._sent_bytes = acknowledged_bytes(self.transport)
        self._pool.opened(self)
        self.idle_since = self._pool.ticker.next

    def data_received(self, data: bytes) -> None:
        if self._listener is None and self._answer is None:
            self.transport.abort()  # nobody asked
            return
        self._answered = True
        self._quiet_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if self._answer is None or not self._answer.ended:
                self._give_up(BrokenError(f"no HTTP answer: {error.__context__ or error}"))
                return
            self._reusable = False  # bytes after the end of the last answer
        answer = self._answer
        if answer is not None:
            self._hand_on(answer)
        if self._quiet_bytes > HEAD_BYTES:
            self._give_up(BrokenError("headers or chunk extensions without an end"))

    def _hand_on(self, answer: Answer) -> None:
        """What has just been read is on its way to whoever wants it: see what follows."""
        waits = answer.grown()
        if self._answer is not answer:  # it was given up by whoever read it, and the connection with it
            return
        if answer.ended:
            self._finish()
            answer.come()
        elif self.transport.is_reading():
            patience = self._timeouts.unread_seconds if waits else self._timeouts.between_bytes_seconds
            self._deadline = self._pool.ticker.next + patience
            if waits:
                self.transport.pause_reading()

    def eof_received(self) -> None:
        self._eof = True
        if self._listener is not None and not self._answered and self._before_bytes is not None:
            acknowledged = acknowledged_bytes(self.transport)
            self._never_accepted = acknowledged is not None and acknowledged <= self._before_bytes

    def connection_lost(self, error: Exception | None) -> None:
        self._parser = None
        if self._answer is not None and self._until_close and self._eof and error is None:
            answer, self._answer = self._answer, None
            answer.end()
            answer.come()
        elif self._never_accepted:
            self._fail(NotSentError("the vendor had closed the connection before the request reached it"))
        else:
            self._fail(BrokenError("the vendor closed the connection before the end of its answer"))
        self._pool.lost(self)

    # What llhttp calls.

    def on_message_begin(self) -> None:
        self._headers = {}
        if self._answer is not None:
            raise BrokenError("an answer that nobody asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._answer is not None:
            return  # a trailer
        headers, name = self._headers, name.lower()
        if name in headers:
            joined(headers, name, value.strip())
        elif name not in DROPPED:
            headers[name] = value.strip()

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return
        headers = self._headers
        coding = headers.get(b"transfer-encoding", b"chunked")
        if coding.lower() != b"chunked":
            raise BrokenError(f"the unknown transfer-encoding {coding.decode('latin-1')}")
        self._quiet_bytes = 0
        self._reusable = self._parser.should_keep_alive()
        self._answer = answer = Answer(status, headers, self, self._loop)
        if self._method == "HEAD":
            self._reusable = False  # llhttp would wait for a body
            answer.end()
        elif status not in BODILESS:
            self._until_close = b"content-length" not in headers and b"transfer-encoding" not in headers
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.answered(answer)

    def on_body(self, data: bytes) -> None:
        self._quiet_bytes = 0
        answer = self._answer
        if answer is not None and not answer.ended:  # else it is a body behind an answer to HEAD
            answer.grow(data)

    def on_message_complete(self) -> None:
        if self._answer is not None:
            self._answer.end()

    # Ends.

    def _finish(self) -> None:
        """An answer is whole: back to the pool, where the connection is good for another request."""
        self._answer = None
        transport = self.transport
        if not self._reusable or transport.is_closing() or transport.get_write_buffer_size():
            transport.abort()
            return
        if not transport.is_reading():
            transport.resume_reading()
        self.reused = True
        self.idle_since = self._pool.ticker.next
        self._pool.free(self)

    def _give_up(self, error: UpstreamError) -> None:
        self._fail(error)
        self.transport.abort()

    def _fail(self, error: UpstreamError) -> None:
        listener, answer = self._listener, self._answer
        self._listener = self._answer = None
        if listener is not None:
            listener.failed(error)
        if answer is not None:
            answer.fail(error)
