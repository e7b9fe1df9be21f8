"""Both ends of the wire for tests: our server with a raw client, and a vendor that does what a test says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import pytest
import uvloop

from offtake.gateway.http import Limits, Pool, Request, Responder, Server, Ticker, listening_socket
from offtake.gateway.http.server import Handle

TICK_SECONDS = 0.02
PATIENCE_SECONDS = 10.0

Loop = Callable[[Coroutine[Any, Any, None]], None]
on_both_loops = pytest.mark.parametrize("run", [uvloop.run, asyncio.run], ids=["uvloop", "asyncio"])


def fast(run: Callable[..., Any], test: Coroutine[Any, Any, None]) -> None:
    """Run a test on a loop; one that hangs fails."""
    run(asyncio.wait_for(test, PATIENCE_SECONDS))


async def echo(request: Request, responder: Responder) -> None:
    line = f"{request.method} {request.path}?{request.query} {len(request.body)} ".encode()
    responder.send(200, {b"content-type": b"text/plain"}, line + request.body)


@contextlib.asynccontextmanager
async def serving(
    handle: Handle = echo, *, aside: Callable[[], int] = int, **limits: Any
) -> AsyncIterator[tuple[Server, int]]:
    """A server on a free port."""
    server = Server(handle, limits=Limits(**limits), ticker=Ticker(TICK_SECONDS), aside=aside)
    listening = listening_socket("127.0.0.1", 0)
    port = listening.getsockname()[1]
    await server.listen(listening)
    try:
        yield server, port
    finally:
        await server.stop(0.0)


class Client:
    """A raw client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of one answer with a length or in chunks."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        status = int(head[0].split(" ")[1])
        if "content-length" in headers:
            return status, headers, await self.reader.readexactly(int(headers["content-length"]))
        body = b""
        while headers.get("transfer-encoding") == "chunked":
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            piece = await self.reader.readexactly(size + 2)
            body += piece[:-2]
            if not size:
                break
        return status, headers, body

    async def rest(self) -> bytes:
        """All until the server closes."""
        return await self.reader.read()

    def reset(self) -> None:
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def client(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def vendor(script: Script) -> AsyncIterator[str]:
    """A vendor that runs `script` on each connection; its address."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gone = (OSError, asyncio.IncompleteReadError, asyncio.CancelledError)
        try:
            await script(reader, writer)
        except gone:
            pass
        except RuntimeError:  # uvloop's word for a write to a connection that the other side has cut
            if not writer.is_closing():
                raise
        writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving)


@contextlib.asynccontextmanager
async def pool_of(script: Script, **options: Any) -> AsyncIterator[Pool]:
    """Connections to a vendor that runs `script`."""
    async with vendor(script) as address:
        pool = Pool(address + options.pop("path", ""), ticker=Ticker(TICK_SECONDS), **options)
        try:
            yield pool
        finally:
            await pool.close()


async def request_of(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of the next request that a vendor gets."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head, await reader.readexactly(length)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    while not condition():
        await asyncio.sleep(0.005)
