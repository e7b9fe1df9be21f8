"""What the books need of an event of the journal, whoever read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, SupportsBytes

BEGIN = "intent"
ENDS = ("settle", "release", "resolve")


class Entry(Protocol):
    """One event. `holds`: an intent's, JSON of budget → picodollars, read only where a request stays open.

    `budgets` and `cost_pico` are what a settlement charges, the rest is what it was for.
    """

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def holds(self) -> SupportsBytes: ...
    @property
    def budgets(self) -> tuple[str, ...]: ...
    @property
    def cost_pico(self) -> int: ...
    @property
    def contract(self) -> str: ...
    @property
    def vendor(self) -> str: ...
    @property
    def used_at(self) -> int: ...
    @property
    def model(self) -> str: ...
    @property
    def access(self) -> str: ...
    @property
    def list_pico(self) -> int | None: ...
    @property
    def quantities(self) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Written:
    """Events in order, and the text that they stand in: a line of ledger/lines.py for each, without the last line feed.

    It gives pairs of an event and its line.
    """

    entries: Sequence[Entry]
    text: bytes

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[tuple[Entry, bytes]]:
        return zip(self.entries, self.text.split(b"\n"), strict=False)  # no events: one empty line
