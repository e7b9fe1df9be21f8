"""The smallest server that translates: a client's dialect on the socket, a vendor's behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from offtake.gateway.translate import BadRequest, Dialect, Wire, refused, translate
from tests.gateway.translate import vendors

CLIENTS: dict[str, Dialect] = {
    "/v1/chat/completions": "openai_chat",
    "/v1/responses": "openai_responses",
    "/v1/messages": "anthropic_messages",
}


class Server(ThreadingHTTPServer):
    """What reached the vendor is kept; `failure` makes the vendor answer with an error."""

    daemon_threads = True

    def __init__(self, vendor: Dialect, wire: Wire) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.vendor, self.wire = vendor, wire
        self.sent: list[dict[str, Any]] = []
        self.failure: tuple[int, bytes] | None = None
        self.cut_at: int | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        client = CLIENTS[self.path.partition("?")[0]]
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            exchange = translate(client, self.server.vendor, body, self.server.wire, 1_790_000_000)
        except BadRequest as error:
            self._whole(*refused(client, error), [])
            return
        request = json.loads(exchange.body)
        self.server.sent.append(request)
        if self.server.failure:
            self._whole(*exchange.answer(*self.server.failure), exchange.dropped)
        elif request.get("stream"):
            self._stream(vendors.stream(self.server.vendor, request), exchange)
        else:
            answer = json.dumps(vendors.whole(self.server.vendor, request)).encode()
            self._whole(*exchange.answer(200, answer), exchange.dropped)

    def _whole(self, status: int, body: bytes, dropped: list[str]) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-dropped", ", ".join(dropped))
        self.send_header("x-should-retry", "false")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, said: bytes, exchange: Any) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        stream = exchange.stream()
        said = said[: self.server.cut_at]
        for start in range(0, len(said), 17):
            self.wfile.write(stream.feed(said[start : start + 17]))
        self.wfile.write(stream.finish())
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def translating(vendor: Dialect, wire: Wire | None = None) -> Iterator[Server]:
    """A running server."""
    with Server(vendor, wire or Wire()) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
