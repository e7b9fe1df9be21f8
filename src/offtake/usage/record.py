"""The one fact: a usage record. Content-free, immutable, integers only.

A record is one request, or one bucket of a vendor's export (`grain` says which). Its meters are disjoint totals of
the row: a token stands in exactly one of them, but for `reasoning_tokens`, which lie inside `output_tokens`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from offtake.usage.meters import BY_NAME
from offtake.values.errors import InputError, Place

GRAINS = ("request", "minute", "hour", "day")
CHANNELS = ("realtime", "batch", "flex", "priority")
OUTCOMES = (
    "ok",
    "http_5xx",
    "vendor_truncation",
    "refusal",
    "timeout",
    "client_error",
    "client_cancel",
    "not_dispatched",
)
COUNT_MAX = 10**15  # more tokens than any row can hold; beyond it a count is a mistake, not usage


@dataclass(slots=True, kw_only=True)
class UsageRecord:
    """One row of usage. Nobody assigns to one; it is not frozen, because freezing makes a row take six times as long.

    `used_at` is an aware UTC instant (the start of the bucket for a coarser grain). `quantities` maps meter names to
    counts above zero. `outcome` is None where the source does not say, which only buckets may do.
    `context_tokens` is all input of one request, for thresholds; None for buckets. `where` is the row that it was read
    from, for messages; it is not stored.
    """

    id: str
    used_at: datetime
    model: str
    quantities: Mapping[str, int]
    vendor: str = ""
    grain: str = "request"
    count: int = 1
    account: str = ""
    channel: str = "realtime"
    access: str = "api"
    region: str = "global"
    workload: str = ""
    customer: str = ""
    key_id: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    context_tokens: int | None = None
    outcome: str | None = "ok"
    usage_known: bool = True
    latency_ms: int | None = None
    first_token_ms: int | None = None
    tier_requested: str = ""
    tier_served: str = ""
    vendor_request_id: str = ""
    where: Place | None = field(default=None, compare=False, repr=False)


def validated(record: UsageRecord, where: Place | None = None) -> UsageRecord:
    """The record itself, or an `InputError` that says which field is wrong and why."""
    if record.used_at.tzinfo is None or record.used_at.utcoffset() != UTC.utcoffset(None):
        raise InputError("U101", f"used_at {record.used_at} is not UTC", where=where, hint="write 2026-03-01T12:00:00Z")
    _unicode(record, where)
    _one_of("grain", record.grain, GRAINS, where)
    _one_of("channel", record.channel, CHANNELS, where)
    if record.outcome is not None:
        _one_of("outcome", record.outcome, OUTCOMES, where)
    if not record.model:
        raise InputError("U103", "the row names no model", where=where, hint="map the model column, or pass --model")
    for name in ("count", "context_tokens", "latency_ms", "first_token_ms"):
        _count(name, getattr(record, name), where)
    for meter, quantity in record.quantities.items():
        if meter not in BY_NAME:
            known = ", ".join(BY_NAME)
            raise InputError("U104", f"unknown meter {meter!r}", where=where, hint=f"meters are: {known}")
        _count(meter, quantity, where)
        inside = BY_NAME[meter].inside
        if inside and quantity > record.quantities.get(inside, 0):
            raise InputError(
                "U106", f"{meter} {quantity:,} is more than {inside} {record.quantities.get(inside, 0):,}", where=where
            )
    return record


def _unicode(record: UsageRecord, where: Place | None) -> None:
    """Half of a surrogate pair, which JSON can escape, is no text that a file could hold."""
    texts = (
        record.id, record.vendor, record.account, record.model, record.region, record.access, record.workload,
        record.customer, record.key_id, record.tier_requested, record.tier_served, record.vendor_request_id,
        *record.tags, *record.tags.values(),
    )  # fmt: skip
    joined = "".join(texts)
    if not joined.isascii() and any("\ud800" <= letter <= "\udfff" for letter in joined):
        raise InputError("U124", "a text holds half of a character (a lone surrogate)", where=where)


def _one_of(name: str, value: str, allowed: tuple[str, ...], where: Place | None) -> None:
    if value not in allowed:
        raise InputError("U102", f"unknown {name} {value!r}", where=where, hint=f"one of: {', '.join(allowed)}")


def _count(name: str, value: Any, where: Place | None) -> None:
    if value is None and name != "count":
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError("U105", f"{name} is not a whole number: {value!r}", where=where)
    if value < 0:
        raise InputError("U105", f"{name} is negative: {value:,}", where=where)
    if value > COUNT_MAX:
        raise InputError(
            "U105",
            f"{name} {value:,} is beyond {COUNT_MAX:,}",
            where=where,
            why="no row can hold so many; a unit is wrong",
        )
