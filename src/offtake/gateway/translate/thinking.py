"""How hard a model thinks: OpenAI's effort by a word, Anthropic's by a word, by itself or by a budget of tokens."""

from __future__ import annotations

from typing import Any

from offtake.gateway.translate.fields import Dropped
from offtake.gateway.translate.meaning import Effort, Request, Thinking, ToolCall, ToolResult, Turn
from offtake.gateway.translate.wire import Wire, nearest

ANTHROPIC_EFFORTS: tuple[Effort, ...] = ("low", "medium", "high", "xhigh", "max")
# Anthropic's older models think within a budget; theirs is at least 1,024 and below the limit of the whole output.
BUDGET_OF_EFFORT = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 32_768, "max": 65_536}
BUDGET_MIN = 1_024


def effort_of(request: Request, wire: Wire, dropped: Dropped) -> Effort:
    """The word for an OpenAI vendor: the effort asked, or the one that a budget comes to; "" to say nothing."""
    asked: Effort = request.effort
    if request.thinking == "off":
        asked = "none"
    elif not asked and request.thinking == "budget":
        asked = next(
            (word for word in ("low", "medium") if request.thinking_tokens_max <= BUDGET_OF_EFFORT[word]), "high"
        )
    if not asked:
        return ""
    given = nearest(asked, wire.efforts)
    if given != asked:
        dropped.note(request.name("effort"))
    return given


def write_anthropic(request: Request, wire: Wire, dropped: Dropped) -> tuple[dict[str, Any], Effort]:
    """The `thinking` object ({} for none) and the effort ("" for none) for an Anthropic vendor."""
    asked: Effort = "none" if request.thinking == "off" else request.effort
    if not asked and not request.thinking:
        return {}, ""
    effort = nearest(asked, tuple(word for word in ANTHROPIC_EFFORTS if word in wire.efforts)) if asked else ""
    if asked == "none" and wire.thinking != "always":
        return ({} if wire.thinking == "none" else {"type": "disabled"}), ""
    thinking = _thinking(request, wire)
    told = asked == effort or thinking.get("type") == "enabled"  # a budget says an effort too
    if not thinking or not told:
        dropped.note(request.name("effort"))
    return thinking, effort


def _thinking(request: Request, wire: Wire) -> dict[str, Any]:
    if wire.thinking == "none" or _cannot_think(request, wire):
        return {}
    if wire.thinking in ("adaptive", "always"):
        shown = {True: "summarized", False: "omitted", None: None}[request.thinking_shown]
        return {"type": "adaptive"} | ({"display": shown} if shown else {})
    budget = request.thinking_tokens_max or BUDGET_OF_EFFORT[request.effort or "high"]
    limit = request.output_tokens_max or wire.output_tokens_max
    if limit <= BUDGET_MIN:
        return {}
    return {"type": "enabled", "budget_tokens": max(BUDGET_MIN, min(budget, limit // 2))}


def _cannot_think(request: Request, wire: Wire) -> bool:
    """Anthropic refuses thinking where a tool is forced, and budgets where a tool's turn came without its thoughts."""
    if request.tool_choice is not None and request.tool_choice.mode in ("any", "tool"):
        return True
    return wire.thinking == "budget" and _thoughtless_tool_turn(request.turns)


def _thoughtless_tool_turn(turns: list[Turn]) -> bool:
    if not turns or not any(isinstance(part, ToolResult) for part in turns[-1].parts):
        return False
    said = next((turn.parts for turn in reversed(turns) if turn.role == "assistant"), [])
    called = any(isinstance(part, ToolCall) for part in said)
    thought = any(isinstance(part, Thinking) and part.maker.startswith("anthropic") for part in said[:1])
    return called and not thought
