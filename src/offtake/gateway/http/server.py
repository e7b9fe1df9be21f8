"""The HTTP/1.1 server of the data plane: one coroutine per request, on asyncio with httptools (uvloop where it runs).

async def handle(request, responder):
    responder.send(200, {b"content-type": b"text/plain"}, b"Hello")

server = Server(handle)
await server.listen(listening_socket("127.0.0.1", 8080))
...
await server.stop(grace_seconds=30)
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from email.utils import formatdate
from typing import Any

from offtake.gateway.http.connection import Connection
from offtake.gateway.http.head import Headers, status_line
from offtake.gateway.http.limits import Held, Limits
from offtake.gateway.http.request import Request
from offtake.gateway.http.responder import Responder
from offtake.gateway.http.ticker import Ticker

Work = Coroutine[Any, Any, None]
Handle = Callable[[Request, Responder], Work | None]
"""What answers a request: the coroutine that it returns, or without one whatever it has set going."""
Refuse = Callable[[int, str, str], tuple[Headers, bytes]]


def listening_socket(host: str, port: int, *, backlog: int = 1024) -> socket.socket:
    """A socket that several workers may have of the same port; the kernel spreads the clients. OSError: port taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=backlog, reuse_port=True)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # clients inherit it; not every loop sets it
    return listening


def plain_refusal(status: int, reason: str, path: str) -> tuple[Headers, bytes]:
    """The answer to a request that gets no handler, where the caller has no words of its own."""
    return {b"content-type": b"text/plain; charset=utf-8"}, f"{status}: {reason}\n".encode()


class Server:
    """Clients of one worker. `refuse(status, reason, path)` words the answers that no handler gives.

    `aside()`: how many requests the handler serves without a coroutine.
    """

    def __init__(
        self,
        handle: Handle,
        *,
        limits: Limits | None = None,
        refuse: Refuse = plain_refusal,
        ticker: Ticker | None = None,
        aside: Callable[[], int] = int,
    ) -> None:
        self._aside = aside
        self.limits = limits or Limits()
        self.refuse = refuse
        self.ticker = ticker or Ticker()
        self.held = Held()
        self.stopping = False
        self._handle = handle
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._date = b""
        self._dated = -1.0
        self._starts: dict[int, bytes] = {}

    async def listen(self, listening: socket.socket) -> None:
        """Accept clients from now on. The socket is ours from here."""
        self._loop = asyncio.get_running_loop()
        self._listener = await self._loop.create_server(lambda: Connection(self), sock=listening)

    async def stop(self, grace_seconds: float) -> None:
        """Take no more clients, let what runs come to its end, then cut what is left and cancel its handlers."""
        self.stopping = True
        self._listener.close()
        for connection in list(self._connections):
            if connection.idle:
                connection.close()
        until = self._loop.time() + grace_seconds
        while (self._connections or self.running) and self._loop.time() < until:
            await asyncio.sleep(0.01)
        for connection in list(self._connections):
            connection.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    @property
    def running(self) -> int:
        """How many requests are being served, those of clients that have left among them."""
        return len(self._tasks) + self._aside()

    # What a connection asks of its server.

    def opened(self, connection: Connection) -> bool:
        """Whether there is room for one more."""
        self._connections.add(connection)
        self.ticker.watch(connection)
        connection.since = self.ticker.next
        return len(self._connections) <= self.limits.connections

    def closed(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self._connections.discard(connection)
        self.ticker.forget(connection)

    def begin(self, request: Request, responder: Responder) -> None:
        """Have a request answered."""
        try:
            work = self._handle(request, responder)
        except Exception as error:  # noqa: BLE001 - as in `_run`
            self._failed(error)
            responder.abandon()
        else:
            if work is not None:
                self.run(work, responder)

    def run(self, work: Work, responder: Responder) -> None:
        """Have a coroutine answer a request."""
        responder.task = task = self._loop.create_task(self._run(work, responder))
        self._tasks.add(task)

    async def _run(self, work: Work, responder: Responder) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets an answer and the operator the trace
            self._failed(error)
        finally:
            self._tasks.discard(responder.task)
            if not responder.finished:
                responder.abandon()

    def _failed(self, error: Exception) -> None:
        self._loop.call_exception_handler({"message": "a handler failed", "exception": error})

    def start(self, status: int) -> bytes:
        """The lines with which answers begin: the status, and the date as of the last tick."""
        if self._dated != self.ticker.next:
            self._dated = self.ticker.next
            self._date = b"date: %b\r\n" % formatdate(usegmt=True).encode()
            self._starts.clear()
        start = self._starts.get(status)
        if start is None:
            start = self._starts[status] = status_line(status) + self._date
        return start
