"""Tools that take free text, which only OpenAI has: elsewhere they take an object with one text in it."""

from __future__ import annotations

from offtake.gateway.translate.fields import BadRequest, encoded, object_of
from offtake.gateway.translate.meaning import ToolCall

SCHEMA = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}


def json_arguments(call: ToolCall) -> str:
    """The JSON text of a call's arguments; a free text becomes the one argument of `SCHEMA`."""
    if call.free_form:
        return encoded({"input": call.arguments}).decode()
    return call.arguments or "{}"


def free_text(call: ToolCall) -> str:
    """The text that a model gave a tool by `SCHEMA`. Raises BadRequest where it gave none."""
    given = object_of(call.arguments, f"the arguments of tool call {call.id}").get("input")
    if not isinstance(given, str):
        raise BadRequest(f"the arguments of tool call {call.id} must hold a text named input")
    return given
