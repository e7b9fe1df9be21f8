"""The mock vendor: nginx answers a completion of 1.1 kB; a small server of its own streams one in 50 chunks.

`python -m bench.rig.mock PORT` is the stream: 20 ms between chunks, the usage in the last one, as OpenAI writes them.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import cast

MODEL, STREAM_MODEL = "gpt-4o-mini", "gpt-4.1-mini"
CHUNKS = 50
PAUSE_SECONDS = 0.02
WORDS = (
    "A purchase contract for tokens says what a million of them costs, what the buyer promises to draw, and what "
    "becomes of the rest. Discounts of a tier count from its first dollar or from the first beyond it; credits are "
    "drawn in the order of their expiry. Whoever compares two offers writes both as terms, rates the same month "
    "under each, and reads the difference line by line. "
)
USAGE = {
    "prompt_tokens": 90, "completion_tokens": 120, "total_tokens": 210,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
    },
}  # fmt: skip
COMPLETION = json.dumps(
    {
        "id": "chatcmpl-bench", "object": "chat.completion", "created": 1_795_262_400, "model": MODEL,
        "choices": [
            {
                "index": 0, "finish_reason": "stop", "logprobs": None,
                "message": {"role": "assistant", "content": WORDS + WORDS[:180], "refusal": None, "annotations": []},
            }
        ],
        "usage": USAGE, "service_tier": "default", "system_fingerprint": "fp_bench",
    }
)  # fmt: skip
NGINX = """
worker_processes 1; daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 1h; client_max_body_size 8m;
  client_body_buffer_size 1m;
  {more}
}}
"""
MOCK = "server {{ listen 127.0.0.1:{port}; location / {{ default_type application/json; return 200 '{body}'; }} }}"
PROXY = """
  upstream whole {{ server 127.0.0.1:{mock}; keepalive 256; keepalive_requests 1000000000; }}
  upstream streamed {{ server 127.0.0.1:{mock_stream}; keepalive 256; keepalive_requests 1000000000; }}
  proxy_http_version 1.1; proxy_set_header Connection "";
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://whole; }} }}
  server {{ listen 127.0.0.1:{stream_port}; location / {{ proxy_pass http://streamed; proxy_buffering off; }} }}
"""


def mock_command(folder: Path, port: int) -> list[str]:
    """The command that runs nginx as the vendor; its configuration is written."""
    return _nginx(folder, MOCK.format(port=port, body=COMPLETION))


def proxy_command(folder: Path, port: int, stream_port: int, mock: int, mock_stream: int) -> list[str]:
    """The command that runs nginx as a gateway that only passes on."""
    more = PROXY.format(port=port, stream_port=stream_port, mock=mock, mock_stream=mock_stream)
    return _nginx(folder, more)


def _nginx(folder: Path, more: str) -> list[str]:
    folder.mkdir()
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, more=more))
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _event(choices: list[dict[str, object]], usage: object = None) -> bytes:
    chunk = {
        "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_795_262_400, "model": STREAM_MODEL,
        "service_tier": "default", "system_fingerprint": "fp_bench", "choices": choices, "usage": usage,
    }  # fmt: skip
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _events() -> list[bytes]:
    words = WORDS.split(" ")
    texts = [_event([{"index": 0, "delta": {"content": words[n % len(words)] + " "}}]) for n in range(CHUNKS - 2)]
    stop = _event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    return [*texts, stop, _event([], USAGE) + b"data: [DONE]\n\n"]


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
PARTS = [b"%x\r\n%b\r\n" % (len(event), event) for event in _events()]
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class _Stream(asyncio.Protocol):
    """One connection: each request is answered by the same stream."""

    def __init__(self) -> None:
        self._read = b""
        self._gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._gone = True

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if found and len(body) >= int(length[1] if length else 0):
            self._read = b""
            self._transport.write(HEAD)
            self._next(0)

    def _next(self, number: int) -> None:
        if self._gone:
            return
        self._transport.write(PARTS[number])
        if number + 1 < len(PARTS):
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._next, number + 1)
        else:
            self._transport.write(b"0\r\n\r\n")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Stream, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve(int(sys.argv[1])))
