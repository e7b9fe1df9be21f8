"""A vendor's endpoint: where a request of a dialect goes, and what signs it.

The client's own headers pass on, but for what says who the client is to us: its gateway key, its cookies, and headers
of ours. The vendor's key takes the place of the client's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol
from urllib.parse import quote

from offtake.gateway.http.request import Request
from offtake.gateway.http.upstream import Block, Pool

Headers = dict[bytes, bytes]

OPENAI_PATHS = {
    "openai_chat": "/chat/completions",
    "openai_responses": "/responses",
    "openai_embeddings": "/embeddings",
}
OPENAI_OFFERS = {"chat": "openai_chat", "responses": "openai_responses", "embeddings": "openai_embeddings"}
ANTHROPIC_PATHS = {
    "anthropic_messages": "/v1/messages",
    "anthropic_count_tokens": "/v1/messages/count_tokens",
}
ANTHROPIC_VERSION = b"2023-06-01"
OURS = (b"offtake-", b"x-forwarded-", b"cf-")
KEPT = frozenset((b"content-type", b"user-agent", b"idempotency-key"))
"""Headers that mean the same in every dialect."""
BLOCKS_MAX = 4_096
"""Heads of clients that are remembered with what becomes of them."""
NOT_PASSED = frozenset(
    b"authorization x-api-key api-key cookie forwarded x-real-ip via openai-organization openai-project".split()
)


class Arriving(Protocol):
    """An answer as it arrives: `http.answer.Answer`, or the same out of a cloud's wrapping."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def ended(self) -> bool: ...
    async def read(self) -> bytes: ...
    async def pour(self, take: Callable[[bytes], bool]) -> bool: ...
    async def whole(self, limit_bytes: int) -> bytes: ...
    def close(self) -> None: ...


class Call(NamedTuple):
    """What goes out: path and query below the base address, headers, body.

    `unwrap` makes the endpoint's answer the dialect's own, where a cloud wraps it. `edits` names what was left out.
    `block` is the head where it is known from an earlier call, and then stands for target and headers.
    """

    target: str
    headers: Headers
    body: bytes
    unwrap: Callable[[Arriving], Arriving] | None = None
    edits: tuple[str, ...] = ()
    block: Block | None = None


class Wire(Protocol):
    """One way of calling: addresses, signature, wrapping. `dialects` are those that it speaks, the best one first.

    `repeats`: the head of a call depends on the client's head alone, and the same comes of the same.
    """

    @property
    def dialects(self) -> Sequence[str]: ...
    @property
    def repeats(self) -> bool: ...
    def call(self, dialect: str, model: str, stream: bool, body: bytes, headers: Headers, query: str) -> Call:
        """The call for a body in one of the dialects, with the client's headers that pass."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Endpoint:
    """One `[vendors]` table at work. `models` are the endpoint's own names of models, by the catalogue's."""

    name: str
    models: Mapping[str, str]
    pool: Pool
    wire: Wire
    _blocks: dict[bytes, Block] = field(default_factory=dict, init=False)  # by the client's head

    def call(self, dialect: str, model: str, stream: bool, body: bytes, request: Request, *, translated: bool) -> Call:
        """The call for a body, with the headers of the client's request that pass; few do if it was `translated`."""
        alike = request.alike if self.wire.repeats and not translated else b""
        block = self._blocks.get(alike)
        if block is not None:
            return Call("", {}, body, block=block)
        sent, query = passing(request.headers), request.query
        if translated:
            sent, query = {name: value for name, value in sent.items() if name in KEPT}, ""
        call = self.wire.call(dialect, model, stream, body, sent, query)
        if alike:
            if len(self._blocks) >= BLOCKS_MAX:
                self._blocks.clear()
            self._blocks[alike] = self.pool.block("POST", call.target, call.headers)
        return call

    def block(self, request: Request) -> Block | None:
        """The head that calls with the head of this request get; None where it is not known, or not the same."""
        return self._blocks.get(request.alike)

    async def send(self, call: Call) -> Arriving:
        """The answer, as soon as its head is there. Errors as those of `Pool.send`."""
        block = call.block or self.pool.block("POST", call.target, call.headers)
        answer: Arriving = await self.pool.send(block, call.body)
        return answer if call.unwrap is None else call.unwrap(answer)


class OpenAIWire:
    """OpenAI's wire, which Google, xAI, Mistral and DeepSeek speak too, and Azure with a key header of its own.

    `api_version` is that of Azure's dated APIs, whose paths name the deployment; its v1 API has none.
    """

    def __init__(self, key: str, offers: Sequence[str], *, azure: bool = False, api_version: str | None = None) -> None:
        self._api_version = api_version
        self.repeats = api_version is None
        self._key = _key(b"api-key", b"", key) if azure else _key(b"authorization", b"Bearer ", key)
        self.batches = not azure and {"files", "batches"} <= set(offers)
        self.dialects = tuple(OPENAI_OFFERS[each] for each in offers if each in OPENAI_OFFERS)

    def call(self, dialect: str, model: str, stream: bool, body: bytes, headers: Headers, query: str) -> Call:
        path = OPENAI_PATHS[dialect]
        if self._api_version:
            path = path if dialect == "openai_responses" else f"/deployments/{quote(model, safe='')}{path}"
            query = f"api-version={quote(self._api_version)}"
        return Call(_with_query(path, query), headers | self._key, body)

    def page(self, path: str, headers: Headers) -> tuple[str, Headers]:
        """The target and headers of a call that no model answers, such as `/batches`."""
        return path, headers | self._key


class AnthropicWire:
    """Anthropic's wire: its key header, and the version that the client speaks."""

    dialects = tuple(ANTHROPIC_PATHS)
    repeats = True

    def __init__(self, key: str) -> None:
        self._key = _key(b"x-api-key", b"", key)

    def call(self, dialect: str, model: str, stream: bool, body: bytes, headers: Headers, query: str) -> Call:
        sent = headers | self._key
        sent.setdefault(b"anthropic-version", ANTHROPIC_VERSION)
        return Call(_with_query(ANTHROPIC_PATHS[dialect], query), sent, body)

    def page(self, path: str, headers: Headers) -> tuple[str, Headers]:
        """As `OpenAIWire.page`."""
        return f"/v1{path}", {b"anthropic-version": ANTHROPIC_VERSION} | headers | self._key


def passing(headers: Mapping[bytes, bytes]) -> Headers:
    """The client's headers that go to the vendor."""
    return {name: value for name, value in headers.items() if name not in NOT_PASSED and not name.startswith(OURS)}


def _with_query(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


def _key(name: bytes, prefix: bytes, key: str) -> Headers:
    return {name: prefix + key.encode()} if key else {}
