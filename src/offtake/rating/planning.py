"""The group plan: which instants of the usage share every price and window.

Segments lie between the instants at which a window opens or closes. Inside a segment, slices lie between the changes of
any lane's price; slices of equal prices form one class, so that a month of nights is one group and not thirty.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from offtake.rating.compiled import CompiledTerms, Lane
from offtake.rating.groups import PRICE_DIMENSIONS, GroupPlan, Slice
from offtake.rating.source import LaneKey, Survey
from offtake.usage.record import UsageRecord
from offtake.values.errors import CatalogError, UnpricedError
from offtake.values.periods import Interval, windows

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GRAINS = {"request": timedelta(0), "minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class By:
    """What lines are told apart by besides the clause: `workload`, `day` (the contract's own, or those of `day_zone`),
    and tags by name.
    """

    workload: bool = False
    day: bool = False
    day_zone: ZoneInfo | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A group plan, and for each class of instants its segment and an interval that stands for it."""

    groups: GroupPlan
    stands_for: dict[int, Interval]
    segments: tuple[Interval, ...]
    segment_of: dict[int, int]


def probe(key: LaneKey, at: datetime) -> UsageRecord:
    """An empty record of a lane at an instant: what to ask a lane for."""
    return UsageRecord(
        id="", used_at=at, model=key.model, quantities={}, vendor=key.vendor, channel=key.channel, access=key.access,
        region=key.region, workload=key.workload, grain=key.grain,
    )  # fmt: skip


def lanes_of(terms: CompiledTerms, survey: Survey, span: Interval) -> dict[tuple[LaneKey, int], Lane]:
    """Every lane that prices, by key and phase; one that nothing prices is left to the pricing to report."""
    found = {}
    for index, phase in enumerate(terms.phases):
        if phase.overlap(span):
            for key in survey.lanes:
                try:
                    found[key, index] = terms.lane(probe(key, phase.start))
                except (UnpricedError, CatalogError):
                    continue
    return found


def plan(terms: CompiledTerms, survey: Survey, edges: Sequence[datetime], span: Interval, by: By) -> Plan:
    """The plan for a span of the term. `edges` are the instants that no group may lie across."""
    lanes = lanes_of(terms, survey, span)
    segments = _segments(edges, span, by, terms)
    coarse = _coarsest(survey)
    if not _changes_inside(lanes.values()) and not _off_grid(terms, coarse):
        coarse = timedelta(0)
    slices, stands_for, segment_of = _slices(terms, segments, list(lanes.items()), coarse)
    bands: dict[str, set[int]] = {}
    for (key, _), lane in lanes.items():
        bands.setdefault(key.model, set()).update(lane.thresholds)
    by_workload = by.workload or any(version.terms.prices.non_production for version in terms.contract.versions)
    groups = GroupPlan(
        span,
        slices,
        {model: tuple(sorted(found)) for model, found in bands.items() if found},
        (*PRICE_DIMENSIONS, *(["workload"] if by_workload else []), *(["account"] if terms.by_affiliate else [])),
        by.tags,
    )
    return Plan(groups, stands_for, segments, segment_of)


def _segments(edges: Sequence[datetime], span: Interval, by: By, terms: CompiledTerms) -> tuple[Interval, ...]:
    turns = (*edges, *(phase.start for phase in terms.phases))
    instants = {span.start, span.end, *(turn for turn in turns if turn in span)}
    if by.day:
        zone = by.day_zone or terms.contract.zone
        instants |= {day.start for day in windows("day", span.start.astimezone(zone).date(), span, zone)}
    ordered = sorted(instants)
    return tuple(Interval(a, b) for a, b in itertools.pairwise(ordered))


def _slices(
    terms: CompiledTerms, segments: Sequence[Interval], lanes: list[tuple[tuple[LaneKey, int], Lane]], coarse: timedelta
) -> tuple[tuple[Slice, ...], dict[int, Interval], dict[int, int]]:
    slices: list[Slice] = []
    keys: dict[object, int] = {}
    stands_for: dict[int, Interval] = {}
    segment_of: dict[int, int] = {}
    for number, segment in enumerate(segments):
        index = terms.phase(segment.start)
        mine = [lane for (_, phase), lane in lanes if phase == index]
        for part in _parts(segment, mine, coarse):
            state = part.start if coarse else tuple(lane.state(part.start) for lane in mine)
            key = keys.setdefault((number, state), len(keys))
            stands_for.setdefault(key, part)
            segment_of[key] = number
            slices.append(Slice(part.start, part.end, key))
    return tuple(slices), stands_for, segment_of


def _parts(segment: Interval, lanes: Iterable[Lane], coarse: timedelta) -> Iterable[Interval]:
    edges = {segment.start, segment.end, *(at for lane in lanes for at in lane.starts if at in segment)}
    if coarse:
        at = segment.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        at = at.replace(hour=0) if coarse == GRAINS["day"] else at
        while at < segment.end:
            edges |= {at} if at > segment.start else set()
            at += coarse
    ordered = sorted(edges)
    return (Interval(a, b) for a, b in itertools.pairwise(ordered))


def _coarsest(survey: Survey) -> timedelta:
    return max((GRAINS[key.grain] for key in survey.lanes), default=timedelta(0))


def _off_grid(terms: CompiledTerms, coarse: timedelta) -> bool:
    """Whether a bucket may run on past the end of its phase, where another price may hold."""
    return bool(coarse) and any((phase.start - EPOCH) % coarse for phase in terms.phases)


def _changes_inside(lanes: Iterable[Lane]) -> bool:
    return any(len(lane.starts) > 1 for lane in lanes)


def with_band(record: UsageRecord, thresholds: tuple[int, ...], band: int) -> UsageRecord:
    """The record with a context that stands for its band."""
    return replace(record, context_tokens=thresholds[band - 1] + 1 if band > 0 else 0)
