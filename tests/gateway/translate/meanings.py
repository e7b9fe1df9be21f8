"""Requests and answers drawn at random, and what of them two dialects can both say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from offtake.gateway.translate.meaning import (
    EFFORTS,
    Answer,
    Document,
    Ended,
    Ending,
    Event,
    Image,
    Part,
    PartEnded,
    PartGrew,
    PartSealed,
    PartStarted,
    Refusal,
    Request,
    Schema,
    Started,
    Stop,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
    Usage,
)

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
names = st.text("abcXYZ019_-", min_size=1, max_size=8)
caches = st.sampled_from(("", "", "", "short", "long"))
schemas = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(names, st.just({"type": "string"}), max_size=2)}
)
arguments = st.dictionaries(
    names, st.one_of(words, st.integers(), st.booleans(), st.lists(words, max_size=2)), max_size=3
)
texts = st.builds(Text, words, caches)
images = st.one_of(
    st.builds(Image, st.just("image/png"), st.just("QUJD"), cache=caches),
    st.builds(Image, url=st.just("https://example.com/a.png"), cache=caches),
)
documents = st.one_of(
    st.builds(Document, st.just("application/pdf"), st.just("JVBERg=="), title=words, cache=caches),
    st.builds(Document, st.just("text/plain"), words, title=words, cache=caches),
)
user_parts: st.SearchStrategy[list[Part]] = st.lists(st.one_of(texts, images, documents), min_size=1, max_size=3)
efforts = st.sampled_from(("", *EFFORTS))


@st.composite
def conversations(draw: st.DrawFn) -> list[Turn]:
    """Turns that begin and end with the user; a call of a tool is followed by its result."""
    turns = [Turn("user", draw(user_parts))]
    for number in range(draw(st.integers(0, 3))):
        said: list[Part] = [Text(draw(words))] if draw(st.booleans()) else []
        ids = [f"call_{number}_{index}" for index in range(draw(st.integers(0 if said else 1, 2)))]
        said += [ToolCall(id_, draw(names), json.dumps(draw(arguments))) for id_ in ids]
        turns.append(Turn("assistant", said))
        answer: list[Part] = [ToolResult(id_, [Text(draw(words))]) for id_ in ids]
        turns.append(Turn("user", answer + (draw(user_parts) if not ids or draw(st.booleans()) else [])))
    return turns


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A request that every dialect can say."""
    tools = draw(st.lists(st.builds(Tool, names, words, schemas), max_size=2, unique_by=lambda tool: tool.name))
    choices = [st.none(), st.builds(ToolChoice, st.sampled_from(("auto", "any", "none")))]
    choices += [st.builds(ToolChoice, st.just("tool"), st.sampled_from([tool.name for tool in tools]))] if tools else []
    return Request(
        model=draw(names),
        called={},
        stream=draw(st.booleans()),
        system=draw(st.lists(texts, max_size=2)),
        turns=draw(conversations()),
        tools=tools,
        tool_choice=draw(st.one_of(*choices)) if tools else None,
        parallel_tool_calls=draw(st.sampled_from((None, True, False))) if tools else None,
        output_tokens_max=draw(st.integers(1, 10**6)),
        temperature=draw(st.one_of(st.none(), st.floats(0, 1))),
        top_p=draw(st.one_of(st.none(), st.floats(0, 1))),
        effort=draw(efforts),
        schema=draw(st.one_of(st.none(), st.builds(Schema, schemas))),
        user=draw(st.one_of(st.just(""), names)),
        tier=draw(st.sampled_from(("", "default"))),
    )


