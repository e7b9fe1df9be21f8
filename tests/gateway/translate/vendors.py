"""Three vendors who each say the same in their own dialect, written by hand from their SDKs' types.

Asked first, each thinks, says a word and calls two tools; given the tools' results, it answers.
"""

from __future__ import annotations

import json
from typing import Any

THOUGHT, WORD, ANSWER = "They ask for weather.", "Let me look – ", "Sunny in Paris, rain in Köln. ☔"
CALLS = (("call_1", '{"city":"Paris"}'), ("call_2", '{"city":"Köln","days":3}'))
# 100 uncached, 20 read, 30 and 40 written, 55 out of which 13 thought
ANTHROPIC_USAGE = {
    "input_tokens": 100,
    "cache_read_input_tokens": 20,
    "cache_creation_input_tokens": 70,
    "cache_creation": {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 40},
    "output_tokens": 55,
    "output_tokens_details": {"thinking_tokens": 13},
    "service_tier": "priority",
}
_INSIDE = {
    "cached_tokens": 20,
    "cache_write_tokens": 70,
    "cache_write_tokens_details": {"ttl_30m_tokens": 30, "ttl_12h_tokens": 40},
}
CHAT_USAGE = {
    "prompt_tokens": 190,
    "prompt_tokens_details": _INSIDE,
    "completion_tokens": 55,
    "completion_tokens_details": {"reasoning_tokens": 13},
    "total_tokens": 245,
}
RESPONSES_USAGE = {
    "input_tokens": 190,
    "input_tokens_details": _INSIDE,
    "output_tokens": 55,
    "output_tokens_details": {"reasoning_tokens": 13},
    "total_tokens": 245,
}
USAGES = {"anthropic_messages": ANTHROPIC_USAGE, "openai_chat": CHAT_USAGE, "openai_responses": RESPONSES_USAGE}


def asked_first(request: dict[str, Any]) -> bool:
    """Whether no tool has answered yet."""
    text = json.dumps(request)
    return '"tool_result"' not in text and '"role": "tool"' not in text and '"function_call_output"' not in text


def whole(dialect: str, request: dict[str, Any]) -> dict[str, Any]:
    """The whole answer."""
    return {
        "anthropic_messages": anthropic_message,
        "openai_chat": chat_completion,
        "openai_responses": response,
    }[dialect](request["model"], asked_first(request))


def stream(dialect: str, request: dict[str, Any]) -> bytes:
    """The same answer as a stream."""
    return {
        "anthropic_messages": anthropic_stream,
        "openai_chat": chat_stream,
        "openai_responses": responses_stream,
    }[dialect](request["model"], asked_first(request))


def anthropic_message(model: str, first: bool) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": ANSWER}]
    if first:
        content = [
            {"type": "thinking", "thinking": THOUGHT, "signature": "c2lnbmVk"},
            {"type": "text", "text": WORD},
            *({"type": "tool_use", "id": id_, "name": "weather", "input": json.loads(given)} for id_, given in CALLS),
        ]
    return {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": "tool_use" if first else "end_turn",
        "stop_sequence": None,
        "usage": ANTHROPIC_USAGE,
    }


def anthropic_events(model: str, first: bool) -> list[dict[str, Any]]:
    message = anthropic_message(model, first)
    early = {**ANTHROPIC_USAGE, "output_tokens": 1, "output_tokens_details": {"thinking_tokens": 0}}
    begun = {**message, "content": [], "stop_reason": None, "usage": early}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(message["content"]):
        at = {"index": index}
        match block["type"]:
            case "thinking":
                empty: dict[str, Any] = {"type": "thinking", "thinking": "", "signature": ""}
                deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            case "text":
                empty = {"type": "text", "text": ""}
                deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
            case _:
                empty = {**block, "input": {}}
                text = json.dumps(block["input"], ensure_ascii=False)
                deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(text)]]
        events.append({"type": "content_block_start", **at, "content_block": empty})
        events += [{"type": "content_block_delta", **at, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", **at})
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    usage = {"output_tokens": 55, "output_tokens_details": {"thinking_tokens": 13}}
    return [*events, {"type": "message_delta", "delta": stop, "usage": usage}, {"type": "message_stop"}]


def anthropic_stream(model: str, first: bool) -> bytes:
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
        for event in anthropic_events(model, first)
    )


def chat_completion(model: str, first: bool) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": WORD if first else ANSWER, "refusal": None}
    if first:
        message["reasoning_content"] = THOUGHT
        message["tool_calls"] = [
            {"id": id_, "type": "function", "function": {"name": "weather", "arguments": given}} for id_, given in CALLS
        ]
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls" if first else "stop"}
        ],
        "service_tier": "priority",
        "usage": CHAT_USAGE,
    }


