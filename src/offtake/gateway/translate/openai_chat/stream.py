"""The stream of a chat completion: chunks read into events, and events written as chunks.

Source: openai 3.54, types/chat/chat_completion_chunk.py; read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from offtake.gateway.translate.failures import read_openai as read_failure
from offtake.gateway.translate.failures import write_openai as write_failure
from offtake.gateway.translate.fields import Dropped, Fields, decoded
from offtake.gateway.translate.meaning import (
    Alive,
    Ended,
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
from offtake.gateway.translate.openai_chat.answer import (
    TIERS,
    ending_of,
    refusal_of,
    said_in,
    word_of,
)
from offtake.gateway.translate.sse import KEEP_ALIVE, ServerEvent, data_only
from offtake.gateway.translate.usage import read_openai, write_openai

_FIELDS: dict[type[Part], str] = {Thinking: "reasoning_content", Refusal: "refusal"}


@dataclass(slots=True)
class _Call:
    """A tool call as it grows."""

    index: int
    id: str
    arguments: str = ""
    ended: bool = False

    def is_whole(self) -> bool:
        """Whether the arguments are whole JSON, which nothing can follow."""
        try:
            msgspec.json.decode(self.arguments or "x")
        except (msgspec.MsgspecError, RecursionError):
            return False
        return True


class StreamReader:
    """Chunks to events. A vendor may let calls of tools grow side by side: a call ends when its JSON is whole."""

    def __init__(self) -> None:
        self._parts: list[Part] = []  # as they began; of a refusal, whole
        self._open: int | None = None  # the part that is no tool call and still grows
        self._calls: dict[int, _Call] = {}
        self._started = False
        self._finish = ""
        self._usage: Usage | None = None
        self._tier = ""

    def read(self, event: ServerEvent) -> Iterator[Event]:
        """The events of one chunk. Raises BadRequest where it cannot be read."""
        if event.comment:
            yield Alive()
            return
        if event.data.strip() == b"[DONE]":
            yield from self.end()
            return
        value = decoded(event.data)
        chunk = Fields(value, "the vendor's chunk", Dropped())
        if chunk.holds("error"):
            yield read_failure(value)
            return
        if not self._started:
            self._started = True
            yield Started(chunk.text("id"), chunk.text("model"))
        self._usage = read_openai(chunk.inner("usage"), "prompt", "completion") or self._usage
        self._tier = chunk.text("service_tier") or self._tier
        for choice in chunk.items("choices")[:1]:
            if delta := choice.inner("delta"):
                yield from self._grow(delta)
            self._finish = choice.text("finish_reason") or self._finish

    def end(self) -> Iterator[Event]:
        """The last events; a stream that broke off before it said why it finished has failed."""
        if not self._finish:
            yield Failed("unreadable", "the vendor's stream broke off")
            return
        yield from self._close_open()
        for call in self._calls.values():
            if not call.ended:
                yield PartEnded(call.index)
        ending = ending_of(self._finish, self._parts)
        ending.usage, ending.tier = self._usage, self._tier
        yield Ended(ending)

    def _grow(self, delta: Fields) -> Iterator[Event]:
        thought, text = said_in(delta)
        if thought:
            yield from self._more(Thinking(""), thought)
        if text:
            yield from self._more(Text(""), text)
        if refusal := delta.text("refusal"):
            yield from self._more(Refusal(""), refusal)
        for call in delta.items("tool_calls"):
            yield from self._call(call)

    def _more(self, empty: Text | Thinking | Refusal, text: str) -> Iterator[Event]:
        if self._open is None or type(self._parts[self._open]) is not type(empty):
            yield from self._close_open()
            yield from self._close_calls()
            self._open = len(self._parts)
            self._parts.append(empty)
            yield PartStarted(self._open, type(empty)(""))
        part = self._parts[self._open]
        if isinstance(part, Refusal):
            part.text += text
        yield PartGrew(self._open, text)

    def _call(self, given: Fields) -> Iterator[Event]:
        number = given.whole("index")
        key = (max(self._calls, default=0)) if number is None else number
        function = given.inner("function")
        identifier = given.text("id")
        call = self._calls.get(key)
        if call is None or (identifier and identifier != call.id):  # some vendors number every call 0
            if call is not None and not call.ended:
                yield PartEnded(call.index)
            yield from self._close_open()
            yield from self._close_calls()
            name = function.text("name") if function else ""
            call = self._calls[key] = _Call(len(self._parts), identifier)
            part = ToolCall(identifier or f"call_{call.index}", name, "")
            self._parts.append(part)
            yield PartStarted(call.index, part)
        if (more := function.text("arguments") if function else "") and not call.ended:
            call.arguments += more
            yield PartGrew(call.index, more)

    def _close_open(self) -> Iterator[Event]:
        if self._open is not None:
            yield PartEnded(self._open)
            self._open = None

    def _close_calls(self) -> Iterator[Event]:
        for call in self._calls.values():
            if not call.ended and call.is_whole():
                call.ended = True
                yield PartEnded(call.index)


class StreamWriter:
    """Events to chunks."""

    def __init__(self, request: Request, created: int) -> None:
        self._wants_usage = request.wants_usage
        self._base: dict[str, Any] = {"id": "", "object": "chat.completion.chunk", "created": created, "model": ""}
        self._numbers: dict[int, int] = {}  # part index to the number of its tool call
        self._argued: set[int] = set()
        self._fields: dict[int, str] = {}  # part index to the field of the delta that it grows in

    def write(self, event: Event) -> bytes:
        """The chunks of one event."""
        match event:
            case Started():
                self._base |= {"id": event.id, "model": event.model, **self._tier(event.tier)}
                return self._chunk({"role": "assistant", "content": ""})
            case PartStarted(part=ToolCall() as call):
                number = self._numbers[event.index] = len(self._numbers)
                function = {"name": call.name, "arguments": ""}
                return self._tool({"index": number, "id": call.id, "type": "function", "function": function})
            case PartStarted(part=part):
                self._fields[event.index] = _FIELDS.get(type(part), "content")
                return b""
            case PartGrew():
                return self._grown(event)
            case PartEnded(index=index) if index in self._numbers and index not in self._argued:
                return self._tool({"index": self._numbers[index], "function": {"arguments": "{}"}})
            case PartSealed() | PartEnded():
                return b""
            case Alive():
                return KEEP_ALIVE
            case Failed():
                return data_only(write_failure(event)[1])
            case Ended():
                return self._ended(event)

    def _grown(self, event: PartGrew) -> bytes:
        if event.index in self._numbers:
            self._argued.add(event.index)
            return self._tool({"index": self._numbers[event.index], "function": {"arguments": event.text}})
        return self._chunk({self._fields[event.index]: event.text})

    def _ended(self, event: Ended) -> bytes:
        ending = event.ending
        said = b"" if "refusal" in self._fields.values() else self._refusal_chunk(event)
        self._base |= self._tier(ending.tier)
        last = self._chunk({}, word_of(ending))
        if self._wants_usage and ending.usage is not None:
            usage = write_openai(ending.usage, "prompt", "completion")
            last += data_only(self._base | {"choices": [], "usage": usage})
        return said + last + b"data: [DONE]\n\n"

    def _refusal_chunk(self, event: Ended) -> bytes:
        said = refusal_of(event.ending, [])
        return self._chunk({"refusal": said}) if said else b""

    def _tier(self, tier: str) -> dict[str, str]:
        return {"service_tier": tier} if tier in TIERS else {}

    def _tool(self, call: dict[str, Any]) -> bytes:
        return self._chunk({"tool_calls": [call]})

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = self._base | {"choices": [choice]}
        if self._wants_usage:
            chunk["usage"] = None
        return data_only(chunk)
