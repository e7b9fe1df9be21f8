"""What people read of a finding: the cause in a sentence, days and models as one writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from offtake.assurance.difference import Claim

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
ONE_DAY = timedelta(days=1)

CAUSES: Mapping[str, str] = {
    "list price": "billed at list price: the discount is missing",
    "price before a change": "billed at the price before it changed",
    "price of another date": "billed at the price of another date",
    "channel": "billed at the price of another channel",
    "production price": "test workloads billed as production",
    "reserved capacity": "reserved capacity billed again",
    "unknown price": "billed at a price that no term gives",
    "missing credit": "a credit that is due is missing",
    "fee amount": "a fee of another amount",
    "cache kind": "cached tokens billed as another kind",
    "context tier": "billed in the wrong context tier",
    "volume tier": "billed in the wrong volume tier",
    "failed request": "requests that failed at the vendor are billed",
    "duplicate": "the same rows are billed twice",
    "quantity": "more is billed than was used",
    "rounding": "rounded against the contract",
    "timing": "billed on another day than it was used",
    "unknown charge": "a charge that no term knows",
    "missing charge": "a charge that is due is missing",
    "unexplained": "a difference that no cause explains",
}
"""Each cause of a comparison, as the end of a sentence that begins with the model."""


def claim_words(claim: Claim) -> str:
    """`claude-opus-4-5: billed at list price: …` in one phrase."""
    cause = claim.first.cause
    words = CAUSES[cause]
    if cause == "channel" and claim.first.channel == "batch":
        words = "batch billed at the realtime price"
    if cause == "cache kind" and claim.amount > 0:
        words = "cache reads and writes billed as a dearer kind of input"
    if cause == "quantity" and claim.amount < 0:
        words = "less is billed than was used"
    return words


def claim_days(claim: Claim) -> str:
    """`20 Jan to 31 Jan 2026`."""
    first = min(each.start for each in claim.differences)
    last = max(each.end for each in claim.differences) - ONE_DAY
    return f"{day_words(last)} {last.year}" if first >= last else f"{day_words(first)} to {day_words(last)} {last.year}"


def meter_words(meter: str) -> str:
    """`cache_write_5m_tokens` is `cache write 5m`."""
    return meter.removesuffix("_tokens").replace("_", " ")


def day_words(day: date) -> str:
    """`20 Jan`, the same in every locale."""
    return f"{day.day} {MONTHS[day.month - 1][:3]}"
