"""Published traces, rated: what real requests would cost at list price and under the demo's contract.

The traces say tokens and times, and no model; each is read as if it had been asked of the model named here, from the
first Monday of the contract on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from offtake.contract.list_only import list_contract
from offtake.operations.contracts import open_contract
from offtake.operations.usage_input import open_usage
from offtake.rating.rate import rate_records
from offtake.usage.reading import ReadOptions
from offtake.usage.record import UsageRecord
from offtake.values.periods import Interval

START = datetime(2026, 1, 5, tzinfo=UTC)
TRACES = (
    ("azure_2023_conv.csv", "claude-sonnet-4-5"),
    ("mooncake_conversation.jsonl", "claude-sonnet-4-5"),
)


@dataclass(frozen=True, slots=True)
class RatedTrace:
    """A trace: its requests, and what they cost."""

    name: str
    model: str
    requests: int
    public: Decimal
    contracted: Decimal


def rate_traces(data: Path, contract: Path) -> tuple[RatedTrace, ...]:
    """The traces that are in the folder, in dollars."""
    opened = open_contract(contract)
    public = list_contract(START.date(), START.date())
    found = []
    for name, model in TRACES:
        if not (data / name).is_file():
            continue
        records = _from_start(data / name, model)
        listed = rate_records(records, public, opened.catalog).total
        signed = rate_records(records, opened.contract, opened.catalog).total
        found.append(RatedTrace(name, model, len(records), listed, signed))
    return tuple(found)


def _from_start(trace: Path, model: str) -> list[UsageRecord]:
    """The requests of a trace, moved so that the first comes at `START`."""
    with open_usage([trace], ReadOptions(model=model, vendor="anthropic", start=START)) as usage:
        survey = usage.source.survey(False)
        if survey.first is None or survey.last is None:
            return []
        records = usage.source.ordered(Interval(survey.first, survey.last + timedelta(microseconds=1)))
        later = START - survey.first
        return [replace(record, used_at=record.used_at + later) for record in records]
