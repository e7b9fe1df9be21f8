"""Requests out of bytes, in whatever pieces they come (llhttp, through httptools; heads that come again without it)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httptools

from offtake.gateway.http.head import joined
from offtake.gateway.http.limits import Held, Limits, RefusedError
from offtake.gateway.http.repeated import Repeated, repeated
from offtake.gateway.http.request import ONCE, Request, check_head, target_of
from offtake.gateway.http.ticker import Ticker

# What the reader waits for: the first byte of a request, the rest of its head, the rest of its body.
START, HEAD, BODY = range(3)
FIELD_BYTES = 32
LENGTHS = (b"content-length", b"transfer-encoding")
# A piece of a body below this size is added to the one before: what trickles in must not cost many times its bytes.
SMALL_BYTES = 1024
# Heads that may differ from the one before, until a connection's heads are held to be no repetition.
CHANCES = 8


class RequestReader:
    """Bytes in, in any pieces; `take` gets each request once it is whole. Errors: RefusedError, after which it is done.

    `go_ahead` is called when a client waits for `100 Continue` before it sends its body.
    """

    __slots__ = (
        *("_body", "_body_bytes_max", "_chances", "_client", "_fresh", "_go_ahead", "_headers", "_held", "_limits"),
        *("_missing_bytes", "_parser", "_quiet_bytes", "_repeated", "_request", "_room_bytes", "_said_last", "_take"),
        *("_ticker", "_upgraded", "_url", "received_bytes", "since", "stage"),
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
        self._body: list[bytes | bytearray | memoryview] = []
        self._body_bytes_max = 0
        self._headers: dict[bytes, bytes] = {}
        self._room_bytes = self._limits.head_bytes
        self._quiet_bytes = 0
        self._request: Request | None = None  # that is being read
        self._said_last = False
        self._fresh = b""  # what began with a request, until its head is read
        self._repeated: Repeated | None = None
        self._chances = CHANCES
        self._missing_bytes = 0  # of the body behind a repeated head
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
        if self._missing_bytes:
            data = self._more(data)
        held = self._held
        while data and self.stage == START and self._repeated is not None:
            begun = self._repeated.begin(data)
            if begun is None:
                break
            self._chances = CHANCES
            request, length, begin = begun
            end, held_bytes = begin + length, held.size_bytes + length
            if end > len(data) or length > self._body_bytes_max or held_bytes > self._limits.bodies_bytes:
                data = self._begin(request, length, memoryview(data)[begin:])
            else:
                held.size_bytes = held_bytes
                request.body, data = data[begin:end], data[end:]
                self._take(request)
        if data:
            self._parse(data)

    def _begin(self, request: Request, length: int, data: memoryview) -> bytes:
        """Begin a request with a repeated head, whose body is not whole yet or too large. What is left behind it."""
        self.stage = BODY
        self.since = self._ticker.next
        if length > self._body_bytes_max:
            raise RefusedError(413, f"a body may have {self._body_bytes_max} bytes")
        self._request, self._missing_bytes = request, length
        return self._more(data)

    def _more(self, data: bytes | memoryview) -> bytes:
        """Take what belongs to the body behind a repeated head; what is left behind it."""
        missing_bytes = self._missing_bytes
        piece = data[:missing_bytes]
        if piece:
            self._missing_bytes -= len(piece)
            self.on_body(piece)
        if self._missing_bytes:
            return b""
        self._whole()
        return bytes(data[missing_bytes:])

    def _parse(self, data: bytes) -> None:
        """Read on with llhttp."""
        self._fresh = data if self.stage == START else b""
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
            if self.stage == START and self._said_last:
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
        self._keep()
        self._headers = {}  # for trailers, which nobody asked for
        self._quiet_bytes = 0
        self.stage = BODY
        self.since = self._ticker.next

    def on_body(self, data: bytes | memoryview) -> None:
        self._quiet_bytes = 0
        self._hold(len(data))
        parts = self._body
        if len(data) >= SMALL_BYTES or not parts:
            parts.append(data)
        elif isinstance(parts[-1], bytearray):
            parts[-1] += data
        else:
            parts.append(bytearray(data))

    def on_message_complete(self) -> None:
        if self._upgraded and self._parser.should_upgrade():
            return  # llhttp stopped at the head; the body is read past the upgrade
        self._upgraded = False
        self._quiet_bytes = 0
        self._whole()

    def _hold(self, size_bytes: int) -> None:
        """Count so many bytes more of the body."""
        self.received_bytes += size_bytes
        self._held.size_bytes += size_bytes
        if self.received_bytes > self._body_bytes_max:
            raise RefusedError(413, f"a body may have {self._body_bytes_max} bytes")
        if self._held.size_bytes > self._limits.bodies_bytes:
            raise RefusedError(503, "no room for the body now")

    def _whole(self) -> None:
        """The request is read to its end."""
        self.received_bytes = 0
        self.stage = START
        request, parts = self._request, self._body
        assert request is not None
        self._request, self._said_last = None, not request.keep_alive  # an idle client's last body is not kept
        if parts:
            request.body = b"".join(parts)
            self._body = []
        self._take(request)

    def _keep(self) -> None:
        """Keep the head that llhttp has just read, for a request that repeats it."""
        data, self._fresh = self._fresh, b""
        self._repeated = None
        if data and self._chances and self._request is not None and not self._upgraded:
            self._chances -= 1
            self._repeated = repeated(data, self._request)
