"""The stream of a response of OpenAI's, read into events.

Source: openai 3.54, types/responses/response_stream_event.py; read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator

from offtake.gateway.translate.failures import read_openai as read_failure
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
    Started,
    Text,
    Thinking,
    ToolCall,
)
from offtake.gateway.translate.openai_responses.answer import read_ending, seal_of
from offtake.gateway.translate.sse import ServerEvent

_ITEM = -1  # an item's own place, where a message's contents have 0 and up


class StreamReader:
    """OpenAI's events to ours."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._indices: dict[tuple[int, int], int] = {}  # output and content index to ours
        self._grown: set[int] = set()
        self._over = False

    def read(self, event: ServerEvent) -> Iterator[Event]:
        """The events of one of OpenAI's. Raises BadRequest where it cannot be read."""
        if event.comment:
            yield Alive()
            return
        if event.data.strip() == b"[DONE]":
            return
        value = decoded(event.data)
        said = Fields(value, "the vendor's event", Dropped())
        kind = said.text("type")
        match kind:
            case "response.created":
                response = said.needed_inner("response")
                yield Started(response.text("id"), response.text("model"))
            case "response.output_item.added":
                yield from self._begin_item(said)
            case "response.content_part.added":
                refusal = said.needed_inner("part").text("type") == "refusal"
                place = (said.whole("output_index") or 0, said.whole("content_index") or 0)
                yield self._begin(place, Refusal("") if refusal else Text(""))
            case "response.output_text.delta" | "response.refusal.delta":
                yield from self._grow(said, said.whole("content_index") or 0)
            case "response.function_call_arguments.delta" | "response.reasoning_summary_text.delta":
                yield from self._grow(said, _ITEM)
            case "response.reasoning_summary_part.added" if said.whole("summary_index"):
                index = self._indices[said.whole("output_index") or 0, _ITEM]
                yield PartGrew(index, "\n\n")
            case "response.content_part.done":
                yield from self._end(said.whole("output_index") or 0, said.whole("content_index") or 0)
            case "response.output_item.done":
                yield from self._end_item(said)
            case "response.completed" | "response.incomplete":
                self._over = True
                yield Ended(read_ending(said.needed_inner("response"), self._parts))
            case "response.failed":
                self._over = True
                yield read_failure({"error": said.needed_inner("response").take("error") or {}})
            case "error":
                self._over = True
                yield read_failure(value)

    def end(self) -> Iterator[Event]:
        """What a stream that broke off comes to."""
        if not self._over:
            yield Failed("vendor", "the vendor's stream broke off")

    def _begin_item(self, said: Fields) -> Iterator[Event]:
        item = said.needed_inner("item")
        place = (said.whole("output_index") or 0, _ITEM)
        match item.text("type"):
            case "function_call":
                yield self._begin(place, ToolCall(item.needed_text("call_id"), item.needed_text("name"), ""))
            case "reasoning":
                yield self._begin(place, Thinking("", "", "openai"))

    def _begin(self, place: tuple[int, int], part: Part) -> PartStarted:
        self._indices[place] = len(self._parts)
        self._parts.append(part)
        return PartStarted(self._indices[place], part)

    def _grow(self, said: Fields, content: int) -> Iterator[Event]:
        index = self._indices.get((said.whole("output_index") or 0, content))
        if index is None:
            return
        self._grown.add(index)
        more = said.text("delta")
        if isinstance(part := self._parts[index], Refusal):
            self._parts[index] = Refusal(part.text + more)
        yield PartGrew(index, more)

    def _end_item(self, said: Fields) -> Iterator[Event]:
        place = (said.whole("output_index") or 0, _ITEM)
        index = self._indices.get(place)
        if index is None:
            return
        item = said.needed_inner("item")
        if isinstance(self._parts[index], Thinking):
            yield PartSealed(index, seal_of(item), "openai")
        elif index not in self._grown and (arguments := item.text("arguments")):
            yield PartGrew(index, arguments)
        yield from self._end(*place)

    def _end(self, output: int, content: int) -> Iterator[Event]:
        index = self._indices.pop((output, content), None)
        if index is not None:
            yield PartEnded(index)
