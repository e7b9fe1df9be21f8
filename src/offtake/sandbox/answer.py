"""The answer of a simulated model: what it says is decided by the request alone, so the same request gives the same.

Its length is the wished one, or 16 to 143 tokens by a checksum of the request; the request's own limit cuts it. Each
token is four bytes, so that what the wire says can be counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from offtake.sandbox.ask import Ask
from offtake.sandbox.prompt import compact
from offtake.sandbox.tokens import TOKEN_BYTES, text_of, tokens_of

SHORTEST, SPAN = 16, 128
ITEMS_MAX = SEARCHES_MAX = 100
_PLAIN: dict[str, object] = {"string": "the word", "integer": 1, "number": 1, "boolean": True}


@dataclass(slots=True)
class Answer:
    """One choice. `finish`: stop | length | stop_sequence | tool | refusal | cut (the vendor broke it off)."""

    text: str = ""
    thought: str = ""
    tool: str = ""
    arguments: str = ""
    finish: str = "stop"
    stop: str = ""
    reasoning: int = 0
    tokens: int = 0
    searches: int = 0


def answer_to(ask: Ask, choice: int = 0) -> Answer:
    """The answer, before any fault."""
    answer = Answer()
    seed = ask.seed + choice * 7919
    wished = min(max(1, ask.wish("output", SHORTEST + seed % SPAN)), ask.output_max + 1)
    if ask.may_search:
        answer.searches = min(ask.wish("searches", 0), SEARCHES_MAX)
    if ask.reasons:
        answer.reasoning = min(ask.wish("reasoning", seed % 64), ask.output_max + 1)
        answer.thought = text_of(answer.reasoning, seed + 1)
    tool = ask.wishes.get("tool", ask.tool)
    if tool == "" and ask.tools:
        tool = next(iter(ask.tools))
    if tool and tool in ask.tools:
        answer.tool, answer.finish = tool, "tool"
        answer.arguments = compact(sample(ask.tools[tool]))
        visible = tokens_of(tool) + tokens_of(answer.arguments)
    else:
        answer.text = compact(sample(ask.schema)) if ask.schema else text_of(wished, seed)
        _stop(answer, ask.stops)
        visible = tokens_of(answer.text)
    _limit(answer, visible, ask.output_max)
    return answer


def _stop(answer: Answer, stops: tuple[str, ...]) -> None:
    """Nothing from the first stop sequence on."""
    found = [(answer.text.index(stop), stop) for stop in stops if stop and stop in answer.text]
    if found:
        at, answer.stop = min(found)
        answer.text = answer.text[:at]
        answer.finish = "stop_sequence"


def _limit(answer: Answer, visible: int, most: int) -> None:
    """Reasoning comes first and counts: a small limit may leave nothing to say."""
    if answer.reasoning + visible > most:
        answer.finish = "length"
        answer.reasoning = min(answer.reasoning, most)
        answer.thought = answer.thought[: answer.reasoning * TOKEN_BYTES]
        left = most - answer.reasoning
        if answer.tool:
            left = max(0, left - tokens_of(answer.tool))
            answer.arguments = answer.arguments.encode()[: left * TOKEN_BYTES].decode(errors="ignore")
        answer.text = answer.text.encode()[: left * TOKEN_BYTES].decode(errors="ignore")
        answer.tokens = most
    else:
        answer.tokens = answer.reasoning + visible


def sample(schema: object, depth: int = 0) -> object:
    """A value that fits a JSON Schema, the plainest one: what tests of tools and structured output need."""
    if not isinstance(schema, dict) or depth > 20:
        return None
    if "const" in schema:
        return schema["const"]
    for name in ("enum", "anyOf", "oneOf", "allOf"):
        if isinstance(choices := schema.get(name), list) and choices:
            return choices[0] if name == "enum" else sample(choices[0], depth + 1)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    inside = schema.get("properties")
    if kind == "object" or (kind is None and isinstance(inside, dict)):
        inside = inside if isinstance(inside, dict) else {}
        wanted = schema.get("required", list(inside))
        names = [name for name in wanted if isinstance(name, str)] if isinstance(wanted, list) else []
        return {name: sample(inside.get(name), depth + 1) for name in names}
    if kind == "array":
        fewest = schema.get("minItems", 1)
        count = fewest if isinstance(fewest, int) and 0 <= fewest <= ITEMS_MAX else 1
        return [sample(schema.get("items"), depth + 1) for _ in range(count)]
    return _PLAIN.get(kind) if isinstance(kind, str) else None
