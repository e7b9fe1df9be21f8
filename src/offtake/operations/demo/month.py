"""A made month of a retailer's traffic, in the shape that measured traffic has. One seed, the same bytes for ever.

Seven workloads, hour by hour, as a gateway exports them: who called, how often, how many tokens of each kind, how it
ended. The shapes are measured: chat reads 5.5 tokens for each that it writes, a coding agent 278, nine in ten of those
from the cache; retrieval reads 12,000 tokens a question, a quarter from the cache; office hours are busier than nights,
and a weekend is a fraction of a weekday. Whole numbers only, drawn by hashing, so that no machine differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b

from offtake.usage.record import UsageRecord

SEED = 20260101
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)
OUTAGE = (datetime(2026, 1, 14, 9, tzinfo=UTC), datetime(2026, 1, 14, 17, tzinfo=UTC))
OUTAGE_MODEL, OUTAGE_PER_10_000 = "claude-opus-4-5", 5_600
"""Whose requests failed while the vendor was down, and how many of ten thousand."""
HOUR = timedelta(hours=1)

OFFICE = (2, 2, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 9, 11, 12, 12, 11, 9, 7, 5, 4, 4, 3, 2)
SHOPPERS = (4, 3, 2, 2, 2, 3, 5, 7, 8, 9, 10, 11, 12, 11, 10, 10, 11, 12, 13, 14, 13, 11, 8, 6)
NIGHT = (18, 22, 24, 20, 12, 4, *(0,) * 16, 3, 9)


@dataclass(frozen=True, slots=True)
class Workload:
    """`requests` on a weekday, spread over the hours by `hours`; tokens are the mean of one request by meter.

    `failures` says how many of ten thousand requests end so. `context_tokens` is given where every request lies above a
    context threshold.
    """

    name: str
    team: str
    model: str
    requests: int
    tokens: Mapping[str, int]
    hours: tuple[int, ...] = OFFICE
    weekend_percent: int = 33
    channel: str = "realtime"
    context_tokens: int | None = None
    failures: Mapping[str, int] = field(default_factory=dict)


WORKLOADS = (
    Workload(
        "coding-agent", "platform", "claude-opus-4-5", 15_500,
        {"input_tokens": 310, "cache_read_tokens": 92_000, "cache_write_5m_tokens": 9_600, "output_tokens": 366},
        weekend_percent=20, failures={"http_5xx": 24, "timeout": 9, "client_cancel": 60},
    ),
    Workload(
        "coding-helpers", "platform", "claude-haiku-4-5", 21_000,
        {"input_tokens": 2_400, "cache_read_tokens": 18_500, "cache_write_5m_tokens": 5_100, "output_tokens": 240},
        weekend_percent=20, failures={"http_5xx": 20},
    ),
    Workload(
        "support-chat", "support", "claude-sonnet-4-5", 52_000, {"input_tokens": 1_155, "output_tokens": 211},
        hours=SHOPPERS, weekend_percent=115, failures={"http_5xx": 16, "refusal": 31, "client_cancel": 85},
    ),
    Workload(
        "product-search", "search", "claude-sonnet-4-5", 16_500,
        {"input_tokens": 9_130, "cache_read_tokens": 2_905, "output_tokens": 343},
        hours=SHOPPERS, weekend_percent=125, failures={"http_5xx": 18, "vendor_truncation": 7},
    ),
    Workload(
        "contract-review", "legal", "claude-sonnet-4-5", 260, {"input_tokens": 248_000, "output_tokens": 2_900},
        weekend_percent=5, context_tokens=312_000, failures={"http_5xx": 30, "timeout": 45},
    ),
    Workload(
        "catalog-texts", "catalog", "claude-haiku-4-5", 118_000, {"input_tokens": 2_850, "output_tokens": 610},
        hours=NIGHT, weekend_percent=100, channel="batch", failures={"refusal": 12},
    ),
    Workload(
        "demand-notes", "supply", "claude-opus-4-5", 4_700, {"input_tokens": 22_500, "output_tokens": 2_150},
        hours=NIGHT, weekend_percent=100, channel="batch",
    ),
)  # fmt: skip


def sample_month(seed: int = SEED, first: date = FIRST, last: date = LAST) -> Iterator[UsageRecord]:
    """The rows of the month, in time order: one an hour, workload and outcome."""
    hour = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    while hour < end:
        for workload in WORKLOADS:
            yield from _rows(workload, hour, seed)
        hour += HOUR


def _rows(workload: Workload, hour: datetime, seed: int) -> Iterator[UsageRecord]:
    """The requests of an hour by outcome. What failed at the vendor had read its input, and written a third."""
    weekday = workload.weekend_percent if hour.weekday() >= 5 else 100
    scale = 100 * sum(workload.hours) * 1000
    mean = workload.requests * workload.hours[hour.hour] * weekday
    requests = mean * _swing(seed, workload.name, f"{hour:%Y-%m-%d}") * _swing(seed, workload.name, hour.isoformat())
    requests //= scale * 1000
    failures = dict(workload.failures)
    if OUTAGE[0] <= hour < OUTAGE[1] and workload.model == OUTAGE_MODEL and "http_5xx" in failures:
        failures["http_5xx"] = OUTAGE_PER_10_000
    left = requests
    for outcome, per_10_000 in failures.items():
        count = _share(requests, per_10_000, seed, workload.name, hour.isoformat(), outcome)
        left -= count
        if count > 0:
            yield _record(workload, hour, outcome, count, seed)
    if left > 0:
        yield _record(workload, hour, "ok", left, seed)


def _record(workload: Workload, hour: datetime, outcome: str, count: int, seed: int) -> UsageRecord:
    swing = _swing(seed, workload.name, hour.isoformat(), outcome, "tokens")
    quantities = {meter: count * mean * swing // 1000 for meter, mean in workload.tokens.items()}
    if outcome != "ok":
        quantities["output_tokens"] //= 3
    return UsageRecord(
        id=f"{hour:%Y%m%dT%H}-{workload.name}-{outcome}", used_at=hour, grain="hour", count=count, vendor="anthropic",
        model=workload.model, channel=workload.channel, workload=workload.name, tags={"team": workload.team},
        quantities={meter: quantity for meter, quantity in quantities.items() if quantity},
        context_tokens=workload.context_tokens or 0, outcome=outcome,
    )  # fmt: skip


def _swing(*key: object) -> int:
    """A factor around one, in thousandths: 800 to 1,200, more often near 1,000."""
    drawn = _drawn(*key)
    return 800 + drawn % 201 + drawn // 1_000_003 % 201


def _share(requests: int, per_10_000: int, *key: object) -> int:
    """So many of ten thousand, the rest of the division decided by chance."""
    whole, rest = divmod(requests * per_10_000, 10_000)
    return whole + (_drawn(*key) % 10_000 < rest)


def _drawn(*key: object) -> int:
    """A number of 64 bits that belongs to a key."""
    return int.from_bytes(blake2b("/".join(map(str, key)).encode(), digest_size=8).digest())
