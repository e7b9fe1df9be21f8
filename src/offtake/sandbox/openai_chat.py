"""OpenAI's chat completions, as OpenAI's SDK 3.54 reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from offtake.sandbox.answer import Answer
from offtake.sandbox.ask import Ask, Caller
from offtake.sandbox.done import Chunk, Done, Pieces, Wire, encode
from offtake.sandbox.models import OUTPUT_MAX, Model
from offtake.sandbox.openai_reading import (
    cache_options,
    channel_of,
    count_of,
    functions_of,
    keep_marks,
    refuse_embeddings,
    tier_of,
    tool_choice,
)
from offtake.sandbox.prompt import chat_prompt, texts
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.usage import chat_usage

_FINISH = {"tool": "tool_calls", "refusal": "content_filter", "stop_sequence": "stop", "cut": None}


def read(model: Model, body: dict[str, Any], caller: Caller) -> Ask:
    """The request, or a VendorError 400."""
    refuse_embeddings(model)
    if model.vendor == "mistral" and "stream_options" in body:
        raise VendorError(422, "Extra inputs are not permitted", param="stream_options", type="invalid_request_error")
    prompt = chat_prompt(body)
    keep_marks(model, body, prompt)
    asked = str(body.get("service_tier") or "")
    tier = tier_of(asked)
    limit = count_of(body, "max_completion_tokens", count_of(body, "max_tokens", OUTPUT_MAX))
    tools = functions_of(body.get("tools"))
    stop = body.get("stop")
    return Ask(
        endpoint="chat.completions",
        model=model,
        prompt=prompt,
        body=body,
        output_max=min(limit, OUTPUT_MAX),
        stream=body.get("stream") is True,
        choices=_choices(body),
        tier_asked=asked,
        tier=tier,
        channel=channel_of(tier),
        region=caller.region,
        reasons=model.reasons and body.get("reasoning_effort") != "none",
        tools=tools,
        tool=tool_choice(body.get("tool_choice"), tools),
        schema=_schema(body.get("response_format")),
        stops=(stop,) if isinstance(stop, str) else texts(stop, "stop"),
        may_search="web_search_options" in body,
        **cache_options(model, body),
    )


def _choices(body: dict[str, Any]) -> int:
    choices = count_of(body, "n", 1)
    if choices > 128:
        raise VendorError.invalid("Invalid 'n': integer above maximum value.", param="n")
    return choices


def _schema(form: object) -> dict[str, Any] | None:
    if not isinstance(form, dict) or form.get("type") not in ("json_schema", "json_object"):
        return None
    inner = form.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else None
    return schema if isinstance(schema, dict) else {"type": "object", "properties": {"answer": {"type": "string"}}}


def _head(done: Done, kind: str) -> dict[str, Any]:
    return {
        "id": done.id,
        "object": kind,
        "created": done.created,
        "model": done.ask.body["model"],
        "service_tier": done.tier,
        "system_fingerprint": "fp_sandbox",
    }


def _finish(answer: Answer) -> str | None:
    return _FINISH.get(answer.finish, answer.finish)


def _calls(done: Done, answer: Answer, index: int) -> list[dict[str, Any]]:
    call = {"name": answer.tool, "arguments": answer.arguments}
    return [{"id": f"call_{done.id[9:]}{index}", "type": "function", "function": call}]


def whole(done: Done) -> dict[str, Any]:
    """The body of the answer."""
    choices = []
    for index, answer in enumerate(done.answers):
        message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None, "annotations": []}
        if answer.tool:
            message |= {"content": None, "tool_calls": _calls(done, answer, index)}
        choices.append({"index": index, "message": message, "logprobs": None, "finish_reason": _finish(answer)})
    said = {} if done.usage_said is None else {"usage": chat_usage(done.usage_said)}
    return _head(done, "chat.completion") | {"choices": choices} | said


def stream(done: Done, size: int) -> Iterator[Chunk]:
    """The events of the answer."""
    head = _head(done, "chat.completion.chunk")
    options = done.ask.body.get("stream_options")
    wants_usage = isinstance(options, dict) and options.get("include_usage") is True
    if wants_usage:
        head["usage"] = None
    pieces = Pieces(size)

    def event(
        index: int, delta: dict[str, Any], finish: str | None = None, more: dict[str, Any] | None = None
    ) -> bytes:
        choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        return b"data: " + encode(head | {"choices": [choice]} | (more or {})) + b"\n\n"

    for index, answer in enumerate(done.answers):
        pieces.tokens += answer.reasoning
        first: dict[str, Any] = {"role": "assistant", "content": None if answer.tool else "", "refusal": None}
        yield Chunk(event(index, first), pieces.tokens)
        if answer.tool:
            call = _calls(done, answer, index)[0]
            opened = call | {"index": 0, "function": {"name": answer.tool, "arguments": ""}}
            yield Chunk(event(index, {"tool_calls": [opened]}), pieces.tokens)
        for piece in pieces.of(answer.arguments if answer.tool else answer.text):
            delta = {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} if answer.tool else None
            yield Chunk(event(index, delta or {"content": piece}), pieces.tokens)
    if done.answers[0].finish == "cut":
        return
    said = None if done.usage_said is None else {"usage": chat_usage(done.usage_said)}
    unasked = said if done.ask.model.vendor == "mistral" and not wants_usage else None  # beside its last words
    ends = b"".join(event(index, {}, _finish(answer), unasked) for index, answer in enumerate(done.answers))
    if wants_usage and said is not None:
        ends += b"data: " + encode(head | {"choices": []} | said) + b"\n\n"
    yield Chunk(ends + b"data: [DONE]\n\n", done.usage.output, last=True)


WIRE = Wire("chatcmpl-", read, whole, stream)
