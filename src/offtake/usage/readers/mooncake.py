"""The Mooncake traces: one request a line, {"timestamp": ms, "input_length", "output_length", "hash_ids"}.

Source: Mooncake (FAST'25), open traces. Times count milliseconds from `start`. The prefix blocks (`hash_ids`) show
what a cache could have served, not what a vendor served: all input is uncached.
"""

from __future__ import annotations

from datetime import UTC, datetime

from offtake.usage.fields import amount, count, later
from offtake.usage.identity import Identities
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Row, TextSource, convert, json_lines


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain request."""
    identities = Identities("mooncake", options.account)
    start = options.start or datetime(1970, 1, 1, tzinfo=UTC)

    def build(row: Row) -> UsageRecord:
        context = count("input_length", row.values.get("input_length"))
        return options.record(
            where=row.where,
            id=identities.of_row(row.values),
            used_at=later(start, int(amount("timestamp", row.values.get("timestamp")) * 1000)),
            quantities={
                "input_tokens": context,
                "output_tokens": count("output_length", row.values.get("output_length")),
            },
            context_tokens=context,
        )

    return convert(json_lines(source), build)
