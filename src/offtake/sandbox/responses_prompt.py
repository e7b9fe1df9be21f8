"""The prompt of OpenAI's Responses API: tools, instructions, what was said before, the input."""

from __future__ import annotations

from typing import Any

from offtake.sandbox.prompt import REQUEST_TOKENS, Prompt, compact, objects, openai_parts
from offtake.sandbox.refusals import VendorError


def response_prompt(body: dict[str, Any], before: list[dict[str, Any]]) -> Prompt:
    """`before`: the items of the response that this one follows."""
    prompt = Prompt()
    prompt.overhead(REQUEST_TOKENS)
    for tool in objects(body.get("tools"), "tools"):
        prompt.more(compact(tool))
    text = body.get("text")
    form = text.get("format") if isinstance(text, dict) else None
    if isinstance(form, dict) and form.get("schema"):
        prompt.more(compact(form["schema"]))
    if isinstance(body.get("instructions"), str):
        prompt.add("system", body["instructions"])
        prompt.end_message()
    for item in [*before, *items_of(body)]:
        _item(prompt, item)
    return prompt


def items_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The input as items; a text is one message of the user."""
    given = body.get("input")
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    items = objects(given, "input")
    if not items and not body.get("previous_response_id"):
        raise VendorError.invalid(
            "Missing required parameter: 'input'.", param="input", code="missing_required_parameter"
        )
    return items


def _item(prompt: Prompt, item: dict[str, Any]) -> None:
    """An item that is no message counts as its JSON, without the ids that only name it."""
    if item.get("type", "message") != "message":
        prompt.add("item", compact({name: value for name, value in item.items() if name not in ("id", "status")}))
    else:
        content = item.get("content")
        prompt.add(str(item.get("role") or "user"), content if isinstance(content, str) else "")
        if not isinstance(content, str):
            openai_parts(prompt, objects(content, "input.content"))
    prompt.end_message()
