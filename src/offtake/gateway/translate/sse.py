"""Server-sent events, by the WHATWG's rules for event streams: bytes in any pieces to events, and events to bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from offtake.gateway.translate.fields import encoded

EVENT_BYTES_MAX = 32 * 1024 * 1024
"""The longest event that is taken; a vendor's longest is a whole answer with its images."""


class ServerEvent(NamedTuple):
    """One event: its name ("" where unnamed) and its data; `comment` where the line only kept the wire alive."""

    name: str
    data: bytes
    comment: bool = False


class EventTooLong(Exception):  # noqa: N818 - says what is wrong with the event
    """A vendor's event beyond `EVENT_BYTES_MAX`."""


class EventParser:
    """Splits a stream into events; the same events however the bytes were cut."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        self._name = ""
        self._data: list[bytes] = []
        self._held = 0
        self._after_cr = False
        self._first = True

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that are complete with this piece. Raises EventTooLong."""
        self._rest += chunk
        while (line := self._line()) is not None:
            if event := self._take(line):
                yield event
        if len(self._rest) + self._held > EVENT_BYTES_MAX:
            raise EventTooLong

    def _line(self) -> bytes | None:
        """The next whole line; CR, LF and CR LF end one, and an LF after a CR that ended a piece is part of it."""
        rest = self._rest
        if self._after_cr and rest:
            if rest[0] == 0x0A:
                del rest[:1]
            self._after_cr = False
        feed = rest.find(b"\n", self._searched)
        carriage = rest.find(b"\r", self._searched, feed if feed >= 0 else len(rest))
        end = carriage if carriage >= 0 else feed
        if end < 0:
            self._searched = len(rest)
            return None
        line = bytes(rest[:end])
        self._after_cr = rest[end] == 0x0D
        del rest[: end + 1]
        self._searched = 0
        return line

    def _take(self, line: bytes) -> ServerEvent | None:
        if self._first:  # a byte order mark may stand before everything
            self._first, line = False, line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            name, data, self._name, self._data, self._held = self._name, self._data, "", [], 0
            said = b"\n".join(data)
            return ServerEvent(name, said) if said else None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not field:
            return ServerEvent("", b"", comment=True)
        if field == b"event":
            self._name = value.decode(errors="replace")
        elif field == b"data":
            self._data.append(value)
            self._held += len(value)
        return None


def data_only(value: Any) -> bytes:
    """An unnamed event."""
    return b"data: " + encoded(value) + b"\n\n"


def named(name: str, value: Any) -> bytes:
    """An event with a name."""
    return b"event: " + name.encode() + b"\ndata: " + encoded(value) + b"\n\n"


KEEP_ALIVE = b": keep-alive\n\n"
