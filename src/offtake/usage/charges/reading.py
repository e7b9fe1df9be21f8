"""Reading invoices: one table of the kinds of bills we know. As `usage/reading.py`, for charges.

A charge is what the vendor printed: its amount is never recomputed here, and its sign is kept (credits are negative).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from offtake.usage.charge import Charge
from offtake.usage.reading import Kind, ReadOptions, kind_named, sniff
from offtake.usage.rows import Rejected, TextSource

ChargeReading = Iterator[Charge | Rejected]


CHARGE_KINDS: tuple[Kind, ...] = (
    Kind("openai-costs", "OpenAI organization costs API (JSON)", "offtake.usage.charges.openai_costs:read",
         (("organization.costs.result",), ("line_item", "amount"))),
    Kind("anthropic-costs", "Anthropic cost_report API (JSON)", "offtake.usage.charges.anthropic_costs:read",
         (("starting_at", "amount"), ("cost_type", "amount"))),
    Kind("anthropic-console-costs", "Anthropic console cost export (CSV)",
         "offtake.usage.charges.anthropic_console_costs:read", (("usage_date_utc", "cost_usd"),)),
    Kind("focus", "FOCUS cost and usage rows (CSV, Parquet)", "offtake.usage.charges.focus:read",
         (("BilledCost", "ChargePeriodStart"),)),
    Kind("csv", "any invoice as CSV, by mapping", "offtake.usage.charges.own:read", (("starts_at", "amount"),)),
)  # fmt: skip


def read_charges(kind: str, source: TextSource, options: ReadOptions) -> ChargeReading:
    """The charges and rejected rows of a bill, in the order of the file. InputError for an unknown kind."""
    reading: ChargeReading = kind_named(kind, CHARGE_KINDS).load()(source, options)
    return reading


def sniff_charges(head: str | bytes, file_name: str, columns: Collection[str] = ()) -> str:
    """The kind of a bill by its head or, for a columnar file, by its column names."""
    return sniff(head, file_name, CHARGE_KINDS, columns)
