"""A workload: traffic that moves as one, in integers. What the rest of the planner moves around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from offtake.usage.record import UsageRecord, validated


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One purpose's traffic with one model, over what was observed.

    `quantities` are tokens by meter and `requests` the count, both summed over `first` … `last`. `batchable` is the
    share of requests (0 to 1) that may wait a day; `context_tokens` the typical context of a request, where known.
    """

    name: str
    vendor: str
    model: str
    quantities: Mapping[str, int]
    requests: int
    first: datetime
    last: datetime
    channel: str = "realtime"
    access: str = "api"
    region: str = "global"
    batchable: Decimal = Decimal(0)
    context_tokens: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def record(self, used_at: datetime, **changes: object) -> UsageRecord:
        """The workload as one row of usage, for rating; `changes` are fields of the record (model, channel, …)."""
        row = UsageRecord(
            id=f"{self.name}/{self.model}/{used_at:%Y-%m-%dT%H:%M:%S}", used_at=used_at, vendor=self.vendor,
            model=self.model, quantities=dict(self.quantities), count=self.requests, channel=self.channel,
            access=self.access, region=self.region, workload=self.name, context_tokens=self.context_tokens,
            tags=self.tags,
        )  # fmt: skip
        return validated(replace(row, **changes))  # type: ignore[arg-type]
