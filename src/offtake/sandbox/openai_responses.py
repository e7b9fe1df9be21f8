"""OpenAI's responses, as OpenAI's SDK 3.54 reads them."""

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
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.responses_prompt import response_prompt
from offtake.sandbox.usage import Usage, responses_usage

_ECHOED = (
    "instructions", "max_output_tokens", "metadata", "previous_response_id", "prompt_cache_key", "reasoning",
    "temperature", "text", "top_p", "truncation", "user",
)  # fmt: skip
_DEFAULTS = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "store": True}


def read(model: Model, body: dict[str, Any], caller: Caller) -> Ask:
    """The request, or a VendorError 400."""
    refuse_embeddings(model)
    if body.get("background"):
        raise VendorError.invalid("the sandbox runs no response in the background", param="background")
    before = body.get("previous_response_id")
    if before is not None and (not isinstance(before, str) or before not in caller.remembered):
        message = f"Previous response with id '{before}' not found."
        raise VendorError.invalid(message, param="previous_response_id", code="previous_response_not_found")
    prompt = response_prompt(body, caller.remembered[before] if before else [])
    keep_marks(model, body, prompt)
    asked = str(body.get("service_tier") or "")
    tier = tier_of(asked)
    tools = functions_of(body.get("tools"))
    reasoning = body.get("reasoning")
    text = body.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    return Ask(
        endpoint="responses",
        model=model,
        prompt=prompt,
        body=body,
        output_max=min(count_of(body, "max_output_tokens", OUTPUT_MAX), OUTPUT_MAX),
        stream=body.get("stream") is True,
        tier_asked=asked,
        tier=tier,
        channel=channel_of(tier),
        region=caller.region,
        reasons=model.reasons and not (isinstance(reasoning, dict) and reasoning.get("effort") == "none"),
        tools=tools,
        tool=tool_choice(body.get("tool_choice"), tools),
        schema=form.get("schema") if isinstance(form, dict) else None,
        may_search=any(str(tool.get("type", "")).startswith("web_search") for tool in body.get("tools") or ()),
        **cache_options(model, body),
    )


def output_of(done: Done) -> list[dict[str, Any]]:
    """The items of the answer."""
    answer = done.answers[0]
    tail = done.id.partition("_")[2]
    items: list[dict[str, Any]] = []
    if answer.reasoning:
        items.append({"id": f"rs_{tail}", "type": "reasoning", "summary": []})
    for number in range(answer.searches):
        action = {"type": "search", "query": "the word"}
        items.append({"id": f"ws_{tail}{number}", "type": "web_search_call", "status": "completed", "action": action})
    status = "incomplete" if answer.finish in ("length", "cut", "refusal") else "completed"
    if answer.tool:
        call = {"call_id": f"call_{tail}", "name": answer.tool, "arguments": answer.arguments, "status": status}
        items.append({"id": f"fc_{tail}", "type": "function_call"} | call)
    elif answer.text:
        part = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
        items.append({"id": f"msg_{tail}", "type": "message", "role": "assistant", "status": status, "content": [part]})
    return items


def _response(done: Done, status: str, output: list[dict[str, Any]], usage: Usage | None) -> dict[str, Any]:
    body = done.ask.body
    searches = 0 if usage is None else usage.searches
    return {
        "id": done.id,
        "object": "response",
        "created_at": done.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": body["model"],
        "output": output,
        "service_tier": done.tier,
        "usage": None if usage is None else responses_usage(usage),
        **{name: body.get(name) for name in _ECHOED},
        **{name: body.get(name, otherwise) for name, otherwise in _DEFAULTS.items()},
    } | ({"tool_usage": {"web_search": {"num_requests": searches}}} if searches else {})


def whole(done: Done) -> dict[str, Any]:
    """The body of the answer."""
    response = _response(done, _status(done.answers[0]), output_of(done), done.usage_said)
    if done.answers[0].finish in ("length", "refusal"):
        reason = "max_output_tokens" if done.answers[0].finish == "length" else "content_filter"
        response["incomplete_details"] = {"reason": reason}
    return response


def _status(answer: Answer) -> str:
    return "incomplete" if answer.finish in ("length", "refusal", "cut") else "completed"


def stream(done: Done, size: int) -> Iterator[Chunk]:
    """The events of the answer."""
    number = -1
    pieces = Pieces(size)

    def event(name: str, /, **data: Any) -> bytes:
        nonlocal number
        number += 1
        said = {"type": name, "sequence_number": number} | data
        return b"event: " + name.encode() + b"\ndata: " + encode(said) + b"\n\n"

    opened = _response(done, "in_progress", [], None)
    yield Chunk(event("response.created", response=opened), 0)
    yield Chunk(event("response.in_progress", response=opened), 0)
    pieces.tokens = done.answers[0].reasoning
    for index, item in enumerate(output_of(done)):
        bare = item | {"status": "in_progress"} if "status" in item else dict(item)
        for name in ("content", "arguments"):
            if name in bare:
                bare[name] = type(bare[name])()
        yield Chunk(event("response.output_item.added", output_index=index, item=bare), pieces.tokens)
        where = {"item_id": item["id"], "output_index": index}
        if item["type"] == "function_call":
            for piece in pieces.of(item["arguments"]):
                yield Chunk(event("response.function_call_arguments.delta", **where, delta=piece), pieces.tokens)
            ended = {"name": item["name"], "arguments": item["arguments"]}
            yield Chunk(event("response.function_call_arguments.done", **where, **ended), pieces.tokens)
        elif item["type"] == "message":
            part = item["content"][0]
            where["content_index"] = 0
            yield Chunk(event("response.content_part.added", **where, part=part | {"text": ""}), pieces.tokens)
            for piece in pieces.of(part["text"]):
                data = event("response.output_text.delta", **where, delta=piece, logprobs=[])
                yield Chunk(data, pieces.tokens)
            yield Chunk(event("response.output_text.done", **where, text=part["text"], logprobs=[]), pieces.tokens)
            yield Chunk(event("response.content_part.done", **where, part=part), pieces.tokens)
        yield Chunk(event("response.output_item.done", output_index=index, item=item), pieces.tokens)
    if done.answers[0].finish == "cut":
        return
    response = whole(done)
    yield Chunk(event(f"response.{response['status']}", response=response), done.usage.output, last=True)


WIRE = Wire("resp_", read, whole, stream)
