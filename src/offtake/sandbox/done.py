"""A request that was served: what each wire writes its answer from."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from offtake.sandbox.answer import Answer
from offtake.sandbox.ask import Ask, Caller
from offtake.sandbox.models import Model
from offtake.sandbox.usage import Usage

encode = msgspec.json.encode


@dataclass(slots=True)
class Done:
    """`usage_said`: what the wire tells of the usage; None where it tells nothing (a fault)."""

    ask: Ask
    answers: list[Answer]
    usage: Usage
    usage_said: Usage | None
    request_id: str
    id: str
    created: int
    tier: str
    region: str


class Chunk(NamedTuple):
    """A piece of a stream. `tokens` have been put out when it is sent; `last`: the vendor writes its meter first."""

    data: bytes
    tokens: int
    last: bool = False


@dataclass(frozen=True, slots=True)
class Wire:
    """One endpoint of one vendor's wire: its request read, its answer whole and as a stream."""

    prefix: str
    read: Callable[[Model, dict[str, Any], Caller], Ask]
    whole: Callable[[Done], dict[str, Any]]
    stream: Callable[[Done, int], Iterator[Chunk]]
    keep: Callable[[Any, Done], None] | None = None  # remembers the answer in the sandbox


def new_id(prefix: str) -> str:
    """An id that no other answer has."""
    return f"{prefix}{secrets.token_hex(12)}"


@dataclass(slots=True)
class Pieces:
    """Cuts texts into the chunks of a stream, so many tokens each, and counts what has been put out."""

    size: int
    tokens: int = 0

    def of(self, text: str) -> Iterator[str]:
        """The pieces of a text."""
        width = self.size * 4
        for start in range(0, len(text), width):
            piece = text[start : start + width]
            self.tokens += -(-len(piece.encode()) // 4)
            yield piece
