"""The Azure LLM inference traces: one request a row, TIMESTAMP, ContextTokens, GeneratedTokens.

Source: the Azure Public Dataset, AzureLLMInferenceTrace (2023 and 2024), whose clock is read as UTC. The trace names
no model and no vendor, and knows neither caching nor failures: all input is uncached, all requests are ok.
"""

from __future__ import annotations

from datetime import UTC

from offtake.usage.fields import count, instant
from offtake.usage.identity import Identities
from offtake.usage.reading import Reading, ReadOptions
from offtake.usage.record import UsageRecord
from offtake.usage.rows import Row, TextSource, convert, csv_rows


def read(source: TextSource, options: ReadOptions) -> Reading:
    """Records of grain request."""
    identities = Identities("azure-trace", options.account)

    def build(row: Row) -> UsageRecord:
        context = count("ContextTokens", row.values.get("ContextTokens"))
        return options.record(
            where=row.where,
            id=identities.of_row(row.values),
            used_at=instant("TIMESTAMP", row.values.get("TIMESTAMP"), options.time_zone or UTC),
            quantities={
                "input_tokens": context,
                "output_tokens": count("GeneratedTokens", row.values.get("GeneratedTokens")),
            },
            context_tokens=context,
        )

    return convert(csv_rows(source), build)
