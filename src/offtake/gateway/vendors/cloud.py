"""Claude in a cloud: Anthropic's bodies at the cloud's own addresses, with the cloud's errors turned into Anthropic's.

The path says the model, so that it leaves the body, and a version of the cloud's enters it. Every value that the client
wrote keeps its bytes. Of the client's headers only those pass that no price hangs on: both clouds sell tiers by header.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Protocol

import msgspec

from offtake.gateway.dialects.document import encoded, top_level
from offtake.gateway.http.answer import BrokenError
from offtake.gateway.translate import failures
from offtake.gateway.translate.meaning import Failed, Kind
from offtake.gateway.vendors.endpoint import Arriving, Headers

JSON, EVENTS = b"application/json", b"text/event-stream"
PASSING = frozenset((b"content-type", b"user-agent"))
_ANYTHING = msgspec.json.Decoder().decode
_PLAIN_MESSAGE_MAX = 300


class Unframing(Protocol):
    """Takes a cloud's frames off a stream: `feed` gives the events in a chunk; `broken` says why no more will come."""

    broken: str

    def feed(self, chunk: bytes) -> bytes: ...
    def end(self) -> None: ...


def betas_of(headers: Headers, known: Collection[str] | None) -> tuple[list[str], tuple[str, ...]]:
    """The betas that pass (`known` None: all), and the name of the edit where one does not."""
    named = headers.get(b"anthropic-beta", b"").decode("latin-1").split(",")
    asked = [beta for each in named if (beta := each.strip())]
    passing = asked if known is None else [beta for beta in asked if beta in known]
    return passing, () if passing == asked else ("anthropic-beta",)


def body_of(body: bytes, without: Iterable[str], version: str, betas: Sequence[str] = ()) -> bytes:
    """The body for a cloud: without what its path says, with its version, and with the betas that a header named."""
    fields: dict[str, Any] = dict(top_level(body))
    for name in without:
        fields.pop(name, None)
    fields["anthropic_version"] = encoded(version)
    if betas:
        fields.setdefault("anthropic_beta", encoded(betas))
    return b"{%b}" % b",".join([b"%b:%b" % (encoded(name), bytes(value)) for name, value in fields.items()])


class CloudAnswer:
    """A cloud's answer as Anthropic's own API would have given it.

    `kind` is what the cloud's head says of an error. A stream in frames is taken out of them by `frames`.
    """

    __slots__ = ("_answer", "_frames", "_kind", "headers", "status")

    def __init__(self, answer: Arriving, headers: Headers, kind: Kind, frames: Unframing | None = None) -> None:
        self._answer = answer
        self._kind = kind
        self._frames = frames
        self.headers = answer.headers | headers
        self.status = answer.status
        if answer.status >= 400:
            self.status, _ = failures.write_anthropic(Failed(kind, ""))
            self.headers[b"content-type"] = JSON
        elif frames is not None:
            self.headers[b"content-type"] = EVENTS

    @property
    def ended(self) -> bool:
        """As `Answer.ended`."""
        return self._answer.ended

    async def read(self) -> bytes:
        """As `Answer.read`. BrokenError where the frames are broken, after all that came whole."""
        frames = self._frames
        if frames is None:
            return await self._answer.read()
        while not frames.broken:
            chunk = await self._answer.read()
            if not chunk:
                frames.end()
                break
            if events := frames.feed(chunk):
                return events
        if frames.broken:
            self._answer.close()
            raise BrokenError(frames.broken)
        return b""

    async def pour(self, take: Callable[[bytes], bool]) -> bool:
        """As `Answer.pour`."""
        if self._frames is None:
            return await self._answer.pour(take)
        while chunk := await self.read():
            if take(chunk):
                return True
        return False

    async def whole(self, limit_bytes: int) -> bytes:
        """As `Answer.whole`; an error in Anthropic's words, unless it is in them."""
        body = await self._answer.whole(limit_bytes)
        if self._answer.status < 400:
            return body
        try:
            said = _ANYTHING(body)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            said = None
        if isinstance(said, dict) and said.get("type") == "error":
            self.status = self._answer.status
            return body
        request_id = self.headers.get(b"request-id", b"").decode("latin-1")
        _, error = failures.write_anthropic(Failed(self._kind, _message(said, body), request_id=request_id))
        return encoded(error)

    def close(self) -> None:
        """As `Answer.close`."""
        self._answer.close()


def _message(said: Any, body: bytes) -> str:
    """The words of a cloud's error: `{"message"}` of AWS, `{"error": {"message"}}` of Google, alone or in a list."""
    if isinstance(said, list) and said:
        said = said[0]
    if isinstance(said, dict):
        inner = said.get("error")
        for each in (inner if isinstance(inner, dict) else said, said):
            for name in ("message", "Message"):
                if isinstance(each.get(name), str):
                    return str(each[name])
    return " ".join(body[:_PLAIN_MESSAGE_MAX].decode(errors="replace").split()) or "the vendor gave no reason"
