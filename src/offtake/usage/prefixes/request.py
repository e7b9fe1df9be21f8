"""One request of a trace with its prompt as block ids, and the readers' way to write many ids in little room.

Two prompts that begin with the same ids begin with the same text: that is all a cache asks. Ids are numbers that mean
nothing by themselves; consecutive ones are written as a run, because a new prompt brings thousands of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from offtake.usage.rows import Rejected
from offtake.values.errors import Place

Run = tuple[int, int]
"""(first id, how many consecutive ids)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixRequest:
    """A request. `at` is in microseconds: since 1970, or since the start of the trace or of the session.

    Its prompt is the first `taken_over` blocks of the same agent's previous request, then `runs` of blocks of
    `block_tokens` each. The last block may be a part of one; what lies beyond the blocks is never shared. `session`
    and `agent` say who continues whom; a cache is looked up within one session where the trace has sessions, because
    their ids mean nothing to each other.
    """

    at: int
    input_tokens: int
    output_tokens: int
    block_tokens: int
    runs: tuple[Run, ...]
    taken_over: int = 0
    model: str = ""
    workload: str = ""
    session: str = ""
    agent: str = ""
    where: Place | None = None


PrefixReading = Iterator[PrefixRequest | Rejected]


def joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    """The same ids in as few runs as there can be."""
    found: list[Run] = []
    for first, length in runs:
        if found and found[-1][0] + found[-1][1] == first:
            found[-1] = (found[-1][0], found[-1][1] + length)
        else:
            found.append((first, length))
    return tuple(found)
