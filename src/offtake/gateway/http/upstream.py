"""Kept-alive connections to one vendor, and requests over them.

    pool = Pool("https://api.openai.com/v1")
    answer = await pool.request("POST", "/chat/completions", headers, body)
    while chunk := await answer.read():
        ...

Answers come as they are (`accept-encoding: identity` is asked for; what is compressed all the same passes compressed).
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from offtake.gateway.http.answer import Answer, NotSentError, TimedOutError, UpstreamError
from offtake.gateway.http.head import OURS_UPSTREAM, Headers, fields
from offtake.gateway.http.link import Link, Listener
from offtake.gateway.http.ticker import Ticker


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Patience with one request, in seconds; to the nearest tick of the ticker, never early."""

    connect_seconds: float = 5.0  # for a free connection or a new one, TLS included
    first_byte_seconds: float = 600.0  # from the request written to the head of the answer
    between_bytes_seconds: float = 120.0
    unread_seconds: float = 600.0  # for our own side to read on: an answer that was forgotten must not stay for ever
    total_seconds: float = math.inf  # from the request written to the end of the answer


class Block(NamedTuple):
    """The head of a request, ready to be written: what stands before and behind the length of its body."""

    method: str
    before: bytes
    after: bytes


@dataclass(slots=True)
class Waiting:
    """The listener of a coroutine that waits for the head of an answer."""

    future: asyncio.Future[Answer]

    def answered(self, answer: Answer) -> None:
        """As `Listener.answered`."""
        if not self.future.done():
            self.future.set_result(answer)

    def failed(self, error: UpstreamError) -> None:
        """As `Listener.failed`."""
        if not self.future.done():
            self.future.set_exception(error)

    def leave(self) -> None:
        """Nobody waits any more: give up what has come all the same."""
        if self.future.done() and not self.future.cancelled() and self.future.exception() is None:
            self.future.result().close()


