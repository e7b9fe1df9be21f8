"""A request as the sandbox works on it: read once from either wire, then served, metered and answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from offtake.sandbox.models import Model
from offtake.sandbox.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes in: the host's region, the API's version, and the items of responses that were kept."""

    region: str = "global"
    version: str = ""
    remembered: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(slots=True)
class Ask:
    """What is asked. `output_max` holds for each of `choices` answers; `reasons`: the model may reason first."""

    endpoint: str
    model: Model
    prompt: Prompt
    body: dict[str, Any]
    output_max: int
    stream: bool = False
    choices: int = 1
    tier_asked: str = ""
    tier: str = ""
    channel: str = "realtime"
    region: str = "global"
    speed: str = ""
    cache_scope: str = ""
    keep_blocks_seconds: int = 0  # above zero where the vendor caches by itself
    reach: int = 20
    reasons: bool = False
    tools: dict[str, Any] = field(default_factory=dict)
    tool: str | None = None  # the tool to call; "" any; None none
    schema: dict[str, Any] | None = None
    stops: tuple[str, ...] = ()
    may_search: bool = False
    wishes: dict[str, str] = field(default_factory=dict)
    seed: int = 0

    def wish(self, name: str, otherwise: int) -> int:
        """A number that the request asked of the sandbox."""
        return int(self.wishes.get(name, otherwise))
