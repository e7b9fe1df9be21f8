"""Observed traffic: one pass over usage, in any order, gives for each workload and model what a plan needs to know.

Only sums and counts are kept, so memory grows with the variety of the usage and not with its length. Sizes are exact
below 131,072 tokens; beyond, they keep their seventeen leading bits (within 0.002%).

    workload  model            requests   input   output   in:out
    chat      claude-opus-4.7        12   7,200    1,200        6
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol, runtime_checkable

from offtake.contract.patterns import most_specific
from offtake.planner.workload import Workload
from offtake.rating.groups import input_tokens_of
from offtake.rating.source import Source
from offtake.usage.meters import BY_NAME
from offtake.usage.record import UsageRecord
from offtake.values.errors import InputError
from offtake.values.money import divide, quantize
from offtake.values.periods import Interval

LATENCY_TAG = "latency"
CAN_WAIT = frozenset({"async", "batch", "offline", "background"})
"""Values of the tag `latency` that say a request may wait a day."""

SIZE_BITS = 17
EPOCH, HOUR, INSTANT = datetime(1970, 1, 1, tzinfo=UTC), timedelta(hours=1), timedelta(microseconds=1)
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Batchable:
    """A declared rule: this share of the requests of the workloads that a pattern names may wait a day."""

    workloads: str
    share: Decimal


@dataclass(frozen=True, slots=True, order=True)
class Form:
    """What keeps traffic apart: everything that decides a price but the time and the outcome."""

    workload: str
    vendor: str
    model: str
    channel: str
    access: str
    region: str


@dataclass(slots=True)
class Band:
    """The part of the traffic whose requests have a context between two price thresholds."""

    requests: int = 0
    quantities: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Traffic:
    """Sums over the rows of one form. `inputs` and `outputs` count requests by size, of rows that are one request.

    `outcomes` counts requests; None is an outcome that the source does not say. `hours` sums tokens by hour since
    1970, and says nothing about hours where rows are `daily`. `waiting` requests are tagged as able to wait;
    `sized_tokens` is the input of the requests in `inputs`. `bands` splits requests and quantities by how many of
    `thresholds` the context exceeds, for exact prices; the mean context stands for a row of several requests.
    """

    form: Form
    first: datetime
    last: datetime
    thresholds: tuple[int, ...] = ()
    requests: int = 0
    quantities: dict[str, int] = field(default_factory=dict)
    outcomes: Counter[str | None] = field(default_factory=Counter)
    inputs: Counter[int] = field(default_factory=Counter)
    outputs: Counter[int] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    sized_tokens: int = 0
    waiting: int = 0
    daily: bool = False
    bands: dict[int, Band] = field(default_factory=dict)

    def add(self, record: UsageRecord) -> None:
        """Count one row."""
        self.first, self.last = min(self.first, record.used_at), max(self.last, record.used_at)
        self.requests += record.count
        self.outcomes[record.outcome] += record.count
        tokens = 0
        band = self._band(record)
        band.requests += record.count
        for meter, quantity in record.quantities.items():
            self.quantities[meter] = self.quantities.get(meter, 0) + quantity
            band.quantities[meter] = band.quantities.get(meter, 0) + quantity
            tokens += quantity if BY_NAME[meter].is_token and not BY_NAME[meter].inside else 0
        hour = (record.used_at - EPOCH) // HOUR
        self.daily |= record.grain == "day"
        self.hours[hour] += tokens
        if record.tags.get(LATENCY_TAG, "").lower() in CAN_WAIT:
            self.waiting += record.count
        if record.grain == "request" and record.count == 1:
            size = input_tokens_of(record)
            self.sized_tokens += size
            self.inputs[size_of(size)] += 1
            self.outputs[size_of(output_tokens_in(record.quantities))] += 1

    def _band(self, record: UsageRecord) -> Band:
        context = record.context_tokens
        if context is None:
            context = input_tokens_of(record) // max(1, record.count) if self.thresholds else 0
        number = bisect_left(self.thresholds, context)
        if number not in self.bands:
            self.bands[number] = Band()
        return self.bands[number]

    @property
    def input_tokens(self) -> int:
        """All input: uncached, cache reads and cache writes, of every modality."""
        return sum(
            quantity
            for meter, quantity in self.quantities.items()
            if BY_NAME[meter].direction == "input" and BY_NAME[meter].is_token
        )

    @property
    def output_tokens(self) -> int:
        """All output."""
        return output_tokens_in(self.quantities)

    @property
    def context_tokens(self) -> int | None:
        """The context in which the middle input token lies; the mean where sizes are not known; None without requests.

        Which side of a price threshold a workload lies on is a question of its tokens, and not of its requests.
        """
        if not self.inputs:
            return self.input_tokens // self.requests if self.requests else None
        weighed = Counter({size: size * count for size, count in self.inputs.items()})
        return quantile(weighed, Decimal("0.5")) or 0

    def batchable(self, rules: Sequence[Batchable] = ()) -> Decimal:
        """The share of requests that may wait a day: a declared rule, else what already goes in batch or is tagged.

        The most specific pattern wins; two that are equally specific are an InputError.
        """
        winners = most_specific([rule.workloads for rule in rules], self.form.workload)
        shares = {rules[winner].share for winner in winners}
        if len(shares) > 1:
            patterns = " and ".join(rules[winner].workloads for winner in winners)
            raise InputError(
                "P600", f"two rules say what of {self.form.workload!r} may wait: {patterns}",
                hint="leave one --batchable for it, or name the workload in full",
            )  # fmt: skip
        if self.form.channel == "batch":
            return ONE
        if shares:
            return shares.pop()
        return quantize(divide(Decimal(self.waiting), self.requests), 6) if self.requests else Decimal(0)

    def workload(self, rules: Sequence[Batchable] = ()) -> Workload:
        """The traffic as the rest of the planner moves it around."""
        form = self.form
        return Workload(
            name=form.workload, vendor=form.vendor, model=form.model, quantities=dict(self.quantities),
            requests=self.requests, first=self.first, last=self.last, channel=form.channel, access=form.access,
            region=form.region, batchable=self.batchable(rules), context_tokens=self.context_tokens,
        )  # fmt: skip

    def records(self, at: datetime) -> tuple[UsageRecord, ...]:
        """The traffic as rows of usage at one instant, one a band, which price it exactly."""
        workload = self.workload()
        return tuple(
            workload.record(
                at, quantities=dict(band.quantities), count=band.requests,
                context_tokens=self.thresholds[number - 1] + 1 if number else 0,
            )
            for number, band in sorted(self.bands.items())
        )  # fmt: skip


@runtime_checkable
class Observing(Protocol):
    """A source whose engine observes for itself: the same traffic, at the speed of the engine."""

    def traffic(self, thresholds: Sequence[int]) -> tuple[Traffic, ...]:
        """As `observe`; `thresholds` ascending, each once."""
        ...


def observe(usage: Iterable[UsageRecord] | Source, thresholds: Iterable[int] = ()) -> tuple[Traffic, ...]:
    """The traffic of records, or of a source of deduplicated usage, sorted by form.

    `thresholds` are the contexts above which some model costs more; they keep requests apart within a form.
    """
    ascending = tuple(sorted(set(thresholds)))
    if isinstance(usage, Observing):
        return usage.traffic(ascending)
    found: dict[Form, Traffic] = {}
    for record in records_of(usage):
        form = Form(record.workload, record.vendor, record.model, record.channel, record.access, record.region)
        traffic = found.get(form)
        if traffic is None:
            traffic = found[form] = Traffic(form, record.used_at, record.used_at, ascending)
        traffic.add(record)
    return tuple(found[form] for form in sorted(found))


def profile(usage: Iterable[UsageRecord] | Source, rules: Sequence[Batchable] = ()) -> tuple[Workload, ...]:
    """The workloads of usage: one for each workload, vendor, model, channel, access form and region, sorted by them.

    Tokens of failed requests are included. InputError P600 where two rules on what may wait clash.
    """
    return tuple(traffic.workload(rules) for traffic in observe(usage))


def records_of(usage: Iterable[UsageRecord] | Source) -> Iterable[UsageRecord]:
    """The records themselves; those of a source in order of time."""
    if isinstance(usage, Iterable):
        return usage
    survey = usage.survey(False)
    if survey.first is None or survey.last is None:
        return ()
    return usage.ordered(Interval(survey.first, survey.last + INSTANT))


def size_of(tokens: int) -> int:
    """A size as it is counted: its seventeen leading bits."""
    spare = max(0, tokens.bit_length() - SIZE_BITS)
    return tokens >> spare << spare


def quantile(counts: Counter[int], share: Decimal) -> int | None:
    """The smallest size that at least this share of the counts does not exceed; None without any."""
    needed = share * counts.total()
    passed = 0
    for size in sorted(counts):
        passed += counts[size]
        if counts[size] and passed >= needed:
            return size
    return None


def output_tokens_in(quantities: Mapping[str, int]) -> int:
    """All output tokens; those that lie inside another meter count once."""
    return sum(
        quantity
        for meter, quantity in quantities.items()
        if BY_NAME[meter].direction == "output" and BY_NAME[meter].is_token and not BY_NAME[meter].inside
    )
