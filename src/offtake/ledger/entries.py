"""What the books need of an event of the journal, whoever read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

BEGIN = "intent"
ENDS = ("settle", "release", "resolve")


class Entry(Protocol):
    """One event. `holds`: an intent's, budget → picodollars; `budgets` and `cost_pico`: what a settlement charges."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def holds(self) -> Mapping[str, int]: ...
    @property
    def budgets(self) -> Sequence[str]: ...
    @property
    def cost_pico(self) -> int: ...
    @property
    def contract(self) -> str: ...
    @property
    def vendor(self) -> str: ...
