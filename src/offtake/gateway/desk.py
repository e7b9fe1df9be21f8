"""What every request of one worker shares: the terms in force, the keys, the purses, the journal, and the clock."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from offtake.gateway.admit.learned import Learned
from offtake.gateway.budgets import Budgets
from offtake.gateway.callers import Callers
from offtake.gateway.in_force import InForce
from offtake.gateway.journal.durable import Durable
from offtake.gateway.journal.writer import JournalWriter
from offtake.gateway.metrics import Counts
from offtake.gateway.vendors.endpoint import Endpoint
from offtake.operations.serve_config import GatewaySettings

if TYPE_CHECKING:
    from offtake.gateway.cache.caching import Caching
    from offtake.gateway.telemetry import Telemetry
    from offtake.gateway.transcripts.keeping import Transcripts


@dataclass(slots=True)
class Ids:
    """Ids of requests: the worker's name and a number that grows, after the time at which it began."""

    prefix: str
    number: int = 0

    def next(self) -> str:
        """One more."""
        self.number += 1
        return f"req_{self.prefix}_{self.number:08x}"


@dataclass(slots=True)
class Desk:
    """One worker's. `in_force` and `callers` are replaced whole at a reload; a request keeps those it began with."""

    settings: GatewaySettings
    in_force: InForce
    endpoints: Mapping[str, Endpoint]
    callers: Callers
    budgets: Budgets
    journal: JournalWriter
    durable: Durable | None
    ids: Ids
    journals: Path
    learned: Learned = field(default_factory=Learned)
    counts: Counts = field(default_factory=Counts)
    caching: Caching | None = None
    telemetry: Telemetry | None = None
    transcripts: Transcripts | None = None

    @property
    def body_bytes_max(self) -> int:
        """The largest body, of a request and of an answer."""
        return self.settings.body_mb_max * 1_000_000


def microseconds() -> int:
    """The present instant, in microseconds since 1970."""
    return time.time_ns() // 1_000


def instant(at: int) -> datetime:
    """An instant in microseconds as UTC."""
    return datetime.fromtimestamp(at / 1e6, UTC)  # a float is off by less than half a microsecond, and is rounded
