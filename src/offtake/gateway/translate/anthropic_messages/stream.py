"""The stream of a message of Anthropic's: its events read into ours, and ours written as its.

Source: anthropic 2.12, types/raw_message_stream_event.py and lib/streaming; read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from offtake.gateway.translate.anthropic_messages.answer import (
    read_block,
    stop_details,
    stop_of,
    word_of,
    write_block,
)
from offtake.gateway.translate.failures import read_anthropic as read_failure
from offtake.gateway.translate.failures import write_anthropic as write_failure
from offtake.gateway.translate.fields import Dropped, Fields, decoded
from offtake.gateway.translate.meaning import (
    Alive,
    Ended,
    Ending,
    Event,
    Failed,
    Part,
    PartEnded,
    PartGrew,
    PartSealed,
    PartStarted,
    Refusal,
    Request,
    Started,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from offtake.gateway.translate.seals import closed
from offtake.gateway.translate.sse import ServerEvent, named
from offtake.gateway.translate.usage import (
    read_anthropic,
    tier_of_anthropic,
    write_anthropic,
    write_anthropic_delta,
)


class StreamReader:
    """Events of Anthropic's to ours."""

    def __init__(self) -> None:
        self._indices: dict[int, int] = {}  # Anthropic's index to ours; blocks of its own tools have none
        self._given: dict[int, str] = {}  # arguments that stood in a block's start, until a delta replaces them
        self._ending = Ending("end")
        self._usage: Usage | None = None
        self._stopped = False

    def read(self, event: ServerEvent) -> Iterator[Event]:
        """The events of one of Anthropic's. Raises BadRequest where it cannot be read."""
        if event.comment:
            yield Alive()
            return
        value = decoded(event.data)
        said = Fields(value, "the vendor's event", Dropped())
        match said.text("type"):
            case "message_start":
                message = said.needed_inner("message")
                self._count(message.inner("usage"))
                yield Started(message.text("id"), message.text("model"), self._usage, self._ending.tier)
            case "content_block_start":
                yield from self._begin(said.whole("index") or 0, said.needed_inner("content_block"))
            case "content_block_delta":
                yield from self._grow(said.whole("index") or 0, said.needed_inner("delta"))
            case "content_block_stop":
                yield from self._finish(said.whole("index") or 0)
            case "message_delta":
                self._stop(said.needed_inner("delta"))
                self._count(said.inner("usage"))
            case "message_stop":
                yield from self.end()
            case "ping":
                yield Alive()
            case "error":
                yield read_failure(value)

    def end(self) -> Iterator[Event]:
        """The last event; a stream that broke off before it said why it stopped has failed."""
        if not self._stopped:
            yield Failed("unreadable", "the vendor's stream broke off")
            return
        self._ending.usage = self._usage
        yield Ended(self._ending)

    def _begin(self, index: int, block: Fields) -> Iterator[Event]:
        part = read_block(block)
        if part is None:
            return
        ours = self._indices[index] = len(self._indices)
        text = ""
        if isinstance(part, ToolCall):
            self._given[ours], part.arguments = part.arguments, ""
        elif isinstance(part, Text | Thinking):
            text, part.text = part.text, ""
        yield PartStarted(ours, part)
        if text:
            yield PartGrew(ours, text)

    def _grow(self, index: int, delta: Fields) -> Iterator[Event]:
        ours = self._indices.get(index)
        if ours is None:
            return
        match delta.text("type"):
            case "text_delta":
                yield PartGrew(ours, delta.text("text"))
            case "thinking_delta":
                yield PartGrew(ours, delta.text("thinking"))
            case "signature_delta":
                yield PartSealed(ours, delta.text("signature"), "anthropic")
            case "input_json_delta":
                if more := delta.text("partial_json"):
                    self._given.pop(ours, None)
                    yield PartGrew(ours, more)

    def _finish(self, index: int) -> Iterator[Event]:
        ours = self._indices.get(index)
        if ours is None:
            return
        if given := self._given.pop(ours, ""):
            yield PartGrew(ours, given)
        yield PartEnded(ours)

    def _stop(self, delta: Fields) -> None:
        if word := delta.text("stop_reason"):
            self._stopped = True
            self._ending.stop = stop_of(word)
        self._ending.stop_sequence = delta.text("stop_sequence") or None
        if details := delta.inner("stop_details"):
            self._ending.explanation = details.text("explanation")

    def _count(self, usage: Fields | None) -> None:
        if usage is not None:
            self._ending.tier = tier_of_anthropic(usage.text("service_tier")) or self._ending.tier
            self._usage = read_anthropic(usage, self._usage)


class StreamWriter:
    """Our events to Anthropic's."""

    def __init__(self, request: Request, created: int) -> None:
        self._grown_by: dict[int, tuple[str, str]] = {}  # the delta's type and field of each part

    def write(self, event: Event) -> bytes:
        """Anthropic's events for one of ours."""
        match event:
            case Started():
                return self._started(event)
            case PartStarted():
                return self._begun(event.index, event.part)
            case PartGrew():
                kind, field = self._grown_by[event.index]
                return self._delta(event.index, {"type": kind, field: event.text})
            case PartSealed():
                seal = closed(event.seal, event.maker, "anthropic")
                return self._delta(event.index, {"type": "signature_delta", "signature": seal})
            case PartEnded():
                return named("content_block_stop", {"type": "content_block_stop", "index": event.index})
            case Alive():
                return named("ping", {"type": "ping"})
            case Failed():
                return named("error", write_failure(event)[1])
            case Ended():
                return self._ended(event.ending)

    def _started(self, event: Started) -> bytes:
        message: dict[str, Any] = {
            "id": event.id,
            "type": "message",
            "role": "assistant",
            "model": event.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_anthropic(event.usage),
        }
        return named("message_start", {"type": "message_start", "message": message})

    def _begun(self, index: int, part: Part) -> bytes:
        match part:
            case Text() | Refusal():
                self._grown_by[index] = ("text_delta", "text")
            case Thinking():
                self._grown_by[index] = ("thinking_delta", "thinking")
            case _:
                self._grown_by[index] = ("input_json_delta", "partial_json")
        block = write_block(part)
        return named("content_block_start", {"type": "content_block_start", "index": index, "content_block": block})

    def _delta(self, index: int, delta: dict[str, Any]) -> bytes:
        return named("content_block_delta", {"type": "content_block_delta", "index": index, "delta": delta})

    def _ended(self, ending: Ending) -> bytes:
        delta = {
            "stop_reason": word_of(ending),
            "stop_sequence": ending.stop_sequence,
            "stop_details": stop_details(ending),
        }
        usage = write_anthropic_delta(ending.usage or Usage())
        last = named("message_delta", {"type": "message_delta", "delta": delta, "usage": usage})
        return last + named("message_stop", {"type": "message_stop"})
