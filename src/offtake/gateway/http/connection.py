"""One client's connection: requests in, answers out in the same order, and an end to its patience and ours."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, cast

from offtake.gateway.http.head import fields
from offtake.gateway.http.limits import RefusedError
from offtake.gateway.http.request import Request
from offtake.gateway.http.request_reader import BODY, HEAD, START, RequestReader
from offtake.gateway.http.responder import Responder

if TYPE_CHECKING:
    from offtake.gateway.http.server import Server

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection(asyncio.Protocol):
    """One handler at a time; requests sent ahead wait, and nothing is read while they do."""

    __slots__ = (
        *("_continue_due", "_held_up", "_paused", "_reader", "_refusal", "_responder", "_unsent_bytes", "_waiting"),
        *("deaf", "full", "gone", "server", "since", "transport"),
    )

    def __init__(self, server: Server) -> None:
        self.server = server
        self.deaf = False  # no more requests are taken from this connection
        self.gone = False  # the client has closed its side
        self.full: asyncio.Event | None = None  # set while the client takes less than we write
        self.since = 0.0  # when what we wait for began
        self._responder: Responder | None = None
        self._waiting: deque[Request] = deque()
        self._refusal: RefusedError | None = None
        self._continue_due = False
        self._held_up = False  # the next request waits until the client takes its answers
        self._paused = False  # nothing is read
        self._unsent_bytes = 0

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's have no such base
        server = self.server
        self.transport.set_write_buffer_limits(high=server.limits.write_buffer_bytes)
        peer = transport.get_extra_info("peername")
        client = str(peer[0]) if isinstance(peer, tuple) else ""
        self._reader = RequestReader(self._take, self._go_ahead, client, server.limits, server.ticker, server.held)
        if not server.opened(self):
            self._refuse(RefusedError(503, "too many connections"))

    def data_received(self, data: bytes) -> None:
        if self.deaf:
            return
        try:
            self._reader.feed(data)
        except RefusedError as refusal:
            self._refuse(refusal)

    def eof_received(self) -> bool:
        """A client that only closes its side still gets the answers it has asked for."""
        self.gone = self.deaf = True
        if self._responder is not None:
            self._responder.tell_gone()
        return self._responder is not None

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = self.deaf = True
        self._held_up = False
        self.server.closed(self)
        self._reader.close()
        self.resume_writing()
        self.server.held.size_bytes -= sum(len(request.body) for request in self._waiting)
        self._waiting.clear()
        responder = self._responder
        if responder is not None:
            self._forget_request()
            responder.lose()

    def pause_writing(self) -> None:
        self.full = asyncio.Event()
        self.since = self.server.ticker.next

    def resume_writing(self) -> None:
        if self.full is not None:
            self.full.set()
            self.full = None
            if self._held_up:
                self._held_up = False
                self._go_on()

    # Requests, one after another.

    def _take(self, request: Request) -> None:
        if self.deaf:
            self.server.held.size_bytes -= len(request.body)
            return
        self._continue_due = False
        if not request.keep_alive:
            self.deaf = True
        if self._responder is None:
            self._handle(request)
        else:
            self._waiting.append(request)
            self._stop_reading()
            if len(self._waiting) >= self.server.limits.pipelined:
                self.deaf = True

    def _handle(self, request: Request) -> None:
        self._responder = responder = Responder(self, request, request.keep_alive, self.gone)
        self.server.begin(request, responder)

    @property
    def last(self) -> bool:
        """Whether nothing waits behind the request that is being answered."""
        return not self._waiting and self._refusal is None

    def answered(self, responder: Responder) -> None:
        """The answer is written: on to the next request, or to the end."""
        server = self.server
        server.held.size_bytes -= len(responder.request.body)
        self._responder = None
        self.since = server.ticker.next
        if not responder.keep_alive:
            self.close()
        elif self.full is not None:  # who takes no answers asks for no more
            self._held_up = True
            self._stop_reading()
        elif self.deaf or self._paused or self._continue_due or server.stopping:
            self._go_on()

    def _go_on(self) -> None:
        if self.transport.is_closing():
            pass
        elif self._waiting:
            self._handle(self._waiting.popleft())
        elif self._refusal is not None:
            self._refuse(self._refusal)
        elif self.deaf or self.server.stopping:
            self.close()
        else:
            if self._paused:
                self._paused = False
                self._reader.since = self.since
                self.transport.resume_reading()
            if self._continue_due:
                self._go_ahead()

    def _stop_reading(self) -> None:
        if not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def _forget_request(self) -> None:
        if self._responder is not None:
            self.server.held.size_bytes -= len(self._responder.request.body)
        self._responder = None

    def _go_ahead(self) -> None:
        self._continue_due = self._responder is not None
        if not self._continue_due:
            self.transport.write(CONTINUE)

    def _refuse(self, refusal: RefusedError) -> None:
        """Answer what gets no handler, and close. The rest of the request is read and dropped, lest it reset us."""
        self.deaf = True
        if self._responder is not None:
            self._refusal = refusal
            return
        headers, body = self.server.refuse(refusal.status, refusal.reason, self._reader.path)
        framing = b"content-length: %d\r\nconnection: close\r\n" % len(body)
        self.transport.write(b"%b%b%b\r\n%b" % (self.server.start(refusal.status), framing, fields(headers), body))
        self._refusal = None
        self._reader.close()
        self.since = self.server.ticker.next
        self.transport.write_eof()

    # The end.

    @property
    def idle(self) -> bool:
        """Whether no request is being read or answered."""
        return self._responder is None and not self._waiting and self._reader.stage == START

    def close(self) -> None:
        """Close once what is written has left; a client that does not take it is cut by the ticker."""
        self.deaf = True
        self.since = self.server.ticker.next
        self.transport.close()

    def cut(self, *, flush: bool) -> None:
        """Close without the end of the answer, with what was written before it or at once."""
        self._forget_request()
        self.close()
        if not flush:
            self.transport.abort()

    def tick(self, now: float) -> None:
        """Cut a client that has been waited for long enough."""
        limits, reader, waited = self.server.limits, self._reader, now - self.since
        if self.full is not None or self.transport.is_closing():
            unsent_bytes = self.transport.get_write_buffer_size()
            if unsent_bytes != self._unsent_bytes:
                self._unsent_bytes, self.since = unsent_bytes, self.server.ticker.next
            elif waited > limits.write_seconds:
                self.transport.abort()
        elif self._responder is not None:
            pass  # the handler keeps its own time
        elif self.deaf:
            if waited > limits.linger_seconds:
                self.transport.abort()
        elif reader.stage == HEAD:
            if now - reader.since > limits.head_seconds:
                self._refuse(RefusedError(408, "the headers took too long"))
        elif reader.stage == BODY:
            grace_seconds = limits.body_seconds + reader.received_bytes / limits.body_bytes_per_second
            if now - reader.since > grace_seconds:
                self._refuse(RefusedError(408, "the body took too long"))
        elif waited > limits.idle_seconds:
            self.close()
