"""The dialects that clients and vendors speak: each reads a request, edits its bytes, reads the answer, and refuses.

A dialect is a module with the functions of `Dialect`. Bodies pass byte for byte; what is read of them is read by
raw slices (`document`), so that a prompt of 200 KB is scanned and never built. `bound` says what input may cost at
most, `sse` cuts streams, `refusals` says no so that real clients understand it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from offtake.gateway.ask import Ask, Edits, Refusal, Served
from offtake.gateway.dialects import (
    anthropic_count_tokens,
    anthropic_messages,
    openai_chat,
    openai_embeddings,
    openai_responses,
)

Headers = Mapping[bytes, bytes]  # names are lower-case


class Streaming(Protocol):
    """A streamed answer on its way: `feed` each chunk and pass on what it returns, then `end`, then `served`.

    Once `complete`, what was served is final: it is written down before the chunk that said so is passed on.
    """

    @property
    def complete(self) -> bool: ...
    def feed(self, chunk: bytes) -> bytes: ...
    def end(self) -> bytes: ...
    def served(self, cut: str = "vendor_truncation") -> Served: ...


class _Streams(Protocol):
    def __call__(self, ask: Ask, headers: Headers) -> Streaming: ...


class Dialect(Protocol):
    """What each dialect's module has. `read` raises `BadAsk`; nothing else raises, whatever the bytes are."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 - a constant of the module
    @property
    def Stream(self) -> _Streams: ...  # noqa: N802 - a class of the module
    def read(self, path: str, headers: Headers, body: bytes) -> Ask: ...
    def edited(self, ask: Ask, edits: Edits) -> tuple[bytes, tuple[str, ...]]: ...
    def served(self, status: int, headers: Headers, body: bytes, ask: Ask | None = None) -> Served: ...
    def refuse(self, refusal: Refusal, request_id: str = "") -> tuple[int, list[tuple[bytes, bytes]], bytes]: ...
    def stream_error(self, refusal: Refusal) -> bytes: ...


_BY_PATH: dict[str, Dialect] = {
    "/chat/completions": openai_chat,
    "/responses": openai_responses,
    "/embeddings": openai_embeddings,
    "/messages": anthropic_messages,
    "/messages/count_tokens": anthropic_count_tokens,
}
BY_NAME: dict[str, Dialect] = {dialect.NAME: dialect for dialect in _BY_PATH.values()}


def of_path(path: str) -> Dialect | None:
    """The dialect of a path, with or without `/v1` in front; None where none speaks there."""
    return _BY_PATH.get(path.removeprefix("/v1"))
