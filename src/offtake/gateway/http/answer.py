"""A vendor's answer as it comes, and the three ways in which there is none.

What matters to the books is whether a vendor may have worked, and so may bill: NotSentError says that it cannot have.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from offtake.gateway.http.link import Link

# Read ahead of whoever reads the answer; above it the vendor waits.
AHEAD_BYTES = 256 * 1024


class UpstreamError(Exception):
    """No answer, or no whole one. `dispatched`: whether the vendor may have seen the request."""

    dispatched = True


class NotSentError(UpstreamError):
    """Provably no byte of the request was accepted: trying again, here or elsewhere, is safe."""

    dispatched = False


class BrokenError(UpstreamError):
    """The request went out and its outcome is unknown, or the answer ends before its end."""


class TimedOutError(UpstreamError):
    """Patience is over: for a connection (not dispatched), for the first byte, between bytes, or for the whole."""

    def __init__(self, what: str, *, dispatched: bool) -> None:
        self.dispatched = dispatched
        super().__init__(what)


class Answer:
    """Status, headers (lower-case names; cookies are not passed on) and a body that arrives.

    Read it to its end or `close` it: the connection serves others only once the answer is whole.
    """

    __slots__ = (
        *("_ahead_bytes", "_error", "_link", "_loop", "_parts", "_take", "_then", "_waiter"),
        *("ended", "headers", "status"),
    )

    def __init__(self, status: int, headers: dict[bytes, bytes], link: Link, loop: asyncio.AbstractEventLoop) -> None:
        self.status = status
        self.headers = headers
        self.ended = False  # all of it has arrived
        self._link: Link | None = link
        self._loop = loop
        self._parts: list[bytes] = []
        self._ahead_bytes = 0
        self._error: Exception | None = None
        self._take: Callable[[bytes], bool] | None = None
        self._then: Callable[[], None] | None = None
        self._waiter: asyncio.Future[None] | None = None

    def then(self, come: Callable[[], None] | None, take: Callable[[bytes], bool] | None = None) -> None:
        """Have `come` called once: when all of it is here, or as much as is read ahead, or the end does not come.

        `take` gets each piece before that, as with `pour`, until it returns True. None: nobody wants to know any more.
        """
        self._then, self._take = come, take

    def arrived(self, limit_bytes: int) -> bytes | None:
        """The whole body, where it is here and no longer than the limit."""
        if not self.ended or self._ahead_bytes > limit_bytes:
            return None
        parts, self._parts, self._ahead_bytes = self._parts, [], 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def read(self) -> bytes:
        """All that has arrived since the last call, waiting for at least a byte; b"" at the end.

        BrokenError or TimedOutError where the end does not come, after all that did come has been read.
        """
        while not self._parts:
            if self._error is not None:
                raise self._error
            if self.ended:
                return b""
            await self._news()
        return self._arrived()

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        """Hand each piece to `take`, as it comes and without waking who waits here, until that returns True.

        True: it did, and the rest waits for the next call; False: that was the end. Errors as those of `read`, and what
        `take` raises.
        """
        while True:
            if self._parts and take(self._arrived()):
                return True
            if self._error is not None:
                raise self._error
            if self.ended:
                return False
            self._take = take
            try:
                await self._news()
            finally:
                stopped, self._take = self._take is None, None
            if stopped:
                return True

    async def _news(self) -> None:
        """Wait until something has come, the end has, or what pours has enough. Cancelling closes the answer."""
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiter = None

    def _arrived(self) -> bytes:
        """What has come, taken away."""
        parts, self._parts = self._parts, []
        if self._ahead_bytes > AHEAD_BYTES and self._link is not None:
            self._link.resume()
        self._ahead_bytes = 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def whole(self, limit_bytes: int) -> bytes:
        """The rest of the body. BrokenError where it is longer than the limit, or as `read` says."""
        if self.ended and self._ahead_bytes <= limit_bytes:
            return self._arrived()
        pieces: list[bytes] = []
        room = limit_bytes

        def take(piece: bytes) -> bool:
            nonlocal room
            pieces.append(piece)
            room -= len(piece)
            return room < 0

        if await self.pour(take):
            self.close()
            raise BrokenError(f"the answer has more than {limit_bytes} bytes")
        return b"".join(pieces)

    def close(self) -> None:
        """Give up the rest. The connection closes, so that the vendor sees it, unless all has arrived."""
        link = self._link
        if link is not None:
            self.fail(BrokenError("the answer was given up"))
            link.drop()

    # What the link calls.

    def grow(self, data: bytes) -> None:
        """Take a piece of the body."""
        self._parts.append(data)
        self._ahead_bytes += len(data)

    def grown(self) -> bool:
        """All pieces that were read at once are here: pour them, or tell who waits. Whether the vendor shall wait."""
        take, parts = self._take, self._parts
        if take is not None and parts:
            self._parts, self._ahead_bytes = [], 0
            try:
                if not take(parts[0] if len(parts) == 1 else b"".join(parts)):
                    return False
            except Exception as error:  # noqa: BLE001 - it is told to who waits, and not to the connection
                self.close()
                self._error = error
                return False
            self._take = None
        if self._waiter is not None:
            self._wake()
        if self._ahead_bytes <= AHEAD_BYTES:
            return False
        self.come()
        return True

    def come(self) -> None:
        """Tell who wants to know that it has come as far as it does by itself."""
        then = self._then
        if then is not None:
            self._then = self._take = None  # who is told holds us, and we hold nobody any more
            then()

    def end(self) -> None:
        """The body is whole."""
        self._link = None
        self.ended = True
        if self._waiter is not None:
            self._wake()

    def fail(self, error: UpstreamError) -> None:
        """The body ends here, unfinished."""
        self._link = None
        self._error = error
        self._wake()
        self.come()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
