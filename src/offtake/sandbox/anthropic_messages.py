"""Anthropic's messages, as Anthropic's SDK 2.12 reads them; API versions 2023-06-01 and 2026-10-21."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from offtake.sandbox.answer import Answer
from offtake.sandbox.anthropic_prompt import message_prompt
from offtake.sandbox.ask import Ask, Caller
from offtake.sandbox.done import Chunk, Done, Pieces, Wire, encode
from offtake.sandbox.models import OUTPUT_MAX, Model
from offtake.sandbox.prompt import compact, objects, texts
from offtake.sandbox.refusals import VendorError
from offtake.sandbox.usage import Usage, delta_usage, message_usage

_FINISH = {"stop": "end_turn", "length": "max_tokens", "tool": "tool_use", "cut": None}
_EFFORT_THINKS = ("enabled", "adaptive")


def read(model: Model, body: dict[str, Any], caller: Caller) -> Ask:
    """The request, or a VendorError 400."""
    limit = body.get("max_tokens")
    if limit is None:
        raise VendorError.invalid("max_tokens: Field required")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise VendorError.invalid("max_tokens: Input should be greater than or equal to 1")
    prompt = message_prompt(body, caller.version)
    asked = str(body.get("service_tier") or "")
    if asked not in ("", "auto", "standard_only"):
        raise VendorError.invalid("service_tier: Input should be 'auto' or 'standard_only'")
    speed = body.get("speed")
    if speed not in (None, "standard", "fast"):
        raise VendorError.invalid("speed: Input should be 'standard' or 'fast'")
    geo = body.get("inference_geo")
    if geo not in (None, "global", "us"):
        raise VendorError.invalid("inference_geo: Input should be 'global' or 'us'")
    tools = {str(tool["name"]): tool.get("input_schema") or {} for tool in objects(body.get("tools"), "tools")
             if tool.get("name") and "input_schema" in tool}  # fmt: skip
    return Ask(
        endpoint="messages",
        model=model,
        prompt=prompt,
        body=body,
        output_max=min(limit, OUTPUT_MAX),
        stream=body.get("stream") is True,
        tier_asked=asked,
        tier="standard",
        channel="realtime",
        region=str(geo or caller.region),
        speed=str(speed or ""),
        cache_scope=f"anthropic\0{model.id}",
        reasons=_thinks(body.get("thinking"), limit),
        tools=tools,
        tool=_tool_choice(body.get("tool_choice"), tools),
        schema=_schema(body),
        stops=texts(body.get("stop_sequences"), "stop_sequences"),
        may_search=any(str(tool.get("type", "")).startswith("web_search_") for tool in body.get("tools") or ()),
    )


def _thinks(thinking: object, limit: int) -> bool:
    if not isinstance(thinking, dict):
        return False
    budget = thinking.get("budget_tokens")
    if thinking.get("type") == "enabled":
        if not isinstance(budget, int) or budget < 1024:
            raise VendorError.invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        if budget >= limit:
            raise VendorError.invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
    return thinking.get("type") in _EFFORT_THINKS


def _tool_choice(choice: object, tools: dict[str, Any]) -> str | None:
    if not isinstance(choice, dict):
        return None
    if choice.get("type") == "any":
        return "" if tools else None
    if choice.get("type") == "tool":
        name = choice.get("name")
        if not isinstance(name, str) or name not in tools:
            raise VendorError.invalid(f"tool_choice.tool.name: Tool '{name}' not found in provided tools")
        return name
    return None


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    config = body.get("output_config")
    form = config.get("format") if isinstance(config, dict) else body.get("output_format")
    schema = form.get("schema") if isinstance(form, dict) else None
    return schema if isinstance(schema, dict) else None


def blocks_of(done: Done, answer: Answer) -> list[dict[str, Any]]:
    """The content of the answer."""
    blocks: list[dict[str, Any]] = []
    if answer.thought:
        blocks.append({"type": "thinking", "thinking": answer.thought, "signature": f"sig-{done.id}"})
    for number in range(answer.searches):
        call = f"srvtoolu_{done.id[4:]}{number}"
        blocks.append({"type": "server_tool_use", "id": call, "name": "web_search", "input": {"query": "the word"}})
        blocks.append({"type": "web_search_tool_result", "tool_use_id": call, "content": []})
    if answer.tool:
        blocks.append(_tool_block(done, answer))
    elif answer.text:
        blocks.append({"type": "text", "text": answer.text, "citations": None})
    return blocks


def _tool_block(done: Done, answer: Answer) -> dict[str, Any]:
    try:
        arguments = msgspec.json.decode(answer.arguments or "{}")
    except msgspec.DecodeError:  # max_tokens cut it
        arguments = {}
    return {"type": "tool_use", "id": f"toolu_{done.id[4:]}", "name": answer.tool, "input": arguments}


def _head(done: Done, content: list[dict[str, Any]], usage: Usage | None) -> dict[str, Any]:
    ask = done.ask
    said = {} if usage is None else {"usage": message_usage(usage, done.tier, done.region, ask.speed)}
    return {
        "id": done.id,
        "type": "message",
        "role": "assistant",
        "model": ask.body["model"],
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
    } | said


def _end(answer: Answer) -> dict[str, Any]:
    end: dict[str, Any] = {
        "stop_reason": _FINISH.get(answer.finish, answer.finish),
        "stop_sequence": answer.stop or None,
    }
    if answer.finish == "refusal":
        end["stop_details"] = {"type": "refusal", "category": None, "explanation": None}
    return end


def whole(done: Done) -> dict[str, Any]:
    """The body of the answer."""
    answer = done.answers[0]
    return _head(done, blocks_of(done, answer), done.usage_said) | _end(answer)


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + encode({"type": name} | data) + b"\n\n"


def stream(done: Done, size: int) -> Iterator[Chunk]:
    """The events of the answer."""
    answer, said = done.answers[0], done.usage_said
    usage = None
    if said is not None:
        usage = Usage(said.fresh, said.read, said.written_short, said.written_long, min(1, said.output))
    yield Chunk(_event("message_start", {"message": _head(done, [], usage)}), min(1, done.usage.output))
    pieces = Pieces(size)
    for index, block in enumerate(blocks_of(done, answer)):
        opened, deltas = _opened(block, answer)
        yield Chunk(_event("content_block_start", {"index": index, "content_block": opened}), pieces.tokens)
        if index == 0:
            yield Chunk(_event("ping", {}), pieces.tokens)
        for kind, name, text in deltas:
            counted = kind != "signature_delta" and block["type"] != "server_tool_use"
            for piece in pieces.of(text) if counted else [text]:
                data = {"index": index, "delta": {"type": kind, name: piece}}
                yield Chunk(_event("content_block_delta", data), pieces.tokens)
        yield Chunk(_event("content_block_stop", {"index": index}), pieces.tokens)
    if answer.finish == "cut":
        return
    last = {"delta": _end(answer)} | ({} if said is None else {"usage": delta_usage(said)})
    yield Chunk(_event("message_delta", last) + _event("message_stop", {}), done.usage.output, last=True)


def _opened(block: dict[str, Any], answer: Answer) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """A block as it begins, and its deltas: (type, field, text)."""
    match block["type"]:
        case "text":
            return block | {"text": ""}, [("text_delta", "text", block["text"])]
        case "thinking":
            deltas = [
                ("thinking_delta", "thinking", block["thinking"]),
                ("signature_delta", "signature", block["signature"]),
            ]
            return block | {"thinking": "", "signature": ""}, deltas
        case "tool_use":
            return block | {"input": {}}, [("input_json_delta", "partial_json", answer.arguments)]
        case "server_tool_use":
            return block | {"input": {}}, [("input_json_delta", "partial_json", compact(block["input"]))]
    return block, []


WIRE = Wire("msg_", read, whole, stream)
