"""Patterns of names: `claude-*`, `dev-*`. One definition of what matches and which of several wins.

`*` stands for any run of characters, and nothing else is special. Names compare without case, and with dots, dashes
and underscores equal, because people write `claude-opus-4.7` and vendors write `claude-opus-4-7`. Of several
patterns that match, the one with the longest text before its first `*` wins; at the same length a pattern without
`*` wins. What is still equal is a clash, which `check` reports: order in the file never decides.

    patterns            claude-opus-4-7
    claude-*            matches, 7 characters
    claude-opus-*       matches, 12 characters: wins
    *-4-7               matches, 0 characters
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

_EQUAL = str.maketrans("._", "--")


def canonical(name: str) -> str:
    """The form in which names are compared: `Claude-Opus-4.7` gives `claude-opus-4-7`."""
    return name.lower().translate(_EQUAL)


@lru_cache(maxsize=65536)
def match(pattern: str, name: str) -> bool:
    """Whether the pattern names it: `match("claude-*", "claude-opus-4.7")` is true."""
    return _compiled(pattern).fullmatch(canonical(name)) is not None


def match_any(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns names it."""
    return any(match(pattern, name) for pattern in patterns)


def specificity(pattern: str) -> tuple[int, bool]:
    """What decides between patterns that match: (length of the text before `*`, no `*` at all). Higher wins."""
    prefix, star, _ = canonical(pattern).partition("*")
    return len(prefix), not star


def most_specific(patterns: Sequence[str], name: str) -> tuple[int, ...]:
    """Indices of the winning patterns: none when nothing matches, one when all is well, several at a clash."""
    found = [(specificity(pattern), index) for index, pattern in enumerate(patterns) if match(pattern, name)]
    top = max(found)[0] if found else None
    return tuple(index for rank, index in found if rank == top)


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = [re.escape(part) for part in canonical(pattern).split("*")]
    return re.compile(".*".join(parts), re.DOTALL)
