"""A response of OpenAI's: read into its meaning, and written from it. Each part of an answer is one output item.

Source: openai 3.54, types/responses/response.py and its items; read November 2026.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from offtake.gateway.translate.failures import read_openai as read_failure
from offtake.gateway.translate.fields import BadRequest, Dropped, Fields
from offtake.gateway.translate.free_form import free_text
from offtake.gateway.translate.meaning import (
    Answer,
    Ending,
    Failed,
    Part,
    Refusal,
    Request,
    Stop,
    Text,
    Thinking,
    ToolCall,
)
from offtake.gateway.translate.seals import closed
from offtake.gateway.translate.usage import read_openai, write_openai

_INCOMPLETE: dict[str, Stop] = {"max_output_tokens": "length", "content_filter": "refusal"}
_REASONS: dict[Stop, str] = {"length": "max_output_tokens", "context": "max_output_tokens", "refusal": "content_filter"}
_TIERS = ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast")
_KINDS = {"rate_limit": "rate_limit_exceeded", "invalid_request": "invalid_prompt"}


def read_answer(value: Any) -> Answer | Failed:
    """The answer of a response, or its failure. Raises BadRequest where it is neither."""
    body = Fields(value, "", Dropped())
    if body.holds("error"):
        return read_failure(value)
    parts = [part for item in body.items("output") for part in _parts(item)]
    ending = read_ending(body, parts)
    return Answer(body.text("id"), body.text("model"), parts, ending)


def _parts(item: Fields) -> Iterator[Part]:
    match item.text("type"):
        case "message":
            for content in item.items("content"):
                if content.text("type") == "refusal":
                    yield Refusal(content.text("refusal"))
                else:
                    yield Text(content.text("text"))
        case "function_call":
            yield ToolCall(item.needed_text("call_id"), item.needed_text("name"), item.text("arguments"))
        case "reasoning":
            text = "\n\n".join(part.text("text") for part in item.items("summary"))
            seal = seal_of(item)
            if text or seal:
                yield Thinking(text, seal, "openai")


def seal_of(item: Fields) -> str:
    """What OpenAI needs to take its reasoning back; "" where it did not encrypt it, as nothing is stored there."""
    encrypted = item.text("encrypted_content")
    return f"{item.text('id')}:{encrypted}" if encrypted else ""


def read_ending(body: Fields, parts: list[Part]) -> Ending:
    """How a response ended."""
    reason = details.text("reason") if (details := body.inner("incomplete_details")) else ""
    stop: Stop = _INCOMPLETE.get(reason, "end")
    refused = "".join(part.text for part in parts if isinstance(part, Refusal))
    if stop == "end" and any(isinstance(part, ToolCall) for part in parts):
        stop = "tool_calls"
    usage = read_openai(body.inner("usage"), "input", "output")
    return Ending("refusal" if refused else stop, explanation=refused, usage=usage, tier=body.text("service_tier"))


class ResponseShape:
    """The object around the output, the same for a whole answer and for a stream's first and last events."""

    def __init__(self, request: Request, created: int) -> None:
        self._tools = {tool.name: tool for tool in request.tools}
        self._echo: dict[str, Any] = {"instructions": None, "metadata": {}, "tool_choice": "auto", "tools": []}
        self._echo |= {"parallel_tool_calls": True, "temperature": None, "top_p": None} | request.echo
        self._echo |= {"object": "response", "created_at": created, "store": False, "background": False}

    def response(
        self,
        identifier: str,
        model: str,
        output: list[dict[str, Any]],
        ending: Ending | None = None,
        failed: Failed | None = None,
    ) -> dict[str, Any]:
        """A response: completed or incomplete with an ending, failed with an error, in progress with neither."""
        shape: dict[str, Any] = {
            "id": identifier,
            "model": model,
            "output": output,
            "error": None,
            "incomplete_details": None,
        }
        shape |= self._echo | {"status": "in_progress", "usage": None, "previous_response_id": None}
        if failed is not None:
            code = _KINDS.get(failed.kind, "server_error")
            return shape | {"status": "failed", "error": {"code": code, "message": failed.message}}
        if ending is None:
            return shape
        shape["status"] = status_of(ending)
        if shape["status"] == "incomplete":
            shape["incomplete_details"] = {"reason": _REASONS[ending.stop]}
        if ending.usage is not None:
            shape["usage"] = write_openai(ending.usage, "input", "output")
        if ending.tier in _TIERS:
            shape["service_tier"] = ending.tier
        return shape

    def is_free_form(self, part: Part) -> bool:
        """Whether a tool call is of a tool that the client defined as free-form."""
        return isinstance(part, ToolCall) and part.name in self._tools and self._tools[part.name].free_form

    def item(self, part: Part, identifier: str, status: str = "completed") -> dict[str, Any]:
        """The output item of a part. Raises BadRequest where a free-form tool's text cannot be found."""
        match part:
            case Text() | Refusal():
                item = {"type": "message", "role": "assistant", "content": [content_of(part)]}
                return item | {"id": identifier, "status": status}
            case Thinking():
                summary = [{"type": "summary_text", "text": part.text}] if part.text else []
                sealed = {"encrypted_content": closed(part.seal, part.maker, "openai")} if part.seal else {}
                return {"id": identifier, "type": "reasoning", "summary": summary} | sealed
            case ToolCall():
                return {"id": identifier, "status": status} | self._call(part, whole=status == "completed")
            case _:
                raise BadRequest("a part of the answer has no place in a response")

    def _call(self, call: ToolCall, *, whole: bool) -> dict[str, Any]:
        """A call as the client knows its tool: in its namespace, with a text or with JSON; empty until it is whole."""
        tool = self._tools.get(call.name)
        item = {"call_id": call.id, "name": tool.own_name if tool else call.name}
        if tool and tool.namespace:
            item["namespace"] = tool.namespace
        if self.is_free_form(call):
            return item | {"type": "custom_tool_call", "input": free_text(call) if whole else ""}
        return item | {"type": "function_call", "arguments": (call.arguments or "{}") if whole else call.arguments}


def status_of(ending: Ending) -> str:
    """Completed, or incomplete. A refusal in words is complete; one by a filter is not."""
    if ending.stop == "refusal":
        return "completed" if ending.explanation else "incomplete"
    return "incomplete" if ending.stop in _REASONS else "completed"


def content_of(part: Text | Refusal) -> dict[str, Any]:
    """The content part of a message item."""
    if isinstance(part, Refusal):
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}


def item_id(answer_id: str, index: int, part: Part) -> str:
    """An id for an output item, the same whenever the same answer is written."""
    kind = {Thinking: "rs", ToolCall: "fc"}.get(type(part), "msg")
    return f"{kind}_{answer_id}_{index}"


def write_answer(answer: Answer, request: Request, created: int) -> dict[str, Any]:
    """The response of an answer."""
    shape = ResponseShape(request, created)
    parts = list(answer.parts)
    ending = answer.ending
    if ending.stop == "refusal" and ending.explanation and not any(isinstance(part, Refusal) for part in parts):
        parts.append(Refusal(ending.explanation))
    output = [shape.item(part, item_id(answer.id, index, part)) for index, part in enumerate(parts)]
    return shape.response(answer.id, answer.model, output, ending)
