"""Grouping: usage summed over everything that cannot change its price.

An engine (plain Python here, DuckDB in `store/lake.py`) only groups and sums integers. A group is priced as one
record is, by the same code, because all of its rows share the price: the model and the other dimensions, the class of
instants (see `Slice`), the context band and the outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from offtake.usage.meters import METERS
from offtake.usage.record import UsageRecord
from offtake.values.periods import Interval

BAND_UNKNOWN = -1
"""The context band of a bucket whose requests may lie on both sides of a threshold."""

_INPUT = frozenset(meter.name for meter in METERS if meter.direction == "input" and meter.is_token)
PRICE_DIMENSIONS = ("vendor", "model", "channel", "access", "region", "outcome", "grain", "tier_served")


@dataclass(frozen=True, slots=True)
class Slice:
    """[start, end) in UTC belongs to class `key`. All instants of a class share billing period and prices."""

    start: datetime
    end: datetime
    key: int


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """What keeps rows apart.

    `slices` cover `span` without gap or overlap, in time order; rows outside of `span` are counted, not grouped.
    `bands` gives the context thresholds of a model, as named in the usage, ascending; a request is in band
    k = number of thresholds that its context exceeds (strictly). `dimensions` are record columns; `tags` are tag names
    that keep rows apart too.
    """

    span: Interval
    slices: tuple[Slice, ...]
    bands: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    dimensions: tuple[str, ...] = PRICE_DIMENSIONS
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupKey:
    """`values` are in the order of the plan's dimensions, then tags; None stands for null."""

    slice_key: int
    band: int
    values: tuple[str | None, ...]


@dataclass(slots=True)
class Group:
    """Sums over rows of one key: `rows` records, `count` requests, `quantities` by meter (zeros left out)."""

    key: GroupKey
    rows: int = 0
    count: int = 0
    quantities: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Grouped:
    """Groups, with the control totals of the rows that were read."""

    groups: list[Group]
    records: int = 0
    outside_term: int = 0
    quantities: dict[str, int] = field(default_factory=dict)


def input_tokens_of(record: UsageRecord) -> int:
    """All input of the row: uncached, cache reads and cache writes, of every modality."""
    return sum([quantity for meter, quantity in record.quantities.items() if meter in _INPUT])


def band_of(record: UsageRecord, thresholds: tuple[int, ...]) -> int:
    """The context band of a record, or BAND_UNKNOWN where only the requests inside the bucket could tell."""
    if not thresholds:
        return 0
    context = record.context_tokens
    if context is None:
        context = input_tokens_of(record)
        if record.grain != "request" and context > thresholds[0]:
            return BAND_UNKNOWN
    return sum([context > threshold for threshold in thresholds])


def group(records: Iterable[UsageRecord], plan: GroupPlan) -> Grouped:
    """Group in plain Python: the reference that every engine must equal. Duplicates are the caller's business."""
    found: dict[GroupKey, Group] = {}
    result = Grouped([])
    for record in records:
        result.records += 1
        for meter, quantity in record.quantities.items():
            result.quantities[meter] = result.quantities.get(meter, 0) + quantity
        if record.used_at not in plan.span:
            result.outside_term += 1
            continue
        key = GroupKey(
            _slice_at(plan.slices, record.used_at),
            band_of(record, plan.bands.get(record.model, ())),
            tuple(getattr(record, name) for name in plan.dimensions) + tuple(record.tags.get(tag) for tag in plan.tags),
        )
        into = found.setdefault(key, Group(key))
        into.rows += 1
        into.count += record.count
        for meter, quantity in record.quantities.items():
            if quantity:
                into.quantities[meter] = into.quantities.get(meter, 0) + quantity
    result.groups = [found[key] for key in sorted(found, key=order_of)]
    return result


def order_of(key: GroupKey) -> tuple[int, int, tuple[tuple[bool, str], ...]]:
    """The order of groups: class, band, values; null before any text, so that no two groups are equal in it."""
    return key.slice_key, key.band, tuple((value is not None, value or "") for value in key.values)


def _slice_at(slices: tuple[Slice, ...], at: datetime) -> int:
    low, high = 0, len(slices)
    while low < high:
        middle = (low + high) // 2
        if slices[middle].end <= at:
            low = middle + 1
        else:
            high = middle
    return slices[low].key
