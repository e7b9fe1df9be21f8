"""A responder that hands on what it is told and keeps a copy: the answer as its client got it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from offtake.gateway.transcripts.writer import Call, Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from offtake.gateway.attempt import Attempt
    from offtake.gateway.http.head import Headers
    from offtake.gateway.http.responder import Responder


class Listening:
    """What `Relay` asks of a responder. A copy that finds no room is given up whole; `count` is told."""

    __slots__ = ("_attempt", "_count", "_heard", "_hours", "_request", "_responder", "_size", "_status", "_writer")

    def __init__(
        self, responder: Responder, attempt: Attempt, request: bytes, hours: int, writer: Writer,
        count: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._responder = responder
        self._attempt, self._request, self._hours = attempt, request, hours
        self._writer, self._count = writer, count
        self._heard: list[bytes] | None = []
        self._status = self._size = 0
        self._hear(request)

    @property
    def gone(self) -> bool:
        """Whether the client has left."""
        return self._responder.gone

    def send(self, status: int, headers: Headers, body: bytes = b"") -> None:
        """The whole answer."""
        self._status = status
        self._keep(body)
        self._responder.send(status, headers, body)

    def start(self, status: int, headers: Headers) -> None:
        """The head of an answer in pieces."""
        self._status = status
        self._responder.start(status, headers)

    def write(self, chunk: bytes) -> bool:
        """A piece of it; whether the client takes less than is written."""
        self._keep(chunk)
        return self._responder.write(chunk)

    async def drain(self) -> None:
        """Wait while the client takes less than is written."""
        await self._responder.drain()

    def finish(self) -> None:
        """The end of it."""
        self._responder.finish()

    def end(self) -> None:
        """The call is over, however it ended: have it written."""
        if self._heard is None:
            return
        attempt = self._attempt
        key = attempt.caller.key
        outcome = attempt.costs.outcome if attempt.costs else "unknown"
        head = {
            "id": attempt.id, "at": attempt.at, "key": key.id, "workload": key.workload,
            "model": attempt.model, "status": self._status, "outcome": outcome or "ok",
        }  # fmt: skip
        self._writer.put(Call(key.customer, attempt.at, self._hours, head, self._request, self._heard, self._size))

    def _keep(self, piece: bytes) -> None:
        if self._heard is not None and self._hear(piece):
            self._heard.append(piece)

    def _hear(self, piece: bytes) -> bool:
        if self._writer.room.take(len(piece)):
            self._size += len(piece)
            return True
        self._writer.room.drop(self._size)
        self._heard, self._request = None, b""
        self._count("no_room")
        return False
