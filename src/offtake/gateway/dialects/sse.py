"""Server-sent events, cut out of a stream of bytes in whatever pieces it arrives (WHATWG HTML, section 9.2).

Events stay the bytes that they are, terminator included, so that passing them on changes nothing. What an event holds
is read only for those that matter.
"""

from __future__ import annotations

import re

# An empty line ends an event; lines end with \r\n, \n or \r.
_END = re.compile(rb"\r?\n\r?\n|\r\r")
_LINE = re.compile(rb"\r\n|\n|\r")
_END_BYTES_MAX = 4
_HELD_BYTES_MAX = 32 * 2**20  # no event is as long: what goes on without an end is let go


class Events:
    """Cuts a stream into events. `held` is the beginning of one that has not ended yet."""

    __slots__ = ("_searched", "held")

    def __init__(self) -> None:
        self.held = bytearray()
        self._searched = 0  # so that an event in a thousand pieces is searched once, not a thousand times

    def feed(self, chunk: bytes) -> list[bytes]:
        """The events that end in `chunk`, each with all of its bytes."""
        if not self.held and chunk.endswith(b"\n\n") and not chunk.endswith(b"\n\n\n") and chunk.find(b"\r") < 0:
            return [event + b"\n\n" for event in chunk[:-2].split(b"\n\n")]
        self.held += chunk
        events = []
        begin = 0
        for end in _END.finditer(self.held, self._searched):
            events.append(bytes(self.held[begin : end.end()]))
            begin = end.end()
        del self.held[:begin]
        if len(self.held) > _HELD_BYTES_MAX:
            events.append(self.rest())
        self._searched = max(0, len(self.held) - _END_BYTES_MAX + 1)
        return events

    def rest(self) -> bytes:
        """What is held, given up: the stream has ended."""
        rest = bytes(self.held)
        self.held.clear()
        self._searched = 0
        return rest


def all_of_lines(chunk: bytes, lines: int) -> int:
    """How many events a chunk has, all whole and each of so many lines; 0 where it is made of anything else."""
    events = chunk.count(b"\n\n")
    plain = chunk[-2:] == b"\n\n" and chunk.count(b"\n") == (lines + 1) * events and chunk.find(b"\r") < 0
    return events if plain else 0


def data_of(event: bytes) -> bytes:
    """The data of an event, its lines joined; empty for a comment."""
    values = []
    for line in _LINE.split(event):
        name, _, value = line.partition(b":")
        if name == b"data":
            values.append(value.removeprefix(b" "))
    return b"\n".join(values)


def in_one_line(event: bytes) -> bool:
    """Whether the data of an event stands in one line, so that a search through its bytes sees it as it is."""
    first = event.find(b"data")
    return event.find(b"\ndata", first) == -1 and event.find(b"\rdata", first) == -1


def event(name: str, data: bytes) -> bytes:
    """One event, named where a dialect names them."""
    return (b"event: " + name.encode() + b"\n" if name else b"") + b"data: " + data + b"\n\n"
