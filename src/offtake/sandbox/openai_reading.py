"""What OpenAI's two text APIs share when a request is read: tiers, limits, tools, and how its prompt is cached."""

from __future__ import annotations

from typing import Any

from offtake.sandbox.models import Model
from offtake.sandbox.prompt import Block, Prompt, objects
from offtake.sandbox.refusals import VendorError

_TIERS = {"": "default", "auto": "default", "default": "default", "flex": "flex", "priority": "priority",
          "fast": "priority", "scale": "scale"}  # fmt: skip
_CHANNELS = {"flex": "flex", "priority": "priority"}
MARKS_MAX = 4
BREAKPOINTS_MAX = 80


def tier_of(asked: str) -> str:
    """The tier that is served, before any fault: `fast` is served as priority."""
    if asked not in _TIERS:
        raise VendorError.invalid(f"Invalid value: '{asked}'. Supported values are: 'auto', 'default', 'flex', "
                                  "'priority' and 'fast'.", param="service_tier")  # fmt: skip
    return _TIERS[asked]


def channel_of(tier: str) -> str:
    """The channel that a tier is billed in."""
    return _CHANNELS.get(tier, "realtime")


def count_of(body: dict[str, Any], name: str, otherwise: int) -> int:
    """A whole number from 1 on, or what counts when there is none."""
    value = body.get(name)
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise VendorError.invalid(f"Invalid '{name}': expected an integer from 1 on, got {value!r}.", param=name)
    return value


def refuse_embeddings(model: Model) -> None:
    """A model that only embeds does not chat."""
    if model.embeds:
        raise VendorError(404, "This is not a chat model and thus not supported in this endpoint.", param="model")


def functions_of(tools: object) -> dict[str, Any]:
    """The JSON Schema of each function that may be called, by name; both APIs' shapes."""
    found: dict[str, Any] = {}
    for tool in objects(tools, "tools"):
        if tool.get("type") == "function":
            function = tool["function"] if isinstance(tool.get("function"), dict) else tool
            found[str(function.get("name"))] = function.get("parameters") or {}
    return found


def tool_choice(choice: object, tools: dict[str, Any]) -> str | None:
    """The tool that must be called: "" for any, None where the model may just speak."""
    if choice == "required":
        return "" if tools else None
    if isinstance(choice, dict):
        function = choice.get("function")
        name = function.get("name") if isinstance(function, dict) else choice.get("name")
        if name is not None and (not isinstance(name, str) or name not in tools):
            raise VendorError.invalid(f"Tool choice '{name}' not found in 'tools' parameter.", param="tool_choice")
        return str(name) if name else None
    return None


def keep_marks(model: Model, body: dict[str, Any], prompt: Prompt) -> None:
    """From gpt-5.6 on: what is marked and, unless `mode` is explicit, the end of the newest message. Four at most."""
    blocks = prompt.blocks
    if not model.marks:
        return
    options = body.get("prompt_cache_options")
    options = options if isinstance(options, dict) else {}
    keep = str(options.get("ttl") or "30m")
    if keep not in ("30m", "12h"):
        raise VendorError.invalid(f"Invalid value: '{keep}'. Supported values are: '30m' and '12h'.",
                                  param="prompt_cache_options.ttl")  # fmt: skip
    marks = [index for index, block in enumerate(blocks) if block.keep]
    if options.get("mode") != "explicit":
        newest = max((index for index, block in enumerate(blocks) if block.ends_message), default=len(blocks) - 1)
        marks = [*(mark for mark in marks if mark != newest), newest][-MARKS_MAX:]
    marks = marks[-MARKS_MAX:]
    for index, block in enumerate(blocks):
        wanted = keep if index in marks else ""
        if block.keep != wanted:
            blocks[index] = Block(block.content, block.tokens, wanted, block.ends_message)


def cache_options(model: Model, body: dict[str, Any]) -> dict[str, Any]:
    """The fields of an Ask that say how its prompt is cached."""
    if not model.caches:
        return {}
    long = body.get("prompt_cache_retention") == "24h"
    return {
        "cache_scope": f"{model.vendor}\0{model.id}\0{body.get('prompt_cache_key') or ''}",
        "keep_blocks_seconds": 0 if model.marks else (86_400 if long else 300),
        "reach": BREAKPOINTS_MAX,
    }
