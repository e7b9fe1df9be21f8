"""The head of a message as bytes: start line and headers, with framing that is ours alone.

Headers are `dict[bytes, bytes]` with lower-case names, in both directions. Whatever a caller hands in, no value can
start a line of its own (response splitting), and no header can say a second time how long the body is (smuggling).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

Headers = Mapping[bytes, bytes]

# How a message is framed is decided by who writes it: a caller's word on it is dropped.
FRAMING = frozenset(
    b"connection content-length date keep-alive proxy-connection te trailer transfer-encoding upgrade".split()
)
# What we answer for towards a vendor: `identity`, because usage is read from the bytes that pass.
OURS_UPSTREAM = FRAMING | frozenset(b"accept-encoding expect host http2-settings proxy-authorization".split())

_STATUS_LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
BODILESS = frozenset((204, 304))


def fields(headers: Headers, ours: frozenset[bytes] = FRAMING) -> bytes:
    """Those of `headers` that are not `ours` as lines, each with its end.

    ValueError where one holds CR, LF or NUL: that is an injection or a bug, and is never written.
    """
    lines = [b": ".join(header) for header in headers.items() if header[0] not in ours]
    lines.append(b"")
    text = b"\r\n".join(lines)
    ends = len(lines) - 1
    if text.count(b"\n") != ends or text.count(b"\r") != ends or 0 in text:
        raise ValueError("a header holds CR, LF or NUL")
    return text


def status_line(status: int) -> bytes:
    """`HTTP/1.1 200 OK` and its end; a status that the standard does not name, such as 529, has no phrase."""
    line = _STATUS_LINES.get(status)
    if line is not None:
        return line
    if not 100 <= status <= 999:
        raise ValueError(f"a status has three digits, not {status}")
    return b"HTTP/1.1 %d \r\n" % status


def joined(headers: dict[bytes, bytes], name: bytes, value: bytes) -> None:
    """Add a header that is there already: one list, as RFC 9110 5.3 allows; cookies have a separator of their own."""
    headers[name] += (b"; " if name == b"cookie" else b", ") + value