def chat_chunks(model: str, first: bool) -> list[dict[str, Any]]:
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": model}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if first:
        deltas += [{"reasoning_content": piece} for piece in pieces(THOUGHT)]
    deltas += [{"content": piece} for piece in pieces(WORD if first else ANSWER)]
    for number, (id_, given) in enumerate(CALLS if first else ()):
        function = {"name": "weather", "arguments": ""}
        deltas.append({"tool_calls": [{"index": number, "id": id_, "type": "function", "function": function}]})
        deltas += [{"tool_calls": [{"index": number, "function": {"arguments": piece}}]} for piece in pieces(given)]
    chunks = [{**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    last = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if first else "stop"}
    chunks.append({**base, "choices": [last], "service_tier": "priority"})
    return [*chunks, {**base, "choices": [], "usage": CHAT_USAGE}]


def chat_stream(model: str, first: bool) -> bytes:
    chunks = b"".join(
        f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode() for chunk in chat_chunks(model, first)
    )
    return b": OPENROUTER PROCESSING\n\n" + chunks + b"data: [DONE]\n\n"


def response(model: str, first: bool) -> dict[str, Any]:
    said = {"type": "output_text", "text": WORD if first else ANSWER, "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [said]}
    output: list[dict[str, Any]] = [message]
    if first:
        summary = [{"type": "summary_text", "text": THOUGHT}]
        reasoning = {"id": "rs_1", "type": "reasoning", "summary": summary, "encrypted_content": "Z0FBQUFB"}
        output = [reasoning, message] + [
            {
                "id": f"fc_{id_}",
                "type": "function_call",
                "call_id": id_,
                "name": "weather",
                "arguments": given,
                "status": "completed",
            }
            for id_, given in CALLS
        ]
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_790_000_000,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "service_tier": "priority",
        "usage": RESPONSES_USAGE,
    }


def responses_events(model: str, first: bool) -> list[dict[str, Any]]:
    done = response(model, first)
    begun = {**done, "status": "in_progress", "output": [], "usage": None}
    events: list[dict[str, Any]] = [{"type": "response.created", "response": begun}]
    for index, item in enumerate(done["output"]):
        at = {"output_index": index, "item_id": item["id"]}
        match item["type"]:
            case "reasoning":
                empty: dict[str, Any] = {**item, "summary": [], "encrypted_content": ""}
                place = {**at, "summary_index": 0}
                part: dict[str, Any] = {"part": {"type": "summary_text", "text": ""}}
                inner = [{"type": "response.reasoning_summary_part.added", **place, **part}]
                inner += [
                    {"type": "response.reasoning_summary_text.delta", **place, "delta": piece}
                    for piece in pieces(THOUGHT)
                ]
                inner.append({"type": "response.reasoning_summary_text.done", **place, "text": THOUGHT})
            case "message":
                empty = {**item, "content": [], "status": "in_progress"}
                text = item["content"][0]["text"]
                place = {**at, "content_index": 0}
                part = {"part": {"type": "output_text", "text": "", "annotations": []}}
                inner = [{"type": "response.content_part.added", **place, **part}]
                inner += [
                    {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
                    for piece in pieces(text)
                ]
                inner.append({"type": "response.output_text.done", **place, "text": text, "logprobs": []})
                inner.append({"type": "response.content_part.done", **place, "part": item["content"][0]})
            case _:
                empty = {**item, "arguments": "", "status": "in_progress"}
                inner = [
                    {"type": "response.function_call_arguments.delta", **at, "delta": piece}
                    for piece in pieces(item["arguments"])
                ]
                inner.append({"type": "response.function_call_arguments.done", **at, "arguments": item["arguments"]})
        events.append({"type": "response.output_item.added", "output_index": index, "item": empty})
        events += inner
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    events.append({"type": "response.completed", "response": done})
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def responses_stream(model: str, first: bool) -> bytes:
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
        for event in responses_events(model, first)
    )


def pieces(text: str, length: int = 5) -> list[str]:
    return [text[start : start + length] for start in range(0, len(text), length)]
