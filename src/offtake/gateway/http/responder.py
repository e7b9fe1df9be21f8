"""The answer to one request: whole (`send`, `answer`) or in pieces (`start`, `write`, `drain`, `finish`).

A client that has left is no error: what is written to it goes nowhere, `gone` is set and `on_gone` called, and the
handler goes on, since what the vendor does for it is still billed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from offtake.gateway.http.head import BODILESS, Headers, fields
from offtake.gateway.http.request import Request

if TYPE_CHECKING:
    from offtake.gateway.http.connection import Connection

# Below this size one copy is cheaper than a second buffer for the kernel.
JOIN_BYTES = 16 * 1024

# How far an answer is.
NEW, STARTED, DONE = range(3)


class Responder(msgspec.Struct, eq=False):
    """Writes one answer. ValueError: a header that would be an injection. RuntimeError: answered twice."""

    _connection: Connection | None
    request: Request
    keep_alive: bool
    gone: bool
    _state: int = NEW
    _chunked: bool = False
    _bodiless: bool = False
    on_gone: Callable[[], None] | None = None
    task: Any = None  # the handler's, kept by the server

    @property
    def started(self) -> bool:
        """Whether the status is out, so that no other can be sent."""
        return self._state != NEW

    @property
    def finished(self) -> bool:
        """Whether the answer is whole, or cut."""
        return self._state == DONE

    def send(self, status: int, headers: Headers, body: bytes = b"") -> None:
        """The whole answer."""
        self.answer(status, fields(headers), body)

    def answer(self, status: int, lines: bytes, body: bytes) -> None:
        """The whole answer, whose headers were made to `lines` (`head.fields`) before."""
        start = self._start(status)
        self._state = DONE
        connection = self._connection
        if connection is None:
            return
        if self._bodiless:
            length = b"" if status in BODILESS else b"content-length: %d\r\n" % len(body)
            connection.transport.write(b"%b%b%b\r\n" % (start, lines, length))
        elif len(body) < JOIN_BYTES:
            connection.transport.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (start, lines, len(body), body))
        else:
            connection.transport.writelines((b"%b%bcontent-length: %d\r\n\r\n" % (start, lines, len(body)), body))
        self._connection = None
        connection.answered(self)

    def start(self, status: int, headers: Headers) -> None:
        """The head of an answer whose length is not known yet."""
        self.begin(status, fields(headers))

    def begin(self, status: int, lines: bytes) -> None:
        """As `start`, with headers that were made to lines before."""
        if status not in BODILESS:
            if self.request.http_1_0:
                self.keep_alive = False  # the end of the connection is the end of the answer
            else:
                self._chunked = True
                lines += b"transfer-encoding: chunked\r\n"
        head = b"%b%b\r\n" % (self._start(status), lines)
        self._state = STARTED
        if self._connection is not None:
            self._connection.transport.write(head)

    def write(self, chunk: bytes) -> bool:
        """A piece of the body, now; whether the client takes less than we write.

        It waits for nobody: `await drain()` where it says so, or from time to time, keeps memory bounded.
        """
        if self._state != STARTED:
            raise RuntimeError("write() stands between start() and finish()")
        connection = self._connection
        if connection is None or self._bodiless or not chunk:
            return False
        if not self._chunked:
            connection.transport.write(chunk)
        elif len(chunk) < JOIN_BYTES:
            connection.transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        else:
            connection.transport.writelines((b"%x\r\n" % len(chunk), chunk, b"\r\n"))
        return connection.full is not None

    async def drain(self) -> None:
        """Wait while the client takes less than we write. Returns at once when it has left."""
        connection = self._connection
        if connection is not None and connection.full is not None:
            await connection.full.wait()

    def finish(self) -> None:
        """The end of the body."""
        if self._state != STARTED:
            raise RuntimeError("finish() stands after start()")
        self._state = DONE
        connection = self._connection
        if connection is None:
            return
        if self._chunked and not self._bodiless:
            connection.transport.write(b"0\r\n\r\n")
        self._connection = None
        connection.answered(self)

    def cut(self) -> None:
        """End an answer that cannot be finished, so that the client sees that it is not whole."""
        self._state = DONE
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.cut(flush=self._chunked)

    def lose(self) -> None:
        """The client has left: the connection says so."""
        self._connection = None
        self.tell_gone()

    def tell_gone(self) -> None:
        """The client takes no more requests to us; whether it still reads, only a write can tell."""
        if not self.gone:
            self.gone = True
            if self.on_gone is not None:
                self.on_gone()

    def abandon(self) -> None:
        """The handler is through and has left this open."""
        connection = self._connection
        if connection is None:
            return
        if self._state == STARTED:
            self.cut()
        else:
            self.send(500, *connection.server.refuse(500, "the request was not answered", self.request.path))

    def _start(self, status: int) -> bytes:
        """The lines with which the answer begins: the status, the date and what becomes of the connection."""
        if self._state != NEW:
            raise RuntimeError("a request has one answer")
        connection, request = self._connection, self.request
        if connection is None:
            return b""  # nobody is there to read it
        server = connection.server
        start = server.start(status)
        if status in BODILESS or request.method == "HEAD":
            self._bodiless = True
        if server.stopping or (connection.deaf and connection.last):
            self.keep_alive = False
        if not self.keep_alive:
            start += b"connection: close\r\n"
        elif request.http_1_0:
            start += b"connection: keep-alive\r\n"
        return start
