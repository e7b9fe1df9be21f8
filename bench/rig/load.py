"""The load: wrk in a closed loop, requests at Poisson arrivals in an open loop, and many streams at once.

The open loop is plain sockets and select(2): its timeout has a resolution of microseconds (epoll's, and so asyncio's,
has milliseconds). A latency counts from the arrival that was due, so that a server that falls behind cannot hide it.
"""

from __future__ import annotations

import json
import math
import random
import re
import select
import selectors
import socket
import subprocess
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LUA = """
local file = io.open("{body}", "rb"); wrk.body = file:read("*a"); file:close()
wrk.method = "POST"
{headers}
done = function(summary)
  io.write(string.format('\\nRESULT {{"requests": %d, "failed": %d}}\\n', summary.requests,
    summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
CONNECTIONS = 64
STREAM_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go on 127.0.0.1, with which headers and body."""

    port: int
    headers: Mapping[str, str]
    body: bytes
    path: str = "/v1/chat/completions"

    @property
    def request(self) -> bytes:
        """The request as it goes over the wire."""
        headers = {"host": f"127.0.0.1:{self.port}", "content-type": "application/json", **self.headers}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, f"content-length: {len(self.body)}", "", ""]).encode() + self.body


def closed_loop(target: Target, folder: Path, connections: int, seconds: float) -> int:
    """Requests that wrk completed in so many whole seconds. RuntimeError where one was not answered with success."""
    headers = {"Content-Type": "application/json", **target.headers}
    lines = "\n".join(f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items())
    (folder / "body.json").write_bytes(target.body)
    (folder / "wrk.lua").write_text(LUA.format(body=folder / "body.json", headers=lines))
    url = f"http://127.0.0.1:{target.port}{target.path}"
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{math.ceil(seconds)}s",
        "--timeout",
        "30s",
        "-s",
        str(folder / "wrk.lua"),
    ]
    printed = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    found = json.loads(printed.rpartition("RESULT ")[2])
    if found["failed"] or not found["requests"]:
        raise RuntimeError(f"{found['failed']} of {found['requests']} requests failed")
    return int(found["requests"])


def open_loop(target: Target, rate: float, seconds: float, seed: int) -> list[float]:
    """Latencies in seconds of requests that arrive at random, `rate` a second on average."""
    draw, request = random.Random(seed), target.request
    sockets = [_connected(target.port) for _ in range(CONNECTIONS)]
    idle, due_next, busy = list(sockets), deque[float](), dict[socket.socket, float]()
    read = dict.fromkeys(sockets, b"")
    found: list[float] = []
    arrival = time.perf_counter() + 0.01
    end = arrival + seconds
    while arrival < end or due_next or busy:
        now = time.perf_counter()
        while arrival <= now and arrival < end:
            due_next.append(arrival)
            arrival += draw.expovariate(rate)
        while due_next and idle:
            each = idle.pop()
            each.sendall(request)
            busy[each] = due_next.popleft()
        patience = max(arrival - time.perf_counter(), 0.0) if arrival < end else 1.0
        for each in select.select(list(busy), [], [], patience)[0]:
            read[each] += each.recv(65_536)
            if _whole(read[each]):
                found.append(time.perf_counter() - busy.pop(each))
                read[each] = b""
                idle.append(each)
    for each in sockets:
        each.close()
    return found


def _whole(read: bytes) -> bool:
    head, found, body = read.partition(b"\r\n\r\n")
    if not found:
        if not read:
            raise RuntimeError("a connection was closed under load")
        return False
    length = LENGTH.search(head)
    if not head.startswith(b"HTTP/1.1 200") or length is None:
        raise RuntimeError(f"unexpected answer: {head[:80].decode(errors='replace')}")
    return len(body) >= int(length[1])


def streams(target: Target, count: int, seconds: float) -> int:
    """Chunks that came in `count` streams, begun at even distances within `seconds`. RuntimeError: one was cut."""
    waiting = [_connected(target.port) for _ in range(count)]
    selector, read, chunks = selectors.DefaultSelector(), dict[socket.socket, list[bytes]](), 0
    started = time.perf_counter()
    while waiting or read:
        now = time.perf_counter() - started
        if now > STREAM_SECONDS_MAX:
            raise RuntimeError(f"{len(read)} streams have not ended")
        while waiting and (count - len(waiting)) * seconds / count <= now:
            each = waiting.pop()
            each.sendall(target.request)
            read[each] = []
            selector.register(each, selectors.EVENT_READ)
        for key, _ in selector.select(seconds / count if waiting else 1.0):
            each = key.fileobj  # type: ignore[assignment]  # what was registered
            part = each.recv(65_536)
            read[each].append(part)
            if part and b"[DONE]" not in b"".join(read[each][-2:]):
                continue
            chunks += _counted(b"".join(read.pop(each)))
            selector.unregister(each)
            each.close()
    selector.close()
    return chunks


def _counted(read: bytes) -> int:
    """The chunks of one stream, [DONE] not counted."""
    if not read.startswith(b"HTTP/1.1 200") or b"[DONE]" not in read or b"prompt_tokens" not in read:
        raise RuntimeError(f"a stream was cut: {read[:80].decode(errors='replace')}")
    return read.count(b"data: ") - 1


def _connected(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=30)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
