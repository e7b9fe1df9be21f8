"""Where usage comes from, as rating sees it: an engine that surveys, groups and reads in order.

`Records` is the engine for usage in memory; `store/` has the one for Parquet. Both give the same groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from offtake.rating.groups import Grouped, GroupPlan, group
from offtake.usage.record import UsageRecord
from offtake.values.periods import Interval


@dataclass(frozen=True, slots=True, order=True)
class LaneKey:
    """One combination that occurs in the usage; `grain` is that of its rows."""

    vendor: str
    model: str
    channel: str
    access: str
    region: str
    grain: str
    workload: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """What occurs: the lanes, and the first and last instant (None for no usage)."""

    lanes: tuple[LaneKey, ...]
    first: datetime | None
    last: datetime | None


class Source(Protocol):
    """An engine over deduplicated usage. It groups and sums integers, and knows no money."""

    def survey(self, workloads: bool) -> Survey:
        """What occurs; with `workloads`, lanes are told apart by workload too."""
        ...

    def group(self, plan: GroupPlan) -> Grouped:
        """The groups of a plan, with control totals over every row."""
        ...

    def ordered(self, interval: Interval) -> Iterator[UsageRecord]:
        """The records of an interval in (used_at, id) order."""
        ...


class Records:
    """Usage in memory."""

    def __init__(self, records: Iterable[UsageRecord]) -> None:
        self._records: Sequence[UsageRecord] = sorted(records, key=lambda record: (record.used_at, record.id))

    def survey(self, workloads: bool) -> Survey:
        lanes = {
            LaneKey(r.vendor, r.model, r.channel, r.access, r.region, r.grain, r.workload if workloads else "")
            for r in self._records
        }
        times = [record.used_at for record in self._records]
        return Survey(tuple(sorted(lanes)), min(times, default=None), max(times, default=None))

    def group(self, plan: GroupPlan) -> Grouped:
        return group(self._records, plan)

    def ordered(self, interval: Interval) -> Iterator[UsageRecord]:
        return (record for record in self._records if record.used_at in interval)
