"""Requests out of bytes, in whatever pieces they come (llhttp, through httptools)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httptools

from offtake.gateway.http.head import joined
from offtake.gateway.http.limits import Held, Limits, RefusedError
from offtake.gateway.http.request import ONCE, Request, check_head, target_of
from offtake.gateway.http.ticker import Ticker

# What the reader waits for: the first byte of a request, the rest of its head, the rest of its body.
START, HEAD, BODY = range(3)
FIELD_BYTES = 32
LENGTHS = (b"content-length", b"transfer-encoding")


class RequestReader:
    """Bytes in, in any pieces; `take` gets each request once it is whole. Errors: RefusedError, after which it is done.

    `go_ahead` is called when a client waits for `100 Continue` before it sends its body.
    """

    __slots__ = (
        *("_body", "_body_bytes_max", "_client", "_go_ahead", "_headers", "_held", "_limits", "_parser"),
        *("_quiet_bytes", "_request", "_room_bytes", "_take", "_ticker", "_upgraded", "_url"),
        *("received_bytes", "since", "stage"),
    )

    def __init__(
        self,
        take: Callable[[Request], None],
        go_ahead: Callable[[], None],
        client: str = "",
        limits: Limits | None = None,
        ticker: Ticker | None = None,
        held: Held | None = None,
    ) -> None:
        self._take = take
        self._go_ahead = go_ahead
        self._client = client
        self._limits = limits or Limits()
        self._ticker = ticker or Ticker()
        self._held = held or Held()
        self._parser: Any = httptools.HttpRequestParser(self)
        self._body: bytes | bytearray = b""
        self._body_bytes_max = 0
        self._headers: dict[bytes, bytes] = {}
        self._room_bytes = self._limits.head_bytes
        self._quiet_bytes = 0
        self._request: Request | None = None
        self._upgraded = False
        self._url = b""
        self.received_bytes = 0  # of the body that is being read
        self.stage = START
        self.since = 0.0  # when the stage began

    @property
    def path(self) -> str:
        """The path of the request that is being read, as far as it is known."""
        return self._url.partition(b"?")[0].decode("ascii", "replace")

    def feed(self, data: bytes) -> None:
        """Read on."""
        self._quiet_bytes += len(data)
        after_head = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as pause:
            after_head = data[pause.args[0] :]
        except httptools.HttpParserCallbackError as error:
            if isinstance(error.__context__, RefusedError):
                raise error.__context__ from None
            raise
        except httptools.HttpParserError as error:
            if self.stage == START and self._request is not None and not self._request.keep_alive:
                return  # bytes after the request that was said to be the last
            raise RefusedError(400, str(error)) from None
        if after_head is not None:
            self._read_past_upgrade(after_head)
        # What neither head nor body has grown by, such as trailers and chunk extensions, must end at some time.
        if self._quiet_bytes > 2 * self._limits.head_bytes:
            raise RefusedError(431, "headers or chunk extensions without an end")

    def close(self) -> None:
        """Let go of the parser, which holds us, and of what was read of a body."""
        self._parser = None
        self._held.size_bytes -= self.received_bytes
        self.received_bytes = 0

    def _read_past_upgrade(self, rest: bytes) -> None:
        """Read the body of a request that offers another protocol, which we decline by answering in this one.

        llhttp stops at the head of such requests (Java's client offers h2c with every first POST), so a new parser
        reads the body, told how it is framed.
        """
        assert self._request is not None
        headers = self._request.headers
        framing = [name + b": " + headers[name] for name in LENGTHS if name in headers]
        self._parser = httptools.HttpRequestParser(self)
        self._parser.feed_data(b"\r\n".join([b"POST / HTTP/1.1", *framing, b"\r\n"]))
        if rest:
            self.feed(rest)

    # What llhttp calls.

    def on_message_begin(self) -> None:
        if self._upgraded:
            return
        self.stage = HEAD
        self.since = self._ticker.next
        self._url = b""
        self._headers = {}
        self._room_bytes = self._limits.head_bytes

    def on_url(self, url: bytes) -> None:
        if self._upgraded:
            return
        self._url += url
        if len(self._url) > self._limits.head_bytes:
            raise RefusedError(414, "the request target is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._room_bytes -= len(name) + len(value) + FIELD_BYTES
        if self._room_bytes < 0:
            raise RefusedError(431, "the headers are too large")
        name = name.lower()
        if name not in self._headers:
            self._headers[name] = value.strip()
        elif name in ONCE:
            raise RefusedError(400, f"two {name.decode()} headers")
        else:
            joined(self._headers, name, value.strip())

    def on_headers_complete(self) -> None:
        if self._upgraded:
            return
        parser = self._parser
        version = parser.get_http_version()
        path, query = target_of(self._url)
        self._upgraded = parser.should_upgrade()
        self._request = Request(
            parser.get_method().decode(),
            path,
            query,
            self._headers,
            b"",
            self._client,
            parser.should_keep_alive(),
            version == "1.0",
        )
        self._body_bytes_max = self._limits.larger.get(path, self._limits.body_bytes)
        check_head(self._headers, version, self._body_bytes_max)
        if b"expect" in self._headers and version == "1.1":
            self._go_ahead()
        self._headers = {}  # for trailers, which nobody asked for
        self._quiet_bytes = 0
        self.stage = BODY
        self.since = self._ticker.next
        self._body = b""

    def on_body(self, data: bytes) -> None:
        size_bytes = len(data)
        self._quiet_bytes = 0
        self.received_bytes += size_bytes
        self._held.size_bytes += size_bytes
        if self.received_bytes > self._body_bytes_max:
            raise RefusedError(413, f"a body may have {self._body_bytes_max} bytes")
        if self._held.size_bytes > self._limits.bodies_bytes:
            raise RefusedError(503, "no room for the body now")
        if not self._body:
            self._body = data
        elif isinstance(self._body, bytes):
            self._body = bytearray(self._body) + data
        else:
            self._body += data

    def on_message_complete(self) -> None:
        if self._upgraded and self._parser.should_upgrade():
            return  # llhttp stopped at the head; the body is read past the upgrade
        self._upgraded = False
        self._quiet_bytes = 0
        self.received_bytes = 0
        self.stage = START
        request = self._request
        assert request is not None
        request.body, self._body = bytes(self._body), b""
        self._take(request)
