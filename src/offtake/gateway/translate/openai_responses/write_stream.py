"""Events, written as the stream of a response of OpenAI's.

Source: openai 3.54, types/responses/response_stream_event.py and lib/streaming/responses; read November 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from offtake.gateway.translate.fields import BadRequest
from offtake.gateway.translate.free_form import free_text
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
)
from offtake.gateway.translate.openai_responses.answer import (
    ResponseShape,
    content_of,
    item_id,
    status_of,
)
from offtake.gateway.translate.sse import KEEP_ALIVE, named


@dataclass(slots=True)
class _Growing:
    """An output item as it grows, and the pieces of its text."""

    part: Part
    place: dict[str, Any]
    pieces: list[str]


class StreamWriter:
    """Our events to OpenAI's."""

    def __init__(self, request: Request, created: int) -> None:
        self._shape = ResponseShape(request, created)
        self._id = self._model = ""
        self._number = 0
        self._items: dict[int, _Growing] = {}
        self._output: dict[int, dict[str, Any]] = {}

    def write(self, event: Event) -> bytes:
        """OpenAI's events for one of ours."""
        match event:
            case Started():
                self._id, self._model = event.id, event.model
                empty = {"response": self._shape.response(self._id, self._model, [])}
                return self._event("response.created", empty) + self._event("response.in_progress", empty)
            case PartStarted():
                return self._begun(event.index, event.part)
            case PartGrew():
                return self._grown(self._items[event.index], event.text)
            case PartSealed():
                part = self._items[event.index].part
                if isinstance(part, Thinking):
                    part.seal, part.maker = part.seal + event.seal, event.maker
                return b""
            case PartEnded():
                return self._ended_part(event.index)
            case Alive():
                return KEEP_ALIVE
            case Failed():
                return self._failed(event)
            case Ended():
                return self._ended(event)

    def _begun(self, index: int, part: Part) -> bytes:
        own, identifier = _own(part), item_id(self._id, index, part)
        place: dict[str, Any] = {"output_index": index, "item_id": identifier}
        self._items[index] = _Growing(own, place, [])
        item = self._shape.item(own, identifier, "in_progress")
        if "content" in item:
            item["content"] = []
        begun = self._event("response.output_item.added", {"output_index": index, "item": item})
        if isinstance(own, Text | Refusal):
            place["content_index"] = 0
            begun += self._event("response.content_part.added", place | {"part": content_of(own)})
        return begun

    def _grown(self, growing: _Growing, more: str) -> bytes:
        first = not growing.pieces
        growing.pieces.append(more)
        delta = growing.place | {"delta": more}
        match growing.part:
            case Text():
                return self._event("response.output_text.delta", delta | {"logprobs": []})
            case Refusal():
                return self._event("response.refusal.delta", delta)
            case ToolCall() if self._shape.is_free_form(growing.part):
                return b""  # its text stands inside JSON that is not whole yet
            case ToolCall():
                return self._event("response.function_call_arguments.delta", delta)
            case _:
                begun = b""
                if first:
                    growing.place["summary_index"] = 0
                    part = {"part": {"type": "summary_text", "text": ""}}
                    begun = self._event("response.reasoning_summary_part.added", growing.place | part)
                return begun + self._event("response.reasoning_summary_text.delta", growing.place | {"delta": more})

    def _ended_part(self, index: int) -> bytes:
        growing = self._items.pop(index)
        part, place, text = growing.part, growing.place, "".join(growing.pieces)
        match part:
            case Text():
                part.text = text
                done = self._event("response.output_text.done", place | {"text": text, "logprobs": []})
                done += self._event("response.content_part.done", place | {"part": content_of(part)})
            case Refusal():
                part.text = text
                done = self._event("response.refusal.done", place | {"refusal": text})
                done += self._event("response.content_part.done", place | {"part": content_of(part)})
            case ToolCall():
                part.arguments = text or "{}"
                done = self._ended_call(part, place)
            case Thinking():
                part.text = text
                done = self._ended_summary(place, text) if text else b""
            case _:
                raise BadRequest("a part of the answer has no place in a response")
        item = self._shape.item(part, place["item_id"])
        self._output[index] = item
        return done + self._event("response.output_item.done", {"output_index": index, "item": item})

    def _ended_call(self, call: ToolCall, place: dict[str, Any]) -> bytes:
        if not self._shape.is_free_form(call):
            return self._event("response.function_call_arguments.done", place | {"arguments": call.arguments})
        said = free_text(call)
        done = self._event("response.custom_tool_call_input.delta", place | {"delta": said})
        return done + self._event("response.custom_tool_call_input.done", place | {"input": said})

    def _ended_summary(self, place: dict[str, Any], text: str) -> bytes:
        done = self._event("response.reasoning_summary_text.done", place | {"text": text})
        part = {"part": {"type": "summary_text", "text": text}}
        return done + self._event("response.reasoning_summary_part.done", place | part)

    def _ended(self, event: Ended) -> bytes:
        ending = event.ending
        said = b""
        refused = any(
            content["type"] == "refusal" for item in self._output.values() for content in item.get("content", [])
        )
        if ending.stop == "refusal" and ending.explanation and not refused:
            index = len(self._output)
            said = self._begun(index, Refusal(""))
            said += self._grown(self._items[index], ending.explanation) + self._ended_part(index)
        response = self._shape.response(self._id, self._model, self._ordered(), ending)
        return said + self._event(f"response.{status_of(ending)}", {"response": response})

    def _failed(self, failed: Failed) -> bytes:
        if not self._id:
            error = {"code": failed.code or failed.kind, "message": failed.message, "param": failed.param or None}
            return self._event("error", error)
        response = self._shape.response(self._id, self._model, self._ordered(), failed=failed)
        return self._event("response.failed", {"response": response})

    def _ordered(self) -> list[dict[str, Any]]:
        return [self._output[index] for index in sorted(self._output)]

    def _event(self, kind: str, fields: dict[str, Any]) -> bytes:
        event = {"type": kind, "sequence_number": self._number} | fields
        self._number += 1
        return named(kind, event)


def _own(part: Part) -> Part:
    """A copy to grow, as the reader of the vendor's stream may keep the part that it sent."""
    match part:
        case Text():
            return Text("")
        case Refusal():
            return Refusal("")
        case Thinking():
            return Thinking("", part.seal, part.maker)
        case ToolCall():
            return ToolCall(part.id, part.name, "")
        case _:
            raise BadRequest("a part of the answer has no place in a response")
