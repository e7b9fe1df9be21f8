"""The parts that a plan moves: of each workload what may not wait a day, and what may, as one month of today.

A part keeps apart what is priced apart wherever it goes: how its requests ended (a contract may free those that failed)
and how long their context was (some models cost more above a threshold).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from offtake.planner.profile.traffic import Band, Form
from offtake.planner.workload import Workload
from offtake.rating.groups import input_tokens_of
from offtake.usage.record import UsageRecord
from offtake.values.money import ROUNDING

OK = "ok"


class Slice(NamedTuple):
    """Requests of a part that are priced alike: how they ended, and a context that stands for theirs."""

    outcome: str
    context_tokens: int
    requests: int
    quantities: Mapping[str, int]


class Part(NamedTuple):
    """The share of a workload that may wait, or the one that may not: what one month of today holds."""

    workload: Workload
    batchable: bool
    slices: tuple[Slice, ...]

    @property
    def name(self) -> str:
        """As plans call it."""
        about = " (can wait)" if self.batchable else ""
        return f"{self.workload.name or 'all usage'} · {self.workload.model}{about}"


@dataclass(slots=True)
class Slicer:
    """Sums usage by what is priced apart, as it passes. `thresholds` are contexts above which some model costs more."""

    thresholds: tuple[int, ...] = ()
    found: dict[Form, dict[tuple[str, int], Band]] = field(default_factory=dict)

    def passing(self, records: Iterable[UsageRecord]) -> Iterator[UsageRecord]:
        """The records, each counted."""
        for record in records:
            form = Form(record.workload, record.vendor, record.model, record.channel, record.access, record.region)
            key = (record.outcome or OK, self._context(record))
            band = self.found.setdefault(form, {}).setdefault(key, Band())
            band.requests += record.count
            for meter, quantity in record.quantities.items():
                band.quantities[meter] = band.quantities.get(meter, 0) + quantity
            yield record

    def _context(self, record: UsageRecord) -> int:
        """The least context on the record's side of every threshold; the mean stands for a row of several requests."""
        context = record.context_tokens
        if context is None:
            context = input_tokens_of(record) // max(1, record.count) if self.thresholds else 0
        return max((each + 1 for each in self.thresholds if context > each), default=0)


def parts_of(workloads: Sequence[tuple[Workload, Form]], slicer: Slicer, per_month: Decimal) -> tuple[Part, ...]:
    """Each workload's month, as what may not wait and what may; `per_month` turns what was observed into a month."""
    found = []
    for workload, form in workloads:
        for batchable, share in ((False, 1 - workload.batchable), (True, workload.batchable)):
            factor = share * per_month
            slices = tuple(
                Slice(outcome, context, whole(band.requests * factor), scaled(band.quantities, factor))
                for (outcome, context), band in sorted(slicer.found[form].items())
            )
            quantities = scaled(workload.quantities, factor)
            if any(quantities.values()):
                month = replace(workload, quantities=quantities, requests=whole(workload.requests * factor))
                found.append(Part(month, batchable, slices))
    return tuple(found)


def scaled(quantities: Mapping[str, int], factor: Decimal) -> dict[str, int]:
    """Quantities times a factor, in whole pieces."""
    return {meter: whole(quantity * factor) for meter, quantity in quantities.items()}


def whole(amount: Decimal) -> int:
    """The nearest whole number."""
    return int(ROUNDING.to_integral_value(amount))
