"""A client's request, and which heads make one.

llhttp is strict by default: doubled, signed or overflowing lengths, both framings at once, folded headers, bare CR or
LF and control characters are errors of its own. Here is what it lets pass and we do not.
"""

from __future__ import annotations

import httptools
import msgspec

from offtake.gateway.http.head import Headers
from offtake.gateway.http.limits import RefusedError

# Said twice, these would leave us and a proxy before us with two minds about one request.
ONCE = frozenset((b"host", b"content-length", b"transfer-encoding", b"authorization", b"x-api-key", b"content-type"))


class Request(msgspec.Struct, eq=False, gc=False):
    """One whole request. `headers` have lower-case names, repeated ones are one list; `body` is without chunks.

    `alike` is the head's bytes but for the body's length, where the connection's requests are likely to repeat them: a
    key for what was found out about them; empty elsewhere. Requests share `headers`, so nobody changes them.
    """

    method: str
    path: str  # as it stood in the request line, percent signs and all
    query: str
    headers: dict[bytes, bytes]
    body: bytes
    client: str  # the peer's address, as text
    keep_alive: bool
    http_1_0: bool
    alike: bytes = b""

    def __repr__(self) -> str:
        """What may stand in a log: neither keys nor prompts."""
        return f"{self.method} {self.path}"


def target_of(url: bytes) -> tuple[str, str]:
    """Path and query of a request line; an absolute address is its path. RefusedError where it is neither."""
    target = url.decode("ascii")
    if "#" in target:
        raise RefusedError(400, "a fragment in the request target")
    path, _, query = target.partition("?")
    if path[:1] == "/" or path == "*":
        return path, query
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        raise RefusedError(400, "the request target is no path") from None
    if parsed.schema not in (b"http", b"https"):
        raise RefusedError(400, "the request target is no path")
    return (parsed.path or b"/").decode(), (parsed.query or b"").decode()


def check_head(headers: Headers, version: str, body_bytes_max: int) -> None:
    """RefusedError where what llhttp lets pass is no request of ours."""
    if version == "1.1":
        if b"host" not in headers:
            raise RefusedError(400, "no host header")
    elif version != "1.0":
        raise RefusedError(505, "HTTP/1.1 and HTTP/1.0 are spoken here")
    if b"content-length" in headers:
        if int(headers[b"content-length"]) > body_bytes_max:
            raise RefusedError(413, f"a body may have {body_bytes_max} bytes")
    elif b"transfer-encoding" in headers:
        if version == "1.0":
            raise RefusedError(400, "HTTP/1.0 knows no transfer-encoding")
        if headers[b"transfer-encoding"].lower() != b"chunked":
            raise RefusedError(501, "the only transfer-encoding known here is chunked")
    if b"expect" in headers and version == "1.1" and headers[b"expect"].lower() != b"100-continue":
        raise RefusedError(417, "the only expectation known here is 100-continue")