class Pool:
    """Connections to the origin of `base_url`, whose path is put before each target.

    ValueError: not an http or https address.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connections_max: int = 1000,
        idle_seconds: float = 55.0,
        timeouts: Timeouts | None = None,
        tls: ssl.SSLContext | None = None,
        ticker: Ticker | None = None,
    ) -> None:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.username or url.query or url.fragment:
            raise ValueError(f"an http or https address without user and query is needed, not {base_url!r}")
        self.idle_seconds = idle_seconds
        self.timeouts = timeouts or Timeouts()
        self.ticker = ticker or Ticker()
        self._host = url.hostname
        self._port = url.port or (443 if url.scheme == "https" else 80)
        self._prefix = url.path.rstrip("/")
        self._authority = url.netloc.encode("ascii")
        self.secure = url.scheme == "https"
        self._tls = (tls or client_tls()) if self.secure else None
        self._connections_max = connections_max
        self._connecting = 0
        self._idle: list[Link] = []  # the last one used is the first one reused: the rest ages and closes
        self._links: set[Link] = set()
        self._queue: deque[asyncio.Future[Link | None]] = deque()

    async def request(
        self, method: str, target: str, headers: Headers, body: bytes = b"", timeouts: Timeouts | None = None
    ) -> Answer:
        """As `send`, of a block that is made for this request."""
        return await self.send(self.block(method, target, headers, bool(body)), body, timeouts)

    def block(self, method: str, target: str, headers: Headers, with_body: bool = True) -> Block:
        """The head of requests that differ in their bodies only. `target` is path and query; names are lower-case.

        ValueError for a target or header that would be an injection.
        """
        if " " in target or "\r" in target or "\n" in target or "\0" in target:
            raise ValueError("a space, CR, LF or NUL in the request target")
        line = f"{method} {self._prefix}{target} HTTP/1.1\r\n".encode("ascii")
        before = b"%bhost: %b\r\naccept-encoding: identity\r\n" % (line, self._authority)
        after = fields(headers, OURS_UPSTREAM) + b"\r\n"
        if with_body or method not in ("GET", "HEAD", "DELETE"):
            return Block(method, before + b"content-length: ", b"\r\n" + after)
        return Block(method, before + after, b"")

    async def send(self, block: Block, body: bytes = b"", timeouts: Timeouts | None = None) -> Answer:
        """The answer, as soon as its head is there.

        NotSentError, BrokenError or TimedOutError. Cancelling closes the connection.
        """
        timeouts = timeouts or self.timeouts
        while True:
            link = self._reuse() or await self._connected(timeouts)
            waiting = Waiting(asyncio.get_running_loop().create_future())
            link.send(block, body, timeouts, waiting)
            try:
                return await waiting.future
            except NotSentError:
                if not link.reused:
                    raise
            except asyncio.CancelledError:
                link.leave(waiting)
                waiting.leave()
                raise

    def send_at_once(self, block: Block, body: bytes, listener: Listener) -> bool:
        """Send over an idle connection and have `listener` told of what comes; False, and nothing done, without one.

        NotSentError then is no reason to despair: the connection may have been closed as we wrote, and `send` finds
        another.
        """
        link = self._reuse()
        if link is None:
            return False
        link.send(block, body, self.timeouts, listener)
        return True

    async def close(self) -> None:
        """Close every connection, those in use too."""
        for link in list(self._links):
            link.transport.abort()
        await asyncio.sleep(0)

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._links)

    def _reuse(self) -> Link | None:
        """An idle connection that lives, unless others wait already."""
        while self._idle and not self._queue:
            link = self._idle.pop()
            if link.alive(self.ticker.next):
                return link
        return None

    async def _connected(self, timeouts: Timeouts) -> Link:
        """A connection that became free or a new one."""
        try:
            async with asyncio.timeout(timeouts.connect_seconds):
                while len(self._links) + self._connecting >= self._connections_max:
                    link = await self._wait()
                    if link is not None and link.alive(self.ticker.next):
                        return link
                return await self._connect()
        except TimeoutError:
            raise TimedOutError(f"no connection to {self._host} in time", dispatched=False) from None

    async def _wait(self) -> Link | None:
        """A connection that another request has left, or None when there may be room for a new one."""
        waiter: asyncio.Future[Link | None] = asyncio.get_running_loop().create_future()
        self._queue.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in self._queue:
                self._queue.remove(waiter)
            elif waiter.done() and not waiter.cancelled():  # handed to us as we left
                link = waiter.result()
                self.free(link) if link is not None else self._wake()
            raise

    async def _connect(self) -> Link:
        self._connecting += 1
        where = f"{self._host}:{self._port}"
        try:
            loop = asyncio.get_running_loop()
            _, link = await loop.create_connection(
                lambda: Link(self, loop),
                self._host,
                self._port,
                ssl=self._tls,
                server_hostname=self._host if self._tls else None,
            )
        except OSError as error:  # refused, unknown, unreachable, or a certificate that we do not trust
            self._wake()
            raise NotSentError(f"no connection to {where}: {error}") from error
        except BaseException:
            self._wake()
            raise
        finally:
            self._connecting -= 1
        if not link.alive(self.ticker.next):
            raise NotSentError(f"{where} closed the connection at once")
        return link

    def _wake(self) -> None:
        """Tell the first who waits that there is room."""
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    # What a link calls.

    def opened(self, link: Link) -> None:
        """A connection stands."""
        self._links.add(link)
        self.ticker.watch(link)

    def free(self, link: Link) -> None:
        """Take back a connection that is good for another request."""
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_result(link)
                return
        self._idle.append(link)

    def lost(self, link: Link) -> None:
        """Forget a connection that is gone."""
        self._links.discard(link)
        self.ticker.forget(link)
        if link in self._idle:
            self._idle.remove(link)
        self._wake()


def client_tls() -> ssl.SSLContext:
    """The system's trust, HTTP/1.1 only."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
