"""One request of a client in one dialect to a vendor of another: the body to send, and what comes back translated.

    exchange = translate("openai_chat", "anthropic_messages", body, Wire(), created)
    exchange.path, exchange.body, exchange.dropped      # to the vendor; names for a response header
    exchange.answer(status, body)                       # a whole answer or an error, in the client's dialect
    exchange.stream()                                   # feed(bytes) -> bytes, finish() -> bytes

Pure: the caller gives the time. Only `translate` raises, `BadRequest`; whatever a vendor sends becomes an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from offtake.gateway.translate import anthropic_messages, failures, openai_chat, openai_responses
from offtake.gateway.translate.fields import BadRequest, Dropped, decoded, encoded
from offtake.gateway.translate.meaning import Answer, Ended, Event, Failed, Request
from offtake.gateway.translate.order import Order
from offtake.gateway.translate.sse import EventParser, EventTooLong, ServerEvent
from offtake.gateway.translate.wire import Wire

Dialect = Literal["openai_chat", "openai_responses", "anthropic_messages"]


class StreamReader(Protocol):
    """A vendor's events to ours."""

    def read(self, event: ServerEvent) -> Iterator[Event]: ...

    def end(self) -> Iterator[Event]: ...


class StreamWriter(Protocol):
    """Our events to a client's."""

    def write(self, event: Event) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Speech:
    """Everything one dialect can do."""

    path: str
    read_request: Callable[[bytes, Dropped], Request]
    write_request: Callable[[Request, Wire, Dropped], dict[str, Any]]
    read_answer: Callable[[Any], Answer | Failed]
    write_answer: Callable[[Answer, Request, int], dict[str, Any]]
    read_stream: Callable[[], StreamReader]
    write_stream: Callable[[Request, int], StreamWriter]
    write_failure: Callable[[Failed], tuple[int, dict[str, Any]]]


_SPEECHES: dict[Dialect, _Speech] = {
    "openai_chat": _Speech(
        openai_chat.PATH,
        openai_chat.read_request,
        openai_chat.write_request,
        openai_chat.read_answer,
        lambda answer, _, created: openai_chat.write_answer(answer, created),
        openai_chat.StreamReader,
        openai_chat.StreamWriter,
        failures.write_openai,
    ),
    "openai_responses": _Speech(
        openai_responses.PATH,
        openai_responses.read_request,
        openai_responses.write_request,
        openai_responses.read_answer,
        openai_responses.write_answer,
        openai_responses.StreamReader,
        openai_responses.StreamWriter,
        failures.write_openai,
    ),
    "anthropic_messages": _Speech(
        anthropic_messages.PATH,
        anthropic_messages.read_request,
        anthropic_messages.write_request,
        anthropic_messages.read_answer,
        lambda answer, _, __: anthropic_messages.write_answer(answer),
        anthropic_messages.StreamReader,
        anthropic_messages.StreamWriter,
        failures.write_anthropic,
    ),
}


def translate(client: Dialect, vendor: Dialect, body: bytes, wire: Wire, created: int) -> Exchange:
    """The exchange of a client's request; `created` is the time in Unix seconds. Raises BadRequest: a 400."""
    dropped = Dropped()
    request = _SPEECHES[client].read_request(body, dropped)
    written = _SPEECHES[vendor].write_request(request, wire, dropped)
    return Exchange(client, vendor, request, encoded(written), dropped.names(), created)


def refused(client: Dialect, error: BadRequest) -> tuple[int, bytes]:
    """The 400 of a request that cannot be translated, in the client's dialect."""
    status, body = _SPEECHES[client].write_failure(Failed("invalid_request", error.message, param=error.param))
    return status, encoded(body)


class Exchange:
    """A translated request that waits for its answer. `dropped` names the client's fields that were left out."""

    def __init__(
        self, client: Dialect, vendor: Dialect, request: Request, body: bytes, dropped: list[str], created: int
    ) -> None:
        self._client, self._vendor = _SPEECHES[client], _SPEECHES[vendor]
        self._vendor_dialect = vendor
        self._request, self._created = request, created
        self.path, self.body, self.dropped = self._vendor.path, body, dropped

    def answer(self, status: int, body: bytes) -> tuple[int, bytes]:
        """The vendor's whole answer or error as the client's. An answer that cannot be read is the vendor's failure."""
        if not 200 <= status < 300:
            return self._failed(failures.read(self._vendor_dialect, status, body))
        try:
            answer = self._vendor.read_answer(decoded(body))
            if isinstance(answer, Failed):
                return self._failed(answer)
            return status, encoded(self._client.write_answer(answer, self._request, self._created))
        except BadRequest as error:
            return self._failed(Failed("unreadable", f"the vendor's answer cannot be read: {error.message}"))

    def stream(self) -> Stream:
        """A translator of the vendor's event stream."""
        return Stream(self._vendor.read_stream(), self._client.write_stream(self._request, self._created))

    def _failed(self, failed: Failed) -> tuple[int, bytes]:
        status, body = self._client.write_failure(failed)
        return status, encoded(body)


class Stream:
    """A vendor's event stream as the client's: the same bytes however the vendor's were cut."""

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._parser = EventParser()
        self._reader, self._writer, self._order = reader, writer, Order()
        self._over = False

    def feed(self, chunk: bytes) -> bytes:
        """What the client gets for a piece of the vendor's stream, b"" where nothing is complete yet."""
        return b"" if self._over else self._written(self._events(chunk))

    def finish(self) -> bytes:
        """What the client still gets when the vendor's stream has ended: an error where it broke off."""
        return b"" if self._over else self._written(self._reader.end())

    def _events(self, chunk: bytes) -> Iterator[Event]:
        try:
            for event in self._parser.feed(chunk):
                yield from self._reader.read(event)
        except EventTooLong:
            yield Failed("unreadable", "the vendor's stream holds an event that is too long")

    def _written(self, events: Iterator[Event]) -> bytes:
        written = bytearray()
        try:
            for event in self._order.kept(events):
                written += self._writer.write(event)
                if isinstance(event, Ended | Failed):
                    self._over = True
                    break
        except BadRequest as error:
            self._over = True
            failed = Failed("unreadable", f"the vendor's stream cannot be read: {error.message}")
            written += self._writer.write(failed)
        return bytes(written)
