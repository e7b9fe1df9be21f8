"""The line of journals and blocks: `crc32 json`, the checksum in eight hex digits, so that a torn or changed line is
known.

A journal's line is one event, or a JSON array of events that stand or fall together. JSON escapes line feeds, so a line
feed ends a line and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack
from zlib import crc32

HEAD_BYTES = 9  # eight digits and a space


def line_of(payload: bytes) -> bytes:
    """A payload (JSON without line feeds) with its checksum, without a line feed."""
    return b"%08x %b" % (crc32(payload), payload)


def payload_of(line: bytes) -> bytes:
    """The payload of a line."""
    return line[HEAD_BYTES:]


def is_whole(line: bytes) -> bool:
    """Whether the payload matches its checksum."""
    return line[:HEAD_BYTES] == b"%08x " % crc32(line[HEAD_BYTES:])


@dataclass(frozen=True, slots=True)
class Lines:
    """What could be read of a stretch of a journal.

    `whole` lines, without their line feeds, end at `length` bytes; what follows is `torn`: a line that was not
    finished, or nothing. `payloads` are those of the whole lines, `text` is the stretch that they are, without its last
    line feed. `damaged` is the place in the stretch of a line that is not whole although whole lines follow it: no
    crash does that.
    """

    whole: list[bytes]
    payloads: list[bytes]
    text: bytes
    length: int
    torn: int = 0
    damaged: int | None = None


def split_lines(data: bytes) -> Lines:
    """The whole lines at the start of `data`."""
    lines = data.split(b"\n")
    torn = len(lines.pop())
    payloads = [line[HEAD_BYTES:] for line in lines]
    if b"".join([line[:HEAD_BYTES] for line in lines]) == _heads(payloads):
        length = len(data) - torn
        return Lines(lines, payloads, data[: length - 1] if lines else b"", length, torn)
    broken = [index for index, line in enumerate(lines) if not is_whole(line)]
    whole = lines[: broken[0]]
    length = sum(len(line) + 1 for line in whole)
    is_torn = len(broken) == len(lines) - broken[0]  # no whole line follows
    damaged = None if is_torn else length
    return Lines(whole, payloads[: broken[0]], b"\n".join(whole), length, len(data) - length, damaged)


def _heads(payloads: list[bytes]) -> bytes:
    """What whole lines begin with, one after the other: all checksums are put into digits at once."""
    if not payloads:
        return b""
    sums = pack(f">{len(payloads)}I", *map(crc32, payloads))
    return sums.hex(" ", 4).encode() + b" "
