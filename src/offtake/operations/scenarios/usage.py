"""Usage as a scenario writes it, as usage records.

By month or day: the total of ordinary requests, each below every context threshold, at noon UTC of the day (of the
15th where only a month is named). It stands for itself wherever the hour does not matter.

    usage:
      2026-01: {claude-opus-4.7: {input_tokens: 64_000_000, output_tokens: 16_000_000}}
      2026-02-03: {claude-opus-4.7: {output_tokens: 1_000_000, channel: batch}}

By request: one record a row; every field of the usage record may be named. `repeat: 3` stands for three such rows.

    usage:
      - {at: 2026-03-01T22:30:00Z, model: claude-opus-4.7, input_tokens: 1_000, outcome: http_5xx}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from offtake.operations.scenarios.node import Node
from offtake.usage.meters import BY_NAME
from offtake.usage.record import UsageRecord, validated

_TEXT = (
    "id", "model", "vendor", "grain", "account", "channel", "access", "region", "workload", "customer", "key_id",
    "outcome", "tier_requested", "tier_served", "vendor_request_id",
)  # fmt: skip
_COUNTS = ("count", "context_tokens", "latency_ms", "first_token_ms")
_ROW = ("at", "repeat", "tags", "usage_known", *_TEXT, *_COUNTS, *BY_NAME)


def usage_of(node: Node | None) -> list[UsageRecord]:
    """The records of a scenario's `usage`. InputError names the place of what cannot be read."""
    if node is None:
        return []
    return list(_rows(node) if isinstance(node.value, list) else _by_day(node))


def record_of(node: Node, identity: str, at: datetime, **fixed: object) -> UsageRecord:
    """One record from a mapping of meters and fields; `fixed` fields stand where the mapping says nothing."""
    node.only(*_ROW)
    fields: dict[str, object] = {"id": identity, **fixed}
    quantities: dict[str, int] = {}
    for key, item in node.entries():
        if key in BY_NAME:
            quantities[key] = item.count()
        elif key in _COUNTS:
            fields[key] = item.count()
        elif key in _TEXT:
            fields[key] = None if item.value is None else item.text()
        elif key == "tags":
            fields[key] = {name: value.text() for name, value in item.entries()}
        elif key == "usage_known":
            fields[key] = item.value is True
    record = UsageRecord(used_at=at, quantities=quantities, **fields)  # type: ignore[arg-type]  # `validated` checks them
    return validated(record, node.place)


def _rows(node: Node) -> Iterator[UsageRecord]:
    for index, row in enumerate(node.items()):
        at = row.need("at").instant().astimezone(UTC)
        row.need("model")
        repeat = row.item("repeat")
        for copy in range(repeat.count() if repeat else 1):
            yield record_of(row, f"row-{index}-{copy}", at)


def _by_day(node: Node) -> Iterator[UsageRecord]:
    for day, models in node.entries():
        at = _noon(day, models)
        for model, totals in models.entries():
            for index, part in enumerate(totals.items()):
                yield record_of(part, f"{day}-{model}-{index}", at, model=model, context_tokens=0)


def _noon(day: str, node: Node) -> datetime:
    if not re.fullmatch(r"\d{4}-\d\d(-\d\d)?", day):
        raise node.fail(f"{day!r} is not a month or a day", hint="write 2026-01 or 2026-01-15")
    try:
        return datetime.fromisoformat(f"{day if len(day) == 10 else day + '-15'}T12:00:00+00:00")
    except ValueError as error:
        raise node.fail(f"{day!r} is no date of the calendar") from error
