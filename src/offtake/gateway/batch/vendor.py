"""A vendor's batch API as a part of a batch needs it: made once, found again after a crash, read, cancelled, cleared.

Each request goes out under its name in our books in place of the client's custom_id: so answers say what they belong
to, and a batch whose making was cut off is found again rather than made twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Protocol

import msgspec

from offtake.gateway.batch.documents import Batch, Part
from offtake.gateway.batch.plan import Answered
from offtake.gateway.http.answer import Answer, UpstreamError
from offtake.gateway.vendors.endpoint import AnthropicWire, Endpoint, Headers, OpenAIWire

PAGE_BYTES_MAX = 16 * 2**20
LINE_BYTES_MAX = 256 * 2**20
JSON: Headers = {b"content-type": b"application/json"}


class LaterError(Exception):
    """The vendor cannot be reached, is busy or has failed: nothing is known to be wrong, so ask again later."""


class DeclinedError(Exception):
    """The vendor does not take the batch, for good; the message is its status and its own words."""


class VendorBatches(Protocol):
    """One vendor's. All raise LaterError; `make` raises DeclinedError too."""

    async def make(self, batch: Batch, part: Part, index: int, requests: Iterable[tuple[str, bytes]]) -> None:
        """Make the vendor's batch of (name, body), and note its id in `part`."""
        ...

    async def find(self, batch: Batch, part: Part, index: int, taken: set[str]) -> bool:
        """Whether a batch that was sent before is there; its id is noted. `taken`: those of other parts."""
        ...

    async def ended(self, part: Part) -> bool:
        """Whether its results are there."""
        ...

    def answers(self, part: Part) -> AsyncIterator[tuple[str, Answered]]:
        """The results by the name of the request; number 0."""
        ...

    async def cancel(self, part: Part) -> None:
        """Stop what has not run."""
        ...

    async def clear(self, part: Part) -> None:
        """Delete what the vendor keeps of it, as far as it lets us."""
        ...


class Pages:
    """Calls of one endpoint that no model answers. `find` gives it as the configuration has it now."""

    def __init__(self, find: Callable[[], Endpoint], headers: Headers) -> None:
        self._find = find
        self._headers = headers

    async def call(self, method: str, path: str, body: bytes = b"", headers: Headers = JSON) -> Answer:
        """An answer of 2xx or 4xx. LaterError for all others, and where there is none."""
        endpoint = self._find()
        if not isinstance(endpoint.wire, OpenAIWire | AnthropicWire):
            raise LaterError(f"{endpoint.name} has no batches any more")
        target, sent = endpoint.wire.page(path, self._headers | headers if body else self._headers)
        try:
            answer = await endpoint.pool.request(method, target, sent, body)
        except UpstreamError as error:
            raise LaterError(type(error).__name__) from error
        if answer.status in (401, 403, 408, 409, 429) or not 200 <= answer.status < 500:
            answer.close()
            raise LaterError(f"{endpoint.name} answered {answer.status}")
        return answer

    async def json(self, method: str, path: str, body: bytes = b"", headers: Headers = JSON) -> dict[str, Any]:
        """The object that answers. DeclinedError with the vendor's words for 4xx."""
        answer = await self.call(method, path, body, headers)
        try:
            text = await answer.whole(PAGE_BYTES_MAX)
        except UpstreamError as error:
            raise LaterError(type(error).__name__) from error
        found = object_of(text)
        if answer.status >= 400:
            said = found.get("error")
            words = said.get("message") if isinstance(said, dict) else ""
            raise DeclinedError(f"{self._find().name} answered {answer.status}: {words}")
        return found

    async def seen(self, path: str) -> dict[str, Any]:
        """An object that was there before. LaterError where it is not seen now: that says nothing about what ran."""
        try:
            return await self.json("GET", path)
        except DeclinedError as error:
            raise LaterError(str(error)) from error

    async def lines(self, path: str) -> AsyncIterator[bytes]:
        """The lines of a file, one by one."""
        answer = await self.call("GET", path)
        if answer.status != 200:
            answer.close()
            raise LaterError(f"{self._find().name} answered {answer.status} for results")
        rest = b""
        try:
            while chunk := await answer.read():
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    if line.strip():
                        yield line
        except UpstreamError as error:
            raise LaterError(type(error).__name__) from error
        if rest.strip():
            yield rest


def object_of(text: bytes) -> dict[str, Any]:
    """A JSON object. LaterError for anything else: a vendor that says nonsense is broken."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LaterError("an answer that is no JSON object") from error


def has_batches(endpoint: Endpoint) -> bool:
    """Whether a vendor runs batches on the endpoint's own wire."""
    wire = endpoint.wire
    return isinstance(wire, AnthropicWire) or (isinstance(wire, OpenAIWire) and wire.batches)
