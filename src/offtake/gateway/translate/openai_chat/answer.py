"""A chat completion: read into its meaning, and written from it.

Source: openai 3.54, types/chat/chat_completion.py; `reasoning_content` from DeepSeek's API reference, which several
vendors follow; read November 2026.
"""

from __future__ import annotations

from typing import Any

from offtake.gateway.translate.fields import BadRequest, Dropped, Fields
from offtake.gateway.translate.meaning import Answer, Ending, Part, Refusal, Stop, Text, Thinking, ToolCall
from offtake.gateway.translate.usage import read_openai, write_openai

_STOPS: dict[str, Stop] = {
    "stop": "end",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "refusal",
    "model_length": "context",  # Mistral's
    "insufficient_system_resource": "length",  # DeepSeek's: the answer is cut
}
_WORDS: dict[Stop, str] = {
    "end": "stop",
    "length": "length",
    "stop_sequence": "stop",
    "tool_calls": "tool_calls",
    "refusal": "content_filter",
    "context": "length",
}
TIERS = ("auto", "default", "flex", "scale", "priority", "fast")
"""The tiers that the dialect has words for."""


def ending_of(word: str, parts: list[Part]) -> Ending:
    """How an answer with these parts ended. A forced tool ends with `stop`, and a refusal may too."""
    stop = _STOPS.get(word, "end")
    if stop == "end" and any(isinstance(part, ToolCall) for part in parts):
        stop = "tool_calls"
    refused = "".join(part.text for part in parts if isinstance(part, Refusal))
    return Ending("refusal" if refused else stop, explanation=refused)


def word_of(ending: Ending) -> str:
    """The finish reason of an ending."""
    return _WORDS[ending.stop]


def refusal_of(ending: Ending, parts: list[Part]) -> str | None:
    """The words of a refusal; where the vendor gave none, that it refused."""
    if ending.stop != "refusal":
        return None
    said = "".join(part.text for part in parts if isinstance(part, Refusal))
    return said or ending.explanation or "The model refused."


def read_answer(value: Any) -> Answer:
    """The answer of a completion. Raises BadRequest where it is none."""
    body = Fields(value, "", Dropped())
    choices = body.items("choices")
    if not choices:
        raise BadRequest("the vendor's completion has no choices")
    message = choices[0].needed_inner("message")
    parts: list[Part] = []
    thought, text = said_in(message)
    if thought:
        parts.append(Thinking(thought))
    if text:
        parts.append(Text(text))
    if refusal := message.text("refusal"):
        parts.append(Refusal(refusal))
    for call in message.items("tool_calls"):
        function = call.needed_inner("function")
        parts.append(ToolCall(call.needed_text("id"), function.needed_text("name"), function.text("arguments")))
    ending = ending_of(choices[0].text("finish_reason"), parts)
    ending.usage = read_openai(body.inner("usage"), "prompt", "completion")
    ending.tier = body.text("service_tier")
    return Answer(body.text("id"), body.text("model"), parts, ending)


def said_in(message: Fields) -> tuple[str, str]:
    """The reasoning and the text of a message or of a delta.

    Compatible vendors show reasoning beside the content, under one of two names, or as parts of it, as Mistral does.
    """
    thought = message.text("reasoning_content") or (message.text("reasoning") if message.is_text("reasoning") else "")
    if message.is_text("content") or not message.holds("content"):
        return thought, message.text("content")
    text = ""
    for part in message.items("content"):
        if part.text("type") == "thinking":
            thought += "".join(inner.text("text") for inner in part.items("thinking"))
        else:
            text += part.text("text")
    return thought, text


def write_answer(answer: Answer, created: int) -> dict[str, Any]:
    """The completion of an answer."""
    ending = answer.ending
    texts = [part.text for part in answer.parts if isinstance(part, Text)]
    thoughts = "".join(part.text for part in answer.parts if isinstance(part, Thinking))
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) if texts else None}
    message["refusal"] = refusal_of(ending, answer.parts)
    if thoughts:
        message["reasoning_content"] = thoughts
    if calls := [part for part in answer.parts if isinstance(part, ToolCall)]:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments or "{}"}}
            for call in calls
        ]
    body: dict[str, Any] = {
        "id": answer.id,
        "object": "chat.completion",
        "created": created,
        "model": answer.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": word_of(ending)}],
        "service_tier": ending.tier if ending.tier in TIERS else None,
    }
    if ending.usage is not None:
        body["usage"] = write_openai(ending.usage, "prompt", "completion")
    return body
