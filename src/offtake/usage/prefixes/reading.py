"""The kinds of traces with prefix ids, told apart by their head as usage files are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from offtake.usage.prefixes import agent_sessions, mooncake, own
from offtake.usage.prefixes.request import PrefixReading
from offtake.usage.reading import names_in
from offtake.usage.rows import TextSource


@dataclass(frozen=True, slots=True)
class PrefixKind:
    """A kind of trace. All names of `marks` stand in the head of its files.

    `clock` says what its instants count from: `trace` (its own start), `session` (each session's own), `calendar`.
    """

    name: str
    marks: tuple[str, ...]
    read: Callable[[TextSource], PrefixReading]
    clock: str


KINDS = (
    PrefixKind("mooncake", ("timestamp", "input_length", "hash_ids"), mooncake.read, "trace"),
    PrefixKind("agent-sessions", ("[session, agent, …]",), agent_sessions.read, "session"),
    PrefixKind("prefixes", ("at", "input_tokens", "prefix", "block_tokens"), own.read, "calendar"),
)


def prefix_kind(head: bytes) -> PrefixKind | None:
    """The kind of a trace by its head; None for a file that holds no prefix ids."""
    names = names_in(head.decode("utf-8", "replace"))
    return next((kind for kind in KINDS if names.issuperset(kind.marks)), None)
