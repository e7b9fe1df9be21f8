"""The pool against servers that others wrote, over TLS too, and the server against clients that others wrote."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import http.server
import shutil
import ssl
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from offtake.gateway.http import NotSentError, Pool
from tests.gateway.http.peers import fast, serving


class Echo(http.server.BaseHTTPRequestHandler):
    """The standard library's server: HTTP/1.0 with an end at the close, or HTTP/1.1 kept alive."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        if self.path == "/length":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextlib.contextmanager
def python_server(version: str, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Echo,), {"protocol_version": version}))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("version", "path", "kept"), [("HTTP/1.0", "/", 0), ("HTTP/1.0", "/length", 0), ("HTTP/1.1", "/length", 1)]
)
def test_the_standard_librarys_server_is_understood(version: str, path: str, kept: int) -> None:
    async def test() -> None:
        with python_server(version) as port:
            pool = Pool(f"http://127.0.0.1:{port}")
            for size in (0, 1, 100_000, 3_000_000):
                body = b"x" * size
                assert body == await (await pool.request("POST", path, {}, body)).whole(size)
            await asyncio.sleep(0.01)
            assert kept == pool.connections
            await pool.close()

    fast(uvloop.run, test())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody trusts, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@pytest.mark.parametrize("run", [uvloop.run, asyncio.run])
def test_tls_is_spoken_with_those_we_trust_and_with_no_other(run: Any, certificate: Path) -> None:
    serving_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving_tls.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=str(certificate))

    async def test() -> None:
        with python_server("HTTP/1.1", serving_tls) as port:
            pool = Pool(f"https://localhost:{port}", tls=trusting)
            for size in (1, 3_000_000, 1):
                body = b"x" * size
                assert body == await (await pool.request("POST", "/length", {}, body)).whole(size)
                assert 1 == pool.connections
            await pool.close()
            stranger = Pool(f"https://localhost:{port}")
            with pytest.raises(NotSentError, match="certificate"):
                await stranger.request("POST", "/length", {})

    fast(run, test())


@pytest.mark.parametrize("run", [uvloop.run, asyncio.run])
def test_a_tls_vendor_that_closed_before_the_request_came_is_asked_again(run: Any, certificate: Path) -> None:
    served = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        await reader.readuntil(b"pay")
        served += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    async def test() -> None:
        serving_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving_tls.load_cert_chain(certificate)
        server = await asyncio.start_server(script, "127.0.0.1", 0, ssl=serving_tls)
        port = server.sockets[0].getsockname()[1]
        pool = Pool(f"https://localhost:{port}", tls=ssl.create_default_context(cafile=str(certificate)))
        for number in range(1, 6):
            assert b"ok" == await (await pool.request("POST", "/", {}, b"pay")).whole(9)
            assert number == served
        await pool.close()
        server.close()

    fast(run, test())


def test_the_standard_librarys_clients_are_served() -> None:
    def talk(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for body in (b"", b"x" * 200_000):
            connection.request("POST", "/a?b", body, {"Expect": "100-continue"} if body else {})
            assert b"POST /a?b %d " % len(body) + body == connection.getresponse().read()
        connection.request("PUT", "/", iter([b"a", b"bc"]), encode_chunked=True)
        assert b"PUT /? 3 abc" == connection.getresponse().read()
        connection.close()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/x") as answer:
            assert b"GET /x? 0 " == answer.read()

    async def test() -> None:
        async with serving() as (_, port):
            await asyncio.to_thread(talk, port)

    fast(uvloop.run, test())
