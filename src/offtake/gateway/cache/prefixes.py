"""A prompt as a chain of keyed hashes: one block a tool, a block of the system prompt, a message.

A block's id stands for everything up to its end, so two prompts that share an id begin with the same bytes. The ids are
BLAKE2 under a key that only this store has: nobody can test guesses of a prompt against them. Cache marks are no part
of a prompt; clients move them from turn to turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from offtake.gateway.ask import Ask, Fields
from offtake.gateway.dialects.document import encoded

ID_BYTES = 8
KEY_BYTES = 32
BLOCKS_MAX = 512
"""What follows so many blocks is one more, without an id: nothing shares it."""
MEMBERS = {
    "anthropic_messages": (("tools", "tools"), ("system", "system"), ("messages", "last")),
    "openai_chat": (("tools", "tools"), ("messages", "last")),
    "openai_responses": (("tools", "tools"), ("instructions", "system"), ("input", "last")),
}
"""By dialect, in the order in which the vendor reads them: the member, and the place of a mark at its end."""
WHOLE = "cache_control"
"""The name of the edit that marks the end of a conversation."""
_INSTRUCTING = frozenset({"system", "developer"})
_MARK = b'"cache_control"'
_LIST: Any = msgspec.json.Decoder(list[Raw]).decode
_ANY: Any = msgspec.json.Decoder().decode


class _Message(msgspec.Struct):
    role: str = ""


_MESSAGE = msgspec.json.Decoder(_Message).decode


class Block(NamedTuple):
    """A part of a prompt: the id of the prompt up to its end (empty: nothing shares it), and its own length."""

    id: str
    bytes: int


class Prefixes(NamedTuple):
    """The blocks of a prompt. `places`: where a mark may stand, as the number of blocks before it."""

    blocks: tuple[Block, ...]
    places: Mapping[str, int]

    def id_at(self, place: str) -> str:
        """The id of the prompt up to a place."""
        return self.blocks[self.places[place] - 1].id

    def bytes_before(self, place: str) -> int:
        """How long the prompt is up to a place."""
        return sum(block.bytes for block in self.blocks[: self.places[place]])


def key_of(secret: bytes) -> bytes:
    """The key of the ids, out of the store's secret."""
    return blake2b(b"ids of prompt prefixes", key=secret[:64], digest_size=KEY_BYTES).digest()


def prefixes_of(ask: Ask, key: bytes) -> Prefixes:
    """The chain of a request; without blocks in a dialect that has no prompt, or where a member is not as it should."""
    chain = blake2b(ask.dialect.encode(), key=key, digest_size=ID_BYTES)
    blocks: list[Block] = []
    places: dict[str, int] = {}
    rest = 0
    for place, part in _parts(ask.dialect, ask.fields):
        if len(blocks) < BLOCKS_MAX:
            chain.update(len(part).to_bytes(8, "big"))
            chain.update(part)
            blocks.append(Block(chain.copy().hexdigest(), len(part)))
            places[place] = len(blocks)
        else:
            rest += len(part)
            places.pop("last", None)
    if rest:
        blocks.append(Block("", rest))
    return Prefixes(tuple(blocks), places)


def _parts(dialect: str, fields: Fields) -> Iterator[tuple[str, bytes]]:
    """(place, bytes) of each block."""
    for member, place in MEMBERS.get(dialect, ()):
        raw = fields.get(member)
        if raw is None or memoryview(raw)[0] == ord("n"):  # null
            continue
        begins = dialect == "openai_chat" and member == "messages"
        for part in _items(raw):
            begins = begins and _instructs(part)
            yield "system" if begins else place, part


def _items(raw: Raw) -> Iterator[bytes]:
    try:
        items = _LIST(raw)
    except msgspec.DecodeError:  # a text is one block
        yield bytes(raw)
        return
    for item in items:
        part = bytes(item)
        yield encoded(_unmarked(_ANY(part))) if _MARK in part else part


def _unmarked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unmarked(each) for name, each in value.items() if name != "cache_control"}
    return [_unmarked(each) for each in value] if isinstance(value, list) else value


def _instructs(part: bytes) -> bool:
    try:
        return _MESSAGE(part).role in _INSTRUCTING
    except msgspec.DecodeError:
        return False
