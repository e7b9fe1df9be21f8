"""Reading invoices: one table of the kinds of bills we know. As `usage/reading.py`, for charges.

A charge is what the vendor printed: its amount is never recomputed here, and its sign is kept (credits are negative).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from offtake.usage.charge import Charge
from offtake.usage.reading import Kind, ReadOptions, kind_named, sniff
from offtake.usage.rows import Rejected, TextSource

ChargeReading = Iterator[Charge | Rejected]


def _kind(name: str, about: str, module: str, *marks: tuple[str, ...]) -> Kind:
    return Kind(name, about, f"offtake.usage.charges.{module}:read", marks)


CHARGE_KINDS: tuple[Kind, ...] = (
    _kind("openai-costs", "OpenAI organization costs API (JSON)", "openai_costs",
          ("organization.costs.result",), ("line_item", "amount")),
    _kind("anthropic-costs", "Anthropic cost_report API (JSON)", "anthropic_costs",
          ("starting_at", "amount"), ("cost_type", "amount")),
    _kind("anthropic-console-costs", "Anthropic console cost export (CSV)", "anthropic_console_costs",
          ("usage_date_utc", "cost_usd")),
    _kind("focus", "FOCUS cost and usage rows (CSV, Parquet)", "focus", ("BilledCost", "ChargePeriodStart")),
    _kind("csv", "any invoice as CSV, by mapping", "own", ("starts_at", "amount")),
)  # fmt: skip


def read_charges(kind: str, source: TextSource, options: ReadOptions) -> ChargeReading:
    """The charges and rejected rows of a bill, in the order of the file. InputError for an unknown kind."""
    reading: ChargeReading = kind_named(kind, CHARGE_KINDS).load()(source, options)
    return reading


def sniff_charges(head: str | bytes, file_name: str, columns: Collection[str] = ()) -> str:
    """The kind of a bill by its head or, for a columnar file, by its column names."""
    return sniff(head, file_name, CHARGE_KINDS, columns)
