"""A message of Anthropic's: read into its meaning, and written from it.

Source: anthropic 2.12, types/message.py; read November 2026.
"""

from __future__ import annotations

from typing import Any

from offtake.gateway.translate.fields import BadRequest, Dropped, Fields, encoded, object_of
from offtake.gateway.translate.meaning import Answer, Ending, Part, Refusal, Stop, Text, Thinking, ToolCall
from offtake.gateway.translate.seals import closed
from offtake.gateway.translate.usage import read_anthropic, tier_of_anthropic, write_anthropic

_STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "max_tokens": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "model_context_window_exceeded": "context",
}
_WORDS = {stop: word for word, stop in _STOPS.items()}


def stop_of(word: str) -> Stop:
    """What a stop reason means; one that is not known here is the end of a turn."""
    return _STOPS.get(word, "end")


def word_of(ending: Ending) -> str:
    """The stop reason of an ending."""
    return _WORDS[ending.stop]


def stop_details(ending: Ending) -> dict[str, Any] | None:
    """The details that go with a refusal."""
    if ending.stop != "refusal":
        return None
    return {"type": "refusal", "category": None, "explanation": ending.explanation or None}


def read_answer(value: Any) -> Answer:
    """The answer of a message. Raises BadRequest where it is none."""
    message = Fields(value, "", Dropped())
    usage = message.needed_inner("usage")
    tier = usage.text("service_tier")
    details = message.inner("stop_details")
    ending = Ending(
        stop_of(message.text("stop_reason")),
        message.text("stop_sequence") or None,
        explanation=details.text("explanation") if details else "",
        usage=read_anthropic(usage),
        tier=tier_of_anthropic(tier),
    )
    parts = [part for block in message.items("content") if (part := read_block(block))]
    return Answer(message.text("id"), message.text("model"), parts, ending)


def read_block(block: Fields) -> Part | None:
    """One block; None for the kinds that only tools of Anthropic's own make."""
    match block.text("type"):
        case "text":
            return Text(block.text("text"))
        case "thinking":
            return Thinking(block.text("thinking"), block.text("signature"), "anthropic")
        case "redacted_thinking":
            return Thinking("", block.text("data"), "anthropic_redacted")
        case "tool_use":
            given = block.mapping("input")
            return ToolCall(block.needed_text("id"), block.needed_text("name"), encoded(given or {}).decode())
        case _:
            return None


def write_answer(answer: Answer) -> dict[str, Any]:
    """The message of an answer. Raises BadRequest where a tool's arguments are no object."""
    ending = answer.ending
    return {
        "id": answer.id,
        "type": "message",
        "role": "assistant",
        "model": answer.model,
        "content": [write_block(part) for part in answer.parts],
        "stop_reason": word_of(ending),
        "stop_sequence": ending.stop_sequence,
        "stop_details": stop_details(ending),
        "usage": write_anthropic(ending.usage, ending.tier),
    }


def write_block(part: Part) -> dict[str, Any]:
    """One block of an answer."""
    match part:
        case Text() | Refusal():
            return {"type": "text", "text": part.text}
        case Thinking(maker="anthropic_redacted"):
            return {"type": "redacted_thinking", "data": part.seal}
        case Thinking():
            return {"type": "thinking", "thinking": part.text, "signature": closed(part.seal, part.maker, "anthropic")}
        case ToolCall():
            given = object_of(part.arguments, f"the arguments of tool call {part.id}")
            return {"type": "tool_use", "id": part.id, "name": part.name, "input": given}
        case _:
            raise BadRequest("a part of the answer has no place in a message")
