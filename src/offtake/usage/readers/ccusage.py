"""ccusage's JSON reports: `ccusage daily --json` (also with --instances) and `ccusage session --json`.

Source: ccusage.com/guide/json-output and the repository's snapshots (commit e36a3c2), November 2026: {"daily":
[{date | period, modelBreakdowns: [{modelName, inputTokens, outputTokens, cacheCreationTokens, cacheReadTokens}]}]},
{"sessions": [{sessionId, lastActivity, modelBreakdowns}]}. Days are those of the machine's zone (ccusage --timezone),
read as UTC unless a zone is given; a session stands on the day of its last activity. Cache writes are one total: they
take the retention of the `cache_write` option. Tokens of an entry that stand in no model are rejected, not lost.
Weekly, monthly and block reports are too coarse or estimates, and are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC

from offtake.usage.documents import json_items
from offtake.usage.fields import count, instant, text
from offtake.usage.identity import Identities, canonical
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Rejected, Row, TextSource, convert
from offtake.values.errors import InputError

_PATHS = (("daily",), ("projects", "*"), ("sessions",), ("session",))
_COUNTS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain day, one a model; the tags `session` and `project` where the report has them."""
    identities = Identities("ccusage", options.account)

    def build(row: Row) -> UsageRecord:
        entry = row.parents[-1]
        session, project = text(entry.get("sessionId")), text(entry.get("project"))
        date = text(entry.get("date") or entry.get("period") or entry.get("lastActivity"))
        day = instant("date", date, options.time_zone or UTC)
        if "T" in date:
            day = day.replace(hour=0, minute=0, second=0, microsecond=0)
        model = text(row.values.get("modelName"))
        return options.record(
            where=row.where,
            id=identities.of_row([date, session, project, model]),
            used_at=day,
            grain="day",
            count=0,
            model=model,
            tags={"session": session, "project": project},
            quantities={
                "input_tokens": count("inputTokens", row.values.get("inputTokens")),
                "cache_read_tokens": count("cacheReadTokens", row.values.get("cacheReadTokens")),
                f"cache_write_{options.cache_write}_tokens": count(
                    "cacheCreationTokens", row.values.get("cacheCreationTokens")
                ),
                "output_tokens": count("outputTokens", row.values.get("outputTokens")),
            },
            outcome=None,
        )

    return convert(_breakdowns(json_items(source, _PATHS)), build)


def _breakdowns(entries: Iterable[Row | Rejected]) -> Iterator[Row | Rejected]:
    for entry in entries:
        if isinstance(entry, Rejected):
            yield entry
            continue
        listed = entry.values.get("modelBreakdowns") or []
        objects = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
        for item in objects:
            yield Row(entry.where, item, canonical(item), (*entry.parents, entry.values))
        try:
            left = sum(_left(name, entry, objects) for name in _COUNTS)
        except InputError:
            continue  # a count that is no count: its own row is rejected for it
        if left:
            yield Rejected(entry.where, f"{left:,} tokens of this entry stand under no model", "U103", entry.raw)


def _left(name: str, entry: Row, breakdowns: list[dict[str, object]]) -> int:
    return abs(count(name, entry.values.get(name)) - sum(count(name, item.get(name)) for item in breakdowns))
