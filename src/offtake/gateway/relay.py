"""Passing a vendor's answer on, whole or as a stream: its bytes untouched, its usage read, its cost written down first.

The cost of a request is in the journal before its client reads the end of the answer. A client that leaves is no reason
to stop: the vendor goes on, and bills, so the rest is read to learn what it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from offtake.gateway import headers as ours
from offtake.gateway.ask import Ask, Refusal, Served
from offtake.gateway.attempt import Attempt, cancelled
from offtake.gateway.desk import Desk
from offtake.gateway.dialects import Dialect, Streaming
from offtake.gateway.http.answer import TimedOutError, UpstreamError
from offtake.gateway.http.responder import Responder
from offtake.gateway.translate import Stream as Translated
from offtake.gateway.vendors.endpoint import Arriving

if TYPE_CHECKING:
    from offtake.gateway.transcripts.listening import Listening

Headers = dict[bytes, bytes]
NOT_PASSED = frozenset((b"server", b"alt-svc", b"strict-transport-security", b"nel", b"report-to"))
EVENTS = b"text/event-stream"


class Relay:
    """One answer on its way. `ask` and `dialect` are the client's own."""

    def __init__(
        self, desk: Desk, attempt: Attempt, ask: Ask, dialect: Dialect, responder: Responder | Listening,
        asked: Mapping[bytes, bytes],
    ) -> None:  # fmt: skip
        self._desk = desk
        self.attempt = attempt
        self._ask = ask
        self._dialect = dialect
        self._responder = responder
        self._trailing = asked.get(ours.ASK_TRAILING) == b"trailing"

    async def run(self, answer: Arriving) -> None:
        """Relay it to its end."""
        streams = 200 <= answer.status < 300 and answer.headers.get(b"content-type", b"").startswith(EVENTS)
        if streams:
            await self._stream(answer)
        else:
            await self._whole(answer)

    async def _whole(self, answer: Arriving) -> None:
        try:
            body = await answer.whole(self._desk.body_bytes_max)
        except UpstreamError as error:
            await self.broken(error)
            return
        await self.whole(answer, body)

    async def broken(self, error: UpstreamError) -> None:
        """Say that an answer began and did not end."""
        await self.attempt.settle(self._desk, _cut(error))
        refusal = Refusal("upstream", "G602", f"{self.attempt.prepared.outlet.name} broke off its answer")
        status, listed, body = self._dialect.refuse(refusal, self.attempt.id)
        self._responder.send(status, dict(listed) | self.attempt.headers(), body)

    async def whole(self, answer: Arriving, body: bytes) -> None:
        """Relay an answer whose body is read to its end."""
        prepared = self.attempt.prepared
        self.attempt.written_bytes = len(body)
        served = prepared.dialect.served(answer.status, answer.headers, body, prepared.ask)
        await self.attempt.settle(self._desk, cancelled(served) if self._responder.gone else served)
        status, headers = answer.status, self._passed(answer)
        if prepared.exchange is not None:
            status, body = prepared.exchange.answer(status, body)
        self._responder.send(status, headers | self.attempt.headers(), body)

    async def _stream(self, answer: Arriving) -> None:
        """Each chunk as it comes; the one with which the usage is known waits until that is written down."""
        attempt, responder = self.attempt, self._responder
        prepared = attempt.prepared
        reading: Streaming = prepared.dialect.Stream(prepared.ask, answer.headers)
        translated = prepared.exchange.stream() if prepared.exchange is not None else None
        responder.start(answer.status, self._passed(answer) | attempt.headers())
        await self.pour(answer, reading, translated)

    async def pour(
        self, answer: Arriving, reading: Streaming, translated: Translated | None = None, held: bytes = b""
    ) -> None:
        """Relay a stream from wherever it is to its end. `held`: what made it complete, and is not passed on yet."""
        attempt, responder = self.attempt, self._responder
        failed: UpstreamError | None = None

        def take(chunk: bytes) -> bool:
            """Pass a chunk on, with no more ado; whether something is to be waited for before the next one."""
            nonlocal held
            attempt.written_bytes += len(chunk)
            passed = reading.feed(chunk)
            if translated is not None:
                passed = translated.feed(chunk)
            if reading.complete and attempt.costs is None:
                held = passed
                return True
            return bool(passed) and not responder.gone and responder.write(passed)

        try:
            more = True
            while more:
                if reading.complete:
                    passed, held = await self._settled(reading, held), b""
                    if passed and not responder.gone:
                        responder.write(passed)
                await responder.drain()
                more = await answer.pour(take)
        except UpstreamError as error:
            failed = error
        await self._end(reading, translated, failed)

    async def _settled(self, reading: Streaming, passed: bytes, cut: str = "vendor_truncation") -> bytes:
        """Write the cost down, and say it in front of the last bytes where the client asks for that."""
        if self.attempt.costs is not None:
            return passed
        served = reading.served(cut)
        costs = await self.attempt.settle(self._desk, cancelled(served) if self._responder.gone else served)
        if not self._trailing:
            return passed
        return b": offtake-cost %b\n\n%b" % (ours.dollars(costs.total_pico), passed)

    async def _end(self, reading: Streaming, translated: Translated | None, failed: UpstreamError | None) -> None:
        responder = self._responder
        tail = reading.end()
        if translated is not None:
            tail = translated.finish()
        cut = "timeout" if isinstance(failed, TimedOutError) else "vendor_truncation"
        tail = await self._settled(reading, tail, cut)
        if failed is not None and translated is None:
            name = self.attempt.prepared.outlet.name
            tail += self._dialect.stream_error(Refusal("upstream", "G602", f"{name} broke off its answer"))
        if not responder.gone:
            responder.write(tail)
            responder.finish()

    def _passed(self, answer: Arriving) -> Headers:
        """The vendor's headers that pass; of a translated answer only what means the same in every dialect."""
        if self.attempt.prepared.exchange is not None:
            kind = EVENTS if self._ask.stream and 200 <= answer.status < 300 else b"application/json"
            return {b"content-type": kind}
        return passed(answer.headers)


def passed(headers: Headers) -> Headers:
    """The vendor's headers that a client gets."""
    return {name: value for name, value in headers.items() if name not in NOT_PASSED}


def _cut(error: UpstreamError) -> Served:
    """An answer that began and did not end: nobody said what was used."""
    return Served(None, "timeout" if isinstance(error, TimedOutError) else "vendor_truncation")