def said(request: Request) -> dict[str, Any]:
    """What a request says, without what dialects cannot tell apart: how a text is cut, how JSON is spaced."""
    choice = request.tool_choice
    parallel = request.parallel_tool_calls is not False or (choice is not None and choice.mode == "none")
    if choice is not None and choice.mode == "auto":
        choice = None
    return {
        "model": request.model,
        "stream": request.stream,
        "system": [_part(text) for text in request.system],
        "turns": [(turn.role, _parts(turn.parts)) for turn in request.turns],
        "tools": [replace(tool, strict=tool.strict or None) for tool in request.tools],
        "choice": choice,
        "parallel": parallel,
        "limit": request.output_tokens_max,
        "schema": request.schema and request.schema.schema,
        "user": request.user,
        "tier": request.tier,
    }


def _parts(parts: list[Part]) -> list[Any]:
    said: list[Any] = []
    for part in parts:
        if isinstance(part, Thinking):
            continue
        one = _part(part)
        if said and isinstance(one, str) and isinstance(said[-1], str):
            said[-1] += one
        else:
            said.append(one)
    return said


def _part(part: Part) -> Any:
    match part:
        case Text() | Refusal():
            return part.text
        case ToolCall():
            return (part.id, part.name, json.loads(part.arguments))
        case ToolResult():
            return (part.id, _parts(part.parts))
        case _:
            return replace(part, cache="") if isinstance(part, Image | Document) else part


counts = st.integers(0, 10**9)
usages = st.builds(Usage, counts, counts, counts, counts, counts, st.just(0))


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """An answer of any dialect: thought, then text, then calls."""
    parts: list[Part] = [Thinking(draw(words))] if draw(st.booleans()) else []
    parts += [Text(draw(words))] if draw(st.booleans()) else []
    calls = draw(st.lists(st.builds(ToolCall, names, names, st.builds(json.dumps, arguments)), max_size=3))
    parts += [replace(call, id=f"call_{number}") for number, call in enumerate(calls)]
    usage = draw(usages)
    usage.reasoning = draw(st.integers(0, usage.output))
    stop: Stop = draw(st.sampled_from(("tool_calls",) if calls else ("end", "length")))
    return Answer("id_1", draw(names), parts, Ending(stop, usage=usage, tier=draw(st.sampled_from(("", "priority")))))


def events_of(answer: Answer) -> list[Event]:
    """An answer as a stream of events, each text in two pieces."""
    events: list[Event] = [Started(answer.id, answer.model)]
    for index, part in enumerate(answer.parts):
        match part:
            case ToolCall():
                begun: Part = replace(part, arguments="")
                text = part.arguments
            case Text() | Thinking():
                begun, text = replace(part, text=""), part.text
            case _:
                raise AssertionError(part)
        events.append(PartStarted(index, begun))
        half = len(text) // 2
        events += [PartGrew(index, piece) for piece in (text[:half], text[half:]) if piece]
        events.append(PartEnded(index))
    return [*events, Ended(answer.ending)]


def answer_of(events: list[Event]) -> Answer:
    """The answer that a stream of events comes to."""
    answer = Answer("", "", [], Ending("end"))
    for event in events:
        match event:
            case Started():
                answer.id, answer.model = event.id, event.model
            case PartStarted(index=index):
                assert index == len(answer.parts)
                answer.parts.append(replace(event.part))
            case PartGrew():
                part = answer.parts[event.index]
                if isinstance(part, ToolCall):
                    part.arguments += event.text
                elif isinstance(part, Text | Thinking | Refusal):
                    part.text += event.text
            case PartSealed():
                thought = answer.parts[event.index]
                assert isinstance(thought, Thinking)
                thought.seal, thought.maker = event.seal, event.maker
            case Ended():
                answer.ending = event.ending
    return answer


def told(answer: Answer) -> dict[str, Any]:
    """What an answer tells, whatever the dialect."""
    thoughts = "".join(part.text for part in answer.parts if isinstance(part, Thinking))
    return {
        "id": answer.id,
        "model": answer.model,
        "thoughts": thoughts,
        "parts": _parts(answer.parts),
        "stop": answer.ending.stop,
        "usage": answer.ending.usage,
    }
