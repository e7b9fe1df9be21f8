"""Low and high: two ratings of the same usage, where the data cannot decide a price, as one result."""

from __future__ import annotations

from dataclasses import replace

from offtake.rating.lines import Amounts, Invoice, Invoices, Line


def merged(low: Invoices, high: Invoices) -> Invoices:
    """The low result with the high amounts beside it, line by line; a line that only one has counts 0 in the other."""
    pairs = zip(low.invoices, high.invoices, strict=True)
    return replace(low, invoices=tuple(_invoice(a, b) for a, b in pairs))


def _invoice(low: Invoice, high: Invoice) -> Invoice:
    above = {line.id: line for line in high.lines}
    lines = [_line(line, above.pop(line.id, None)) for line in low.lines]
    lines += [replace(line, amounts=Amounts(), high=line.amounts) for line in above.values()]
    return replace(low, lines=tuple(lines), total_high=high.total)


def _line(low: Line, high: Line | None) -> Line:
    amounts = high.amounts if high else Amounts()
    return low if amounts == low.amounts else replace(low, high=amounts)
