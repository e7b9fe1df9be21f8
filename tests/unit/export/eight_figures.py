"""Two years under the eight-figure reference contract: every clause at work, a few thousand lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path

from offtake.contract.contract import Contract
from offtake.operations.contracts import open_contract
from offtake.rating.facts import BurstNotice, Fact, OverageNotice, SeatCount, TopUp
from offtake.rating.lines import Invoices
from offtake.rating.rate import rate_records
from offtake.usage.record import UsageRecord
from offtake.values.money import Money

FILE = Path(__file__).resolve().parents[3] / "contracts/eight-figure-reference/contract.yaml"
START, END = datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
MODELS = ("claude-opus-4-7", "claude-sonnet-4-5", "claude-haiku-4-5")


@cache
def rated() -> tuple[Invoices, Contract]:
    """The invoices of the whole term, and the contract."""
    opened = open_contract(FILE)
    facts: tuple[Fact, ...] = (
        SeatCount(at=datetime(2026, 1, 1, tzinfo=UTC), count=2_000),
        OverageNotice(at=datetime(2026, 1, 2, tzinfo=UTC), by="vendor", commitment="spend"),
        TopUp(at=datetime(2026, 2, 3, tzinfo=UTC), id="first", amount=Money(Decimal(999), "USD")),
        *(BurstNotice(at=START, window=f"{year}-{month:02}") for year in (2026, 2027) for month in range(1, 13)),
    )
    return rate_records(usage(), opened.contract, opened.catalog, facts), opened.contract


def usage() -> Iterator[UsageRecord]:
    """Requests every few days that grow with the months, in each model, channel and outcome."""
    at, number = START, 0
    while at < END:
        for model, channel, outcome in product(MODELS, ("realtime", "batch"), ("ok", "timeout", "refusal")):
            number += 1
            times = (1_000 if outcome == "ok" else 10) * (1 + (at - START).days // 60)
            yield UsageRecord(
                id=f"r{number}",
                used_at=at,
                model=model,
                vendor="anthropic",
                channel=channel,
                outcome=outcome,
                context_tokens=1_000,
                quantities={
                    "input_tokens": 1_234_567 * times + number,
                    "output_tokens": 234_561 * times,
                    "cache_read_tokens": 3_456_789 * times,
                    "cache_write_5m_tokens": 12_345 * times,
                },
            )
        at += timedelta(days=3, hours=5)
