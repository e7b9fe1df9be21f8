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
        self._summary = 0
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
            case "response.function_call_arguments.delta":
                yield from self._grow(said, _ITEM)
            case "response.reasoning_summary_text.delta":
                yield from self._think(said)
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
            yield Failed("unreadable", "the vendor's stream broke off")

    def _begin_item(self, said: Fields) -> Iterator[Event]:
        item = said.needed_inner("item")
        place = (said.whole("output_index") or 0, _ITEM)
        if item.text("type") == "function_call":
            yield self._begin(place, ToolCall(item.needed_text("call_id"), item.needed_text("name"), ""))

    def _think(self, said: Fields) -> Iterator[Event]:
        """A piece of a summary. Reasoning begins with what it shows, as most shows nothing."""
        place = (said.whole("output_index") or 0, _ITEM)
        summary = said.whole("summary_index") or 0
        if place not in self._indices:
            yield self._begin(place, Thinking("", "", "openai"))
        index = self._indices[place]
        if summary != self._summary:
            self._summary = summary
            if index in self._grown:
                yield PartGrew(index, "\n\n")
        self._grown.add(index)
        yield PartGrew(index, said.text("delta"))

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
        item = said.needed_inner("item")
        seal = seal_of(item) if item.text("type") == "reasoning" else ""
        if seal and place not in self._indices:
            yield self._begin(place, Thinking("", "", "openai"))
        index = self._indices.get(place)
        if index is None:
            return
        if seal:
            yield PartSealed(index, seal, "openai")
        elif index not in self._grown and (arguments := item.text("arguments")):
            yield PartGrew(index, arguments)
        yield from self._end(*place)

    def _end(self, output: int, content: int) -> Iterator[Event]:
        index = self._indices.pop((output, content), None)
        if index is not None:
            yield PartEnded(index)
