"""What the books need of an event of the journal, whoever read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, SupportsBytes

BEGIN = "intent"
ENDS = ("settle", "release", "resolve")


class Entry(Protocol):
    """One event. `holds`: an intent's, JSON of budget → picodollars, read only where a request stays open.

    `budgets` and `cost_pico` are what a settlement charges.
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
    def budgets(self) -> Sequence[str]: ...
    @property
    def cost_pico(self) -> int: ...
    @property
    def contract(self) -> str: ...
    @property
    def vendor(self) -> str: ...
