"""The figures of a workload's profile: ratio, sizes, reach, growth, peaks, failures. Each is None where not known.

in:out        all input tokens for each output token
reach         the share of requests with so many input tokens or more, and of the input that lies in them
growth        the last whole days against as many before them, in whole weeks, so that weekdays weigh alike
peak to mean  the busiest hour against the mean hour, from the first hour with usage to the last
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from offtake.planner.profile.traffic import Batchable, Traffic, quantile
from offtake.planner.workload import Workload
from offtake.values.money import divide, quantize

REACHES = (1_024, 4_096)
"""Input tokens from which prompts can be cached: the smallest and the largest usual minimum."""
WEEK_DAYS, DAY_HOURS = 7, 24
PEAK_HOURS_MIN = 3
RATIO_PLACES, SHARE_PLACES = 3, 4


@dataclass(frozen=True, slots=True)
class Sizes:
    """Tokens a request. The mean is of all rows; the percentiles are None where rows are not single requests."""

    mean: Decimal
    p50: int | None
    p90: int | None
    p99: int | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Requests of `tokens` input tokens or more: their share of the requests, and of the input."""

    tokens: int
    requests: Decimal
    input_tokens: Decimal


@dataclass(frozen=True, slots=True)
class Growth:
    """The last `days` against the `days` before: 0.25 is a quarter more."""

    ratio: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A workload with its figures. `outcomes` has the share of requests by outcome, `unknown` where it is not said."""

    workload: Workload
    in_out_ratio: Decimal | None
    input: Sizes | None
    output: Sizes | None
    reaches: tuple[Reach, ...]
    growth: Growth | None
    peak_to_mean: Decimal | None
    cache_read: Decimal | None
    cache_write: Decimal | None
    outcomes: Mapping[str, Decimal]

    @property
    def truncated(self) -> Decimal | None:
        """The share of requests that the vendor cut short, of those whose outcome is known."""
        return self._of_known("vendor_truncation")

    @property
    def failed(self) -> Decimal | None:
        """The share of requests that ended in anything but an answer, of those whose outcome is known."""
        return self._of_known(*(set(self.outcomes) - {"ok", "vendor_truncation", "unknown"}))

    def _of_known(self, *outcomes: str) -> Decimal | None:
        known = Decimal(1) - self.outcomes.get("unknown", Decimal(0))
        found = sum((self.outcomes.get(outcome, Decimal(0)) for outcome in outcomes), Decimal(0))
        return quantize(divide(found, known), SHARE_PLACES) if known and self.outcomes else None


def figures(traffic: Traffic, rules: Sequence[Batchable] = ()) -> Profile:
    """The profile of observed traffic."""
    total_input, total_output = traffic.input_tokens, traffic.output_tokens
    cached = {
        way: sum(quantity for meter, quantity in traffic.quantities.items() if meter.startswith(f"cache_{way}"))
        for way in ("read", "write")
    }
    return Profile(
        workload=traffic.workload(rules),
        in_out_ratio=_ratio(total_input, total_output, RATIO_PLACES),
        input=_sizes(total_input, traffic.requests, traffic.inputs),
        output=_sizes(total_output, traffic.requests, traffic.outputs),
        reaches=_reaches(traffic),
        growth=_growth(traffic),
        peak_to_mean=_peak_to_mean(traffic),
        cache_read=_ratio(cached["read"], total_input, SHARE_PLACES),
        cache_write=_ratio(cached["write"], total_input, SHARE_PLACES),
        outcomes={
            outcome or "unknown": quantize(divide(Decimal(count), traffic.requests), 6)
            for outcome, count in sorted(traffic.outcomes.items(), key=lambda item: item[0] or "")
            if count
        },
    )


def _ratio(part: int, whole: int, places: int) -> Decimal | None:
    return quantize(divide(Decimal(part), whole), places) if whole else None


def _sizes(tokens: int, requests: int, counts: Counter[int]) -> Sizes | None:
    mean = _ratio(tokens, requests, 1)
    if mean is None:
        return None
    p50, p90, p99 = (quantile(counts, Decimal(share)) for share in ("0.5", "0.9", "0.99"))
    return Sizes(mean, p50, p90, p99)


def _reaches(traffic: Traffic) -> tuple[Reach, ...]:
    requests = traffic.inputs.total()
    if not traffic.sized_tokens:
        return ()
    found = []
    for edge in REACHES:
        below = {size: count for size, count in traffic.inputs.items() if size < edge}
        rest = traffic.sized_tokens - sum(size * count for size, count in below.items())
        share = divide(Decimal(requests - sum(below.values())), requests)
        of_input = divide(Decimal(rest), traffic.sized_tokens)
        found.append(Reach(edge, quantize(share, SHARE_PLACES), quantize(of_input, SHARE_PLACES)))
    return tuple(found)


def _growth(traffic: Traffic) -> Growth | None:
    """Days that may be cut off are left out: the first and the last, but where rows are whole days."""
    days: Counter[int] = Counter()
    for hour, tokens in traffic.hours.items():
        days[hour // DAY_HOURS] += tokens
    edge = 0 if traffic.daily else 1
    first, last = min(days) + edge, max(days) - edge
    half = (last - first + 1) // (2 * WEEK_DAYS) * WEEK_DAYS
    if not half:
        return None
    later = sum(days[day] for day in range(last - half + 1, last + 1))
    before = sum(days[day] for day in range(last - 2 * half + 1, last - half + 1))
    change = _ratio(later - before, before, SHARE_PLACES)
    return None if change is None else Growth(change, half)


def _peak_to_mean(traffic: Traffic) -> Decimal | None:
    hours = max(traffic.hours) - min(traffic.hours) + 1
    if traffic.daily or hours < PEAK_HOURS_MIN:
        return None
    return _ratio(max(traffic.hours.values()) * hours, traffic.hours.total(), 2)
