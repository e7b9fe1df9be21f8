"""What every dialect does with a client's request: the model, the session, the edits that change its bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Raw

from offtake.gateway.ask import Ask, BadAsk, Edits, Fields
from offtake.gateway.dialects.document import count, decoded, encoded, spliced, text

Headers = Mapping[bytes, bytes]

# Coding agents name their session in a header: Claude Code, and Codex in two spellings.
_SESSION_HEADERS = (b"x-claude-code-session-id", b"session-id", b"session_id")


class Typed(msgspec.Struct):
    """A tool or a part, by its type. The other fields are those that decide how much it may cost."""

    type: str = ""
    name: str | None = None
    model: str | None = None
    max_uses: Annotated[int, msgspec.Meta(ge=0)] | None = None
    cache_control: Raw = Raw(b"")


TOOLS: Any = msgspec.json.Decoder(list[Typed] | None).decode


def required(fields: Fields, name: str) -> Raw:
    """A member that the dialect cannot do without."""
    raw = fields.get(name)
    if raw is None or (len(raw) == 4 and bytes(raw) == b"null"):
        raise BadAsk("G106", f"the field {name!r} is missing")
    return raw


def model_of(fields: Fields) -> str:
    """The model that is asked for."""
    required(fields, "model")
    model = text(fields, "model")
    if not model:
        raise BadAsk("G106", "the field 'model' is empty")
    return model


def session_of(headers: Headers) -> str:
    """The session that a coding agent names in a header, empty where none does."""
    for name in _SESSION_HEADERS:
        if name in headers:
            return headers[name].decode("latin-1")
    return ""


def tools_of(fields: Fields) -> list[Typed]:
    """The tools that the model may call."""
    raw = fields.get("tools")
    return [] if raw is None else decoded(TOOLS, raw, "tools") or []


def only_client_tools(fields: Fields, types: frozenset[str]) -> bool:
    """Whether every tool is one that the client runs itself, by its type."""
    return "tools" not in fields or all(tool.type in types for tool in tools_of(fields))


def is_list(raw: Raw) -> bool:
    """Whether content is a list of parts, and not a text."""
    return len(raw) > 1 and memoryview(raw)[0] == 0x5B


def clamp(ask: Ask, edits: Edits, names: Sequence[str], heeded: Sequence[str]) -> dict[str, bytes]:
    """The changes that keep an answer within `edits.output_tokens_max`, and within the client's own limit.

    `names` are the dialect's names of the limit, `heeded` those that the vendor knows, the one to write first: a limit
    that a vendor overlooks bounds nothing, so that it is said again in the vendor's word.
    """
    written = {name: own for name in names if (own := count(ask.fields, name)) is not None}
    limit, each = edits.output_tokens_max, None
    if limit is not None and (ask.output_tokens_max is None or ask.output_tokens_max > limit):
        each = limit // ask.choices
    changes = {name: encoded(each) for name, own in written.items() if each is not None and own > each}
    if written.keys().isdisjoint(heeded) and (written or each is not None):
        changes[heeded[0]] = encoded(min([*written.values(), *([] if each is None else [each])]))
    return changes


def renamed(ask: Ask, edits: Edits) -> dict[str, bytes]:
    """The change of the model's name, where the vendor calls it otherwise."""
    return {"model": encoded(edits.model)} if edits.model not in ("", ask.model) else {}


def made(ask: Ask, changes: Mapping[str, bytes]) -> bytes:
    """The client's bytes with the changes in them; the very same object where there are none."""
    return spliced(ask.body, ask.fields, changes) if changes else ask.body
