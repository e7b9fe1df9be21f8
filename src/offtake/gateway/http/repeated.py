"""Heads that come again: what was read and accepted once need not be read again on the same connection.

A client's library writes the same head before each of its requests, but for the length of the body. So the bytes
around the digits of that length are kept, and a request that begins with them is the same one with another body. Only
plain heads count: HTTP/1.1, kept alive, one content-length, no expectation and no offer of another protocol.
"""

from __future__ import annotations

import re
from copy import copy

from offtake.gateway.http.request import Request

LENGTH = b"content-length"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n", re.IGNORECASE)
_END = b"\r\n\r\n"
_DIGITS_MAX = 9


class Repeated:
    """A head, and the request that it made. `alike` is it without the length, one object as long as it is kept."""

    __slots__ = ("_after", "_before", "_digits", "_request", "alike")

    def __init__(self, before: bytes, digits: bytes, after: bytes, request: Request) -> None:
        self._before, self._digits, self._after = before, digits, after
        self.alike = request.alike = before + after
        self._request = copy(request)  # it is still without its body, which is not to stay

    def begin(self, data: bytes) -> tuple[Request, int, int] | None:
        """The request without its body, the body's length, and where it begins; None where `data` begins otherwise."""
        before = self._before
        if not data.startswith(before):
            return None
        begin = len(before)
        end = data.find(b"\r", begin, begin + _DIGITS_MAX + 1)
        digits = data[begin:end]
        if not digits.isdigit() or not data.startswith(self._after, end):
            return None
        known = self._request
        headers = known.headers
        if digits != self._digits:
            headers = {**headers, LENGTH: digits}
        request = Request(
            known.method, known.path, known.query, headers, b"", known.client, True, False, self.alike
        )  # fmt: skip
        return request, int(digits), end + len(self._after)


def repeated(data: bytes, request: Request) -> Repeated | None:
    """The head of a request that llhttp has read, where `data` begins with all of it and it is plain."""
    headers = request.headers
    if request.http_1_0 or not request.keep_alive or LENGTH not in headers or b"expect" in headers:
        return None
    end = data.find(_END) + len(_END)
    found = _LENGTH.search(data, 0, end)
    if end < len(_END) or found is None or data[:1] in (b"\r", b"\n"):
        return None
    return Repeated(data[: found.start(1)], found[1], data[found.end(1) : end], request)
