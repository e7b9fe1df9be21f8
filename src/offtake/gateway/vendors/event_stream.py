"""AWS' event stream (`application/vnd.amazon.eventstream`) as server-sent events of Anthropic's dialect.

A frame is a prelude with two lengths and their checksum, headers, a payload and the checksum of all. Bedrock's `chunk`
frames hold an event of the model in base64; an `exception` frame ends the stream, and becomes an `error` event.
"""

from __future__ import annotations

import struct
from typing import Any

import msgspec

from offtake.gateway.dialects import sse
from offtake.gateway.dialects.document import encoded
from offtake.gateway.translate import failures
from offtake.gateway.translate.meaning import Failed, Kind

_KINDS: dict[str, Kind] = {
    "accessdenied": "permission",
    "expiredtoken": "authentication",
    "incompletesignature": "authentication",
    "internalserver": "vendor",
    "invalidsignature": "authentication",
    "missingauthenticationtoken": "authentication",
    "modelerror": "vendor",
    "modelnotready": "overloaded",
    "modelstreamerror": "vendor",
    "modeltimeout": "timeout",
    "resourcenotfound": "not_found",
    "servicequotaexceeded": "rate_limit",
    "serviceunavailable": "overloaded",
    "throttling": "rate_limit",
    "unrecognizedclient": "authentication",
    "validation": "invalid_request",
}


class _Part(msgspec.Struct):
    """A chunk's payload; msgspec reads base64 where bytes are wanted."""

    event: bytes = msgspec.field(name="bytes")


class _Event(msgspec.Struct):
    type: str = ""


class _Exception(msgspec.Struct):
    message: str = ""


_PART = msgspec.json.Decoder(_Part).decode
_EVENT = msgspec.json.Decoder(_Event).decode
_EXCEPTION = msgspec.json.Decoder(_Exception).decode


def kind_of(name: str) -> Kind | None:
    """What an exception of AWS means, by its name as headers, frames and bodies write it; None for an unknown one."""
    plain = name.partition(":")[0].rpartition("#")[2].lower()
    return _KINDS.get(plain.removesuffix("exception"))


class EventStream:
    """Frames in, events out, in whatever pieces they arrive. `broken` says why what follows cannot be read."""

    __slots__ = ("_buffer", "_left", "broken")

    def __init__(self) -> None:
        from botocore.eventstream import EventStreamBuffer

        self._buffer = EventStreamBuffer()
        self._left = 0  # bytes that are no whole frame yet
        self.broken = ""

    def feed(self, chunk: bytes) -> bytes:
        """The events whose frames end in `chunk`, up to the first that is broken."""
        from botocore.eventstream import ParserError

        events: list[bytes] = []
        self._left += len(chunk)
        try:
            self._buffer.add_data(chunk)
            for frame in self._buffer:
                self._left -= frame.prelude.total_length
                events.append(_event_of(frame.headers, frame.payload))
        except (ParserError, msgspec.MsgspecError, struct.error, LookupError, ValueError) as error:
            self.broken = f"the vendor's event stream is broken: {error}"
        return b"".join(events)

    def end(self) -> None:
        """The stream is over: what is left was to be a frame."""
        if self._left and not self.broken:
            self.broken = "the vendor's event stream ends within a frame"


def _event_of(headers: dict[str, Any], payload: bytes) -> bytes:
    """One frame as an event; empty for what says nothing to a client. ValueError where it cannot be read."""
    kind = headers.get(":message-type")
    if kind == "event":
        if headers.get(":event-type") != "chunk":
            return b""
        data = _PART(payload).event.replace(b"\n", b" ").replace(b"\r", b" ")
        name = _EVENT(data).type
        return sse.event(name if name.isidentifier() else "", data)
    name = str(headers.get(":exception-type") or headers.get(":error-code") or "")
    message = str(headers.get(":error-message") or "") or _EXCEPTION(payload or b"{}").message
    _, error = failures.write_anthropic(Failed(kind_of(name) or "vendor", f"{name}: {message}"))
    return sse.event("error", encoded(error))
