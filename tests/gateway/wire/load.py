"""Load on a gateway: many connections at once, from one event loop, and no client library in the way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PATHS = {"chat": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}


def post(url: str, key: str, body: Mapping[str, Any], path: str = "chat") -> tuple[int, dict[str, str], bytes]:
    """One request: status, headers, body."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(url + PATHS[path], json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()


@dataclass
class Load:
    """Requests of one body, or of what `make` gives for their number; `answered`: the ids that clients have read."""

    url: str
    key: str
    body: Mapping[str, Any] | None = None
    make: Callable[[int], tuple[str, Mapping[str, Any]]] | None = None
    answered: list[str] = field(default_factory=list)
    leave: Callable[[int], bool] = lambda number: False
    """Whether the client of a request closes its connection once the answer begins."""

    async def run(self, requests: int, connections: int) -> Counter[int]:
        """How many answers of each status; 0 for a connection that broke."""
        numbers = iter(range(requests))
        found: Counter[int] = Counter()
        await asyncio.gather(*(self._client(numbers, found) for _ in range(connections)))
        return found

    async def _client(self, numbers: Any, found: Counter[int]) -> None:
        where = urlsplit(self.url)
        reader = writer = None
        for number in numbers:
            if writer is None:
                try:
                    reader, writer = await asyncio.open_connection(where.hostname, where.port)
                except OSError:
                    return  # the gateway is gone
            assert reader is not None
            try:
                writer.write(self._request(number))
                if self.leave(number):
                    await reader.read(100)
                    raise ConnectionResetError
                found[await self._answer(reader)] += 1
            except (OSError, asyncio.IncompleteReadError, ValueError):
                found[0] += 1
                writer.close()
                reader = writer = None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _request(self, number: int) -> bytes:
        path, body = self.make(number) if self.make else ("chat", self.body or {})
        text = json.dumps(body).encode()
        lines = (
            f"POST {PATHS[path]} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {self.key}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
        )
        return lines.encode() + text

    async def _answer(self, reader: asyncio.StreamReader) -> int:
        """Read one whole answer; its status."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = int(head.split(" ", 2)[1])
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        if "content-length" in headers:
            await reader.readexactly(int(headers["content-length"]))
        else:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readline()
        if status == 200:
            self.answered.append(headers["offtake-request-id"])
        return status
